import fc from 'fast-check'
import t from 'tap'
import { decayed, observe, pressure, type Decaying } from '../../../lib/guidance/decay.ts'

t.test('a weight halves each half-life, and time that runs backwards changes nothing', async t => {
  t.equal(decayed(8, 0, 1000), 8)
  t.equal(decayed(8, 1000, 1000), 4)
  t.equal(decayed(8, 3000, 1000), 1)
  t.equal(decayed(8, -5000, 1000), 8)
  t.equal(decayed(8, 1e15, 1), 0)
})

t.test('the order of arrival does not matter', async () => {
  const times = fc.array(fc.integer({ min: 0, max: 10_000 }), { minLength: 1, maxLength: 8 })
  const sum = (all: number[]): Decaying => all.reduce<Decaying>((known, at) => observe(known, 1, at, 1000), { weight: 0, at: all[0] ?? 0 })
  fc.assert(fc.property(times, all => {
    const [asCame, inOrder] = [sum(all), sum(all.toSorted((a, b) => a - b))]
    return asCame.at === inOrder.at && Math.abs(asCame.weight - inOrder.weight) < 1e-9
  }))
})

t.test('five fresh acknowledgements silence the score', async t => {
  t.same([0, 1, 2.5, 5, 50].map(pressure), [1, 0.8, 0.5, 0, 0])
})
