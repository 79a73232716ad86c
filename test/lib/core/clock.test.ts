import t, { type Test } from 'tap'
import { createRedisClock, ownClock } from '../../../lib/core/clock.ts'
import type { RedisClient } from '../../../lib/core/redis.ts'
import { startRedis } from '../../redis.ts'

interface Fake { redis: RedisClient, ready: () => void, listeners: () => number }

/** A Redis whose clock is `ahead()` ms before ours, and which takes `late()` ms for an answer. */
function fake (ahead: () => number, late: () => number = () => 0): Fake {
  const listeners = new Set<() => void>()
  const redis = {
    status: 'ready',
    on: (_: string, listener: () => void) => listeners.add(listener),
    off: (_: string, listener: () => void) => listeners.delete(listener),
    async time () {
      const ms = late()
      await (ms === Infinity ? new Promise(() => {}) : tick(ms))
      const at = Date.now() + ahead()
      return [String(Math.floor(at / 1000)), String(at % 1000 * 1000)]
    }
  }
  return { redis: redis as unknown as RedisClient, ready: () => { for (const one of listeners) one() }, listeners: () => listeners.size }
}

const tick = async (ms: number): Promise<void> => await new Promise(resolve => setTimeout(resolve, ms))
const near = (t: Test, found: number, wanted: number, within: number): void => { t.ok(Math.abs(found - wanted) <= within, `${found - wanted} ms off`) }

t.test('the time of Redis is the time', async t => {
  const clock = createRedisClock(fake(() => -600_000).redis)
  t.teardown(clock.stop)
  near(t, clock.now(), Date.now(), 2_000)
  await clock.settled(1_000)
  near(t, clock.now(), Date.now() - 600_000, 2_000)
})

t.test('of several answers the quickest counts', async t => {
  const lates = [200, 2, 100]
  const { redis } = fake(() => 60_000, () => lates.shift() ?? 0)
  const clock = createRedisClock(redis)
  t.teardown(clock.stop)
  await tick(400)
  near(t, clock.now(), Date.now() + 60_000, 2_000)
})

t.test('a clock that is set, or another Redis, is followed', async t => {
  let ahead = 0
  const { redis, ready } = fake(() => ahead)
  const clock = createRedisClock(redis)
  t.teardown(clock.stop)
  await clock.settled(1_000)
  ahead = 3_600_000
  ready()
  for (let i = 0; i < 100 && clock.now() < Date.now() + 3_000_000; i++) await tick(20)
  near(t, clock.now(), Date.now() + 3_600_000, 2_000)
})

t.test('the clock of the machine may be set without harm', async t => {
  const { redis } = fake(() => 0)
  const clock = createRedisClock(redis)
  t.teardown(clock.stop)
  await clock.settled(1_000)
  const { now } = Date
  t.teardown(() => { Date.now = now })
  Date.now = () => now() - 3_600_000
  near(t, clock.now(), now(), 2_000)
})

t.test('without an answer the machine says the time, and nobody waits for long', async t => {
  const silent = createRedisClock(fake(() => 600_000, () => Infinity).redis)
  t.teardown(silent.stop)
  const away = createRedisClock({ status: 'end', on () {}, off () {} } as unknown as RedisClient)
  t.teardown(away.stop)
  for (const clock of [silent, away, ownClock]) {
    await clock.settled(50)
    near(t, clock.now(), Date.now(), 2_000)
  }
})

t.test('it lets go of a client that is not its own', async t => {
  const { redis, listeners } = fake(() => 0)
  const clock = createRedisClock(redis)
  t.equal(listeners(), 1)
  clock.stop()
  t.equal(listeners(), 0)
})

t.test('a real Redis', async t => {
  const client = (await startRedis(t)).client()
  const clock = createRedisClock(client)
  t.teardown(clock.stop)
  await clock.settled(5_000)
  near(t, clock.now(), Date.now(), 2_000)
})
