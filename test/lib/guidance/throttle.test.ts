import fc from 'fast-check'
import t from 'tap'
import { eventTime, slot } from '../../../lib/guidance/throttle.ts'

t.test('event time is taken back to 5 s ahead of the clock', async t => {
  t.equal(eventTime(undefined, 1000), 1000)
  t.equal(eventTime(400, 1000), 400)
  t.equal(eventTime(6000, 1000), 6000)
  t.equal(eventTime(6001, 1000), 6000)
})

t.test('a slot is free first, and after the interval; late events take none', async t => {
  t.same(slot(null, 5, 100), { reason: 'first', remainingMs: 0 })
  t.same(slot(1000, 1099, 100), { reason: 'waiting', remainingMs: 1 })
  t.same(slot(1000, 1100, 100), { reason: 'elapsed', remainingMs: 0 })
  t.same(slot(1000, 999, 100), { reason: 'late', remainingMs: 101 })
  t.same(slot(1000, 1000, 0), { reason: 'elapsed', remainingMs: 0 })
  t.same(slot(1000, 999, 0), { reason: 'late', remainingMs: 1 })
})

t.test('never two takes within the interval, whatever comes when', async () => {
  fc.assert(fc.property(fc.array(fc.integer({ min: 0, max: 1000 }), { maxLength: 30 }), fc.integer({ min: 1, max: 300 }), (times, interval) => {
    let last: number | null = null
    for (const at of times) {
      const { reason } = slot(last, at, interval)
      if (reason === 'waiting' || reason === 'late') continue
      if (last !== null && at - last < interval) return false
      last = at
    }
    return true
  }))
})
