import t from 'tap'
import { Expiring } from '../../../lib/guidance/expiring.ts'

t.test('a value is forgotten after its time, counted from its last write', async t => {
  let now = 0
  const values = new Expiring<string>(() => now)
  values.set('a', 'first', 10)
  now = 9999
  t.equal(values.get('a'), 'first')
  now = 10_000
  t.equal(values.get('a'), undefined)
  values.set('a', 'second', 10)
  now = 15_000
  values.set('a', 'third', 10)
  now = 24_999
  t.equal(values.get('a'), 'third')
})

t.test('what has expired is dropped by the writes that follow', async t => {
  let now = 0
  const values = new Expiring<number>(() => now)
  for (let n = 0; n < 10_000; n++) {
    now += 1000
    values.set(`group ${n}`, n, 60)
  }
  t.ok(values.size >= 60 && values.size <= 120, `${values.size} are kept, 60 of them live`)
})
