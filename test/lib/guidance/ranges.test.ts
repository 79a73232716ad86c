import fc from 'fast-check'
import t from 'tap'
import { addTo, rangesBound, type Ranges } from '../../../lib/guidance/ranges.ts'

const members = (ranges: Ranges): number[] => ranges.flatMap(([from, to]) => Array.from({ length: to - from + 1 }, (_, i) => from + i))

t.test('they are the set of what was added, in as few ranges as there can be', async () => {
  fc.assert(fc.property(fc.array(fc.integer({ min: 1, max: 2 * rangesBound })), numbers => {
    const ranges: Ranges = []
    const model = new Set<number>()
    for (const number of numbers) {
      const isNew = !model.has(number)
      model.add(number)
      if (addTo(ranges, number) !== isNew) throw new Error(`${number} was ${isNew ? 'new' : 'there'}`)
      if (members(ranges).join() !== [...model].sort((a, b) => a - b).join()) throw new Error(JSON.stringify(ranges))
      if (ranges.some(([from], i) => from === (ranges[i - 1]?.[1] ?? NaN) + 1)) throw new Error(`two that touch: ${JSON.stringify(ranges)}`)
    }
  }), { seed: 17 })
})

t.test('with too many holes the oldest one counts as filled', async t => {
  const ranges: Ranges = []
  for (let i = 1; i <= rangesBound; i++) addTo(ranges, 10 * i)
  t.equal(ranges.length, rangesBound)
  addTo(ranges, 10_000)
  t.equal(ranges.length, rangesBound)
  t.same(ranges[0], [10, 20])
  t.notOk(addTo(ranges, 15), 'never heard twice')
  t.ok(addTo(ranges, 25))
})
