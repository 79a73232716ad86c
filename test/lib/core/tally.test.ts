import { Counter, Registry } from '@platformatic/prom-client'
import t from 'tap'
import { Tally } from '../../../lib/core/tally.ts'

t.test('what was counted is in the counter whenever somebody asks, once', async t => {
  const tally = new Tally()
  const counter = new Counter({ name: 'decisions', help: 'x', labelNames: ['gate', 'reason'], registers: [new Registry()], collect () { tally.into(this, ['gate', 'reason']) } })
  const read = async (): Promise<unknown> => (await counter.get()).values.map(({ labels, value }) => [labels, value])
  t.same(await read(), [])

  for (let i = 0; i < 3; i++) tally.add('attention', 'time')
  tally.add('attention', 'score')
  tally.add('cooldown', 'first')
  const counted = [[{ gate: 'attention', reason: 'time' }, 3], [{ gate: 'attention', reason: 'score' }, 1], [{ gate: 'cooldown', reason: 'first' }, 1]]
  t.same(await read(), counted)
  t.same(await read(), counted, 'it is handed over once')

  tally.add('attention', 'time')
  t.match(await read(), [[{ gate: 'attention', reason: 'time' }, 4]], 'and goes on')
})
