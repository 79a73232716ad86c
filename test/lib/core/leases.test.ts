import type { Redis } from 'ioredis'
import { setTimeout as sleep } from 'node:timers/promises'
import t, { type Test } from 'tap'
import type { Leases } from '../../../lib/core/leases.ts'
import { createMemoryLeases } from '../../../lib/core/leases-memory.ts'
import { createRedisLeases } from '../../../lib/core/leases-redis.ts'
import { age } from '../../conformance/age.ts'
import { leasesConform } from '../../conformance/leases.ts'
import { startRedis, useRedis, type TestRedis } from '../../redis.ts'

const hour = 3_600_000
const loud = (cause: unknown): void => { throw cause }

function closing (t: Test, leases: Leases): Leases {
  t.teardown(() => leases.close())
  return leases
}

async function connected (server: TestRedis): Promise<Redis> {
  const client = server.client()
  await client.ping()
  return client
}

/** Leases of a process on this Redis that are not renewed while a test runs, and that tolerate no missing answer. */
function quiet (t: Test, redis: Redis): Leases {
  return closing(t, createRedisLeases({ client: () => redis, leaseMs: hour, onUnavailable: loud }))
}

t.test('in memory', async t => leasesConform(t, async () => createMemoryLeases()))

t.test('in Redis', async t => {
  const redis = await connected(await useRedis(t))
  leasesConform(t, async t => {
    await redis.flushdb()
    return quiet(t, redis)
  })
})

t.test('a process renews what it holds; what it held is gone one lease after it died', async t => {
  const redis = await connected(await useRedis(t))
  let alive = true
  const mortal = closing(t, createRedisLeases({ client: () => alive ? redis : null, leaseMs: 240 }))
  const witness = quiet(t, redis)
  await mortal.hold('room', 'one')
  await mortal.hold('room', 'two')
  await witness.hold('room', 'witness')
  await sleep(600)
  t.equal(await witness.count('room'), 3)
  alive = false
  await sleep(300)
  t.equal(await witness.count('room'), 1)
  t.same(await witness.release('room', 'witness'), { last: true, count: 0 })
})

t.test('a lapsed lease makes room, and its key ends by itself', async t => {
  const redis = await connected(await useRedis(t))
  await quiet(t, redis).hold('room', 'lost', 1)
  await age(redis, hour - 60_000)
  const other = quiet(t, redis)
  t.notOk((await other.hold('room', 'late', 1)).held)
  t.ok(await redis.pttl('core:lease:room') <= 60_000, 'a refusal does not keep the set alive')
  await redis.zadd('core:lease:room', 1, '0:lost')
  await redis.zrem('core:lease:room', 'lost')
  t.same(await other.hold('room', 'late', 1), { held: true, first: true, count: 1 })
  t.same(await redis.zrange('core:lease:room', '0', '-1'), ['late'], 'the lapsed one is cleaned away')
  const left = await redis.pttl('core:lease:room')
  t.ok(left > hour - 5000 && left <= hour, `${left} ms`)
})

t.test('closing lets go in Redis at once, of a large number as well', async t => {
  const redis = await connected(await useRedis(t))
  const leases = quiet(t, redis)
  await Promise.all(Array.from({ length: 250 }, (_, i) => leases.hold(`set ${i % 80}`, `member ${i}`)))
  const witness = quiet(t, redis)
  await witness.hold('set 0', 'witness')
  await leases.close()
  t.equal((await redis.keys('core:lease:*')).length, 1)
  t.equal(await witness.count('set 0'), 1)
})

t.test('while Redis is away the process answers from what it holds, and Redis has it again afterwards', async t => {
  const server = await startRedis(t)
  const client = await connected(server)
  const causes: unknown[] = []
  const leases = closing(t, createRedisLeases({ client: () => client, leaseMs: 300, onUnavailable: cause => causes.push(cause) }))
  await leases.hold('room', 'before')
  await leases.hold('room', 'goes')

  const lost = new Promise(resolve => client.once('close', resolve))
  await server.kill()
  await lost
  t.same(await leases.hold('room', 'during', 3), { held: true, first: false, count: 3 })
  t.same(await leases.hold('room', 'too many', 3), { held: false, first: false, count: 3 })
  t.same(await leases.release('room', 'goes'), { last: false, count: 2 })
  t.equal(await leases.count('room'), 2)
  t.same(await leases.hold('fresh', 'one'), { held: true, first: true, count: 1 })
  t.same(await leases.release('fresh', 'one'), { last: true, count: 0 })
  t.match(causes[0], { code: 'UNAVAILABLE', cause: Error })

  const back = new Promise(resolve => client.once('ready', resolve))
  await server.restart()
  await back
  t.equal(await leases.count('room'), 2, 'known before the renewal')
  t.same(await leases.hold('room', 'after', 3), { held: true, first: false, count: 3 }, 'an empty Redis makes nobody first')
  while (await client.zcard('core:lease:room') < 3) await sleep(20)
  t.same((await client.zrange('core:lease:room', '0', '-1')).sort(), ['after', 'before', 'during'])
})

t.test('a lease that Redis has lost is still held, and a last one when it is released', async t => {
  const redis = await connected(await useRedis(t))
  const leases = quiet(t, redis)
  await leases.hold('room', 'one')
  await leases.hold('room', 'two')
  await redis.flushdb()
  t.same(await leases.release('room', 'one'), { last: false, count: 1 })
  t.same(await leases.release('room', 'two'), { last: true, count: 0 })
})

t.test('what is released during a renewal is not renewed', async t => {
  const redis = await connected(await useRedis(t))
  let onAsk = (): void => {}
  const leases = closing(t, createRedisLeases({
    client: () => {
      onAsk()
      return redis
    },
    leaseMs: 600
  }))
  await Promise.all(Array.from({ length: 151 }, (_, i) => leases.hold('room', `member ${i}`)))
  // A renewal asks for the client batch by batch; the release comes before, between or after its two.
  await new Promise<unknown>(resolve => {
    onAsk = () => {
      onAsk = () => {}
      resolve(leases.release('room', 'member 150'))
    }
  })
  await new Promise<void>(resolve => { onAsk = resolve })
  await redis.ping()
  t.equal(await redis.zscore('core:lease:room', 'member 150'), null)
  t.equal(await redis.zcard('core:lease:room'), 150)
})

t.test('a short lease does not cut a long one short', async t => {
  const redis = await connected(await useRedis(t))
  await quiet(t, redis).hold('room', 'long')
  await closing(t, createRedisLeases({ client: () => redis, leaseMs: 60_000, onUnavailable: loud })).hold('room', 'short')
  await age(redis, 60_000)
  t.same(await quiet(t, redis).hold('room', 'next'), { held: true, first: false, count: 2 })
})

t.test('what is refused elsewhere is not held here', async t => {
  const redis = await connected(await useRedis(t))
  const [one, other] = [quiet(t, redis), quiet(t, redis)]
  await one.hold('room', 'one', 1)
  t.same(await other.hold('room', 'two', 1), { held: false, first: false, count: 1 })
  await one.release('room', 'one')
  t.equal(await other.count('room'), 0)
  t.same(await other.hold('room', 'three', 1), { held: true, first: true, count: 1 })
})

t.test('a Redis that does not answer holds nobody longer than the deadline', async t => {
  const server = await startRedis(t)
  const client = await connected(server)
  const leases = createRedisLeases({ client: () => client, leaseMs: hour })
  await server.client().call('CLIENT', 'PAUSE', '4000')
  const began = performance.now()
  t.same(await leases.hold('room', 'one'), { held: true, first: true, count: 1 })
  const took = performance.now() - began
  t.ok(took > 200 && took < 3_000, `${took} ms`)
  await client.ping()
  await leases.close()
  t.same(await client.keys('core:lease:*'), [], 'what was stored late is let go')
})
