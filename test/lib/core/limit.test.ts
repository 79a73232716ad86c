import fc from 'fast-check'
import t from 'tap'
import { Bucket } from '../../../lib/core/limit.ts'

t.test('a burst is let through, then the rate', async t => {
  const bucket = new Bucket(10, 3, 0)
  t.same([bucket.take(0), bucket.take(0), bucket.take(0)], [0, 0, 0])
  t.equal(bucket.take(0), 100)
  t.equal(bucket.take(50), 50)
  t.equal(bucket.take(100), 0)
})

t.test('a refusal takes nothing, and a clock that runs backwards gives nothing', async t => {
  const bucket = new Bucket(1, 1, 1000)
  t.equal(bucket.take(1000), 0)
  t.equal(bucket.take(1000), 1000)
  t.equal(bucket.take(0), 1000)
  t.equal(bucket.take(2000), 0)
})

t.test('whatever the demand, no more passes than the burst and the rate', async t => {
  fc.assert(fc.property(fc.array(fc.record({ wait: fc.nat(200), cost: fc.integer({ min: 1, max: 5 }) }), { maxLength: 200 }), steps => {
    const bucket = new Bucket(50, 20, 0)
    let now = 0
    let passed = 0
    for (const { wait, cost } of steps) {
      now += wait
      const retryAfter = bucket.take(now, cost)
      if (retryAfter === 0) passed += cost
      else t.equal(new Bucket(50, 20, 0).take(0, cost) > 0 || retryAfter > 0, true)
    }
    t.ok(passed <= 20 + now * 50 / 1000 + 1e-6)
  }), { seed: 11, numRuns: 200 })
})
