import fc from 'fast-check'
import t from 'tap'
import { createMemoryCounters } from '../../../lib/core/counters-memory.ts'
import { createRedisCounters } from '../../../lib/core/counters-redis.ts'
import { age } from '../../conformance/age.ts'
import { countersConform, type CountersBackend } from '../../conformance/counters.ts'
import { unlessLate } from '../../late.ts'
import { startRedis, useRedis } from '../../redis.ts'

const minute = 60_000

function memory (): CountersBackend {
  let now = 0
  return { counters: createMemoryCounters({ now: () => now }), async pass (ms) { now += ms } }
}

t.test('in memory', async t => countersConform(t, async () => memory()))

t.test('in Redis', async t => {
  const redis = (await useRedis(t)).client()
  const onUnavailable = (cause: unknown): void => { throw cause }
  countersConform(t, async () => {
    await redis.flushdb()
    return { counters: createRedisCounters({ client: () => redis, onUnavailable }), pass: ms => age(redis, ms) }
  })
})

t.test('both give the same answers to the same history', async t => {
  const redis = (await useRedis(t)).client()
  const shared = createRedisCounters({ client: () => redis, onUnavailable: cause => { throw cause } })
  const step = fc.oneof(
    { weight: 4, arbitrary: fc.record({ question: fc.constantFrom('take' as const, 'peek' as const), name: fc.constantFrom('a', 'b'), limit: fc.integer({ min: 0, max: 3 }), windowMs: fc.constantFrom(20 * minute, 50 * minute) }) },
    { weight: 1, arbitrary: fc.record({ minutes: fc.integer({ min: 1, max: 40 }) }) }
  )
  // Redis' clock goes on between two questions; all times of the histories are whole minutes.
  const inMinutes = ({ allowed, retryAfterMs }: { allowed: boolean, retryAfterMs: number }) => ({ allowed, minutes: Math.ceil(retryAfterMs / minute) })
  let refusals = 0
  await fc.assert(fc.asyncProperty(fc.array(step, { minLength: 10, maxLength: 40 }), async history => await unlessLate(async () => {
    await redis.flushdb()
    const { counters, pass } = memory()
    for (const next of history) {
      if ('minutes' in next) {
        await Promise.all([pass(next.minutes * minute), age(redis, next.minutes * minute)])
        continue
      }
      const { question, name, limit, windowMs } = next
      const here = inMinutes(await counters[question](name, limit, windowMs))
      const there = inMinutes(await shared[question](name, limit, windowMs))
      if (here.allowed !== there.allowed || here.minutes !== there.minutes) throw new Error(`${JSON.stringify(next)}: ${JSON.stringify({ here, there })}`)
      if (!here.allowed) refusals++
    }
  })), { numRuns: 100, seed: 11 })
  t.ok(refusals > 100, `${refusals} refusals`)
})

t.test('memory is bounded: the oldest windows of a length are forgotten first', async t => {
  const counters = createMemoryCounters({ maxNames: 100 })
  await counters.take('early', 1, 60_000)
  await counters.take('daily', 1, 86_400_000)
  for (let i = 0; i < 99; i++) await counters.take(`flood ${i}`, 1, 60_000)
  t.notOk((await counters.peek('early', 1, 60_000)).allowed, 'still within the bound')
  for (let i = 99; i < 1000; i++) await counters.take(`flood ${i}`, 1, 60_000)
  t.ok((await counters.peek('early', 1, 60_000)).allowed)
  t.notOk((await counters.peek('flood 999', 1, 60_000)).allowed)
  t.notOk((await counters.peek('flood 900', 1, 60_000)).allowed)
  t.ok((await counters.peek('flood 899', 1, 60_000)).allowed)
  t.notOk((await counters.peek('daily', 1, 86_400_000)).allowed, 'a flood of short windows does not touch the long ones')
})

t.test('processes share one count', async t => {
  const server = await useRedis(t)
  const processes = [server.client(), server.client()].map(client => ({
    client, counters: createRedisCounters({ client: () => client, onUnavailable: cause => { throw cause } })
  }))
  await Promise.all(processes.map(({ client }) => client.ping()))
  const answers = await Promise.all(processes.flatMap(({ counters }) => Array.from({ length: 15 }, () => counters.take('shared', 10, 60_000))))
  t.equal(answers.filter(({ allowed }) => allowed).length, 10)
})

t.test('while Redis is away the process counts for itself, and asks Redis again when it is back', async t => {
  const server = await startRedis(t)
  const client = server.client()
  await client.ping()
  const causes: unknown[] = []
  const counters = createRedisCounters({ client: () => client, onUnavailable: cause => causes.push(cause) })
  await counters.take('a', 2, 60_000)
  t.equal(causes.length, 0)

  const lost = new Promise(resolve => client.once('close', resolve))
  await server.kill()
  await lost
  const answers = [await counters.take('a', 2, 60_000), await counters.take('a', 2, 60_000), await counters.take('a', 2, 60_000)]
  t.same(answers.map(({ allowed }) => allowed), [true, true, false])
  t.notOk((await counters.peek('a', 2, 60_000)).allowed)
  t.equal(causes.length, 4)
  t.match(causes[0], { code: 'UNAVAILABLE', cause: Error })

  const back = new Promise(resolve => client.once('ready', resolve))
  await server.restart()
  await back
  t.ok((await counters.take('a', 2, 60_000)).allowed, 'Redis started empty')
  t.equal(causes.length, 4)
  t.equal(await client.get('core:count:a:60000'), '1')
})

t.test('a Redis that does not answer holds nobody longer than the deadline', async t => {
  const server = await startRedis(t)
  const client = server.client()
  await client.ping()
  const counters = createRedisCounters({ client: () => client })
  await server.client().call('CLIENT', 'PAUSE', '4000')
  const began = performance.now()
  const answers = await Promise.all([1, 2, 3].map(() => counters.take('a', 2, 60_000)))
  const took = performance.now() - began
  t.same(answers.map(({ allowed }) => allowed), [true, true, false])
  t.ok(took > 200 && took < 3_000, `${took} ms`)
})

t.test('there may be no client yet', async t => {
  const counters = createRedisCounters({ client: () => null })
  t.same([(await counters.take('a', 1, 1000)).allowed, (await counters.take('a', 1, 1000)).allowed], [true, false])
})
