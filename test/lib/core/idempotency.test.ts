import fc from 'fast-check'
import type { Redis } from 'ioredis'
import { setTimeout as sleep } from 'node:timers/promises'
import t from 'tap'
import { ClasswavesError } from '../../../lib/core/errors.ts'
import type { IdempotencySettings } from '../../../lib/core/idempotency.ts'
import { createMemoryIdempotency } from '../../../lib/core/idempotency-memory.ts'
import { createRedisIdempotency } from '../../../lib/core/idempotency-redis.ts'
import { age } from '../../conformance/age.ts'
import { idempotencyConform, type IdempotencyBackend } from '../../conformance/idempotency.ts'
import { tellsOfLate, unlessLate } from '../../late.ts'
import { startRedis, useRedis, type TestRedis } from '../../redis.ts'

const answer = { status: 200, body: '{}' }

function memory (settings: Partial<IdempotencySettings> = {}): IdempotencyBackend {
  let now = 0
  return { idempotency: createMemoryIdempotency({ ...settings, now: () => now }), async pass (ms) { now += ms } }
}

async function connected (server: TestRedis): Promise<Redis> {
  const client = server.client()
  await client.ping()
  return client
}

t.test('in memory', async t => idempotencyConform(t, async (_, settings) => memory(settings)))

t.test('in Redis', async t => {
  const redis = await connected(await useRedis(t))
  idempotencyConform(t, async (_, settings) => {
    await redis.flushdb()
    return { idempotency: createRedisIdempotency({ ...settings, client: () => redis }), pass: ms => age(redis, ms) }
  })
})

t.test('both give the same answers to the same history', async t => {
  const redis = await connected(await useRedis(t))
  const shared = createRedisIdempotency({ client: () => redis, waitMs: 0 })
  const at = { key: fc.constantFrom('a', 'b'), bodyHash: fc.constantFrom('h', 'h', 'other') }
  const step = fc.oneof(
    { weight: 4, arbitrary: fc.record({ does: fc.constant('claim' as const), ...at }) },
    { weight: 2, arbitrary: fc.record({ does: fc.constant('complete' as const), ...at, status: fc.integer({ min: 200, max: 204 }) }) },
    { weight: 1, arbitrary: fc.record({ does: fc.constant('abandon' as const), ...at }) },
    { weight: 1, arbitrary: fc.record({ does: fc.constant('pass' as const), seconds: fc.constantFrom(10, 20, 30, 3600, 86_400) }) }
  )
  const seen: Record<string, number> = {}
  await fc.assert(fc.asyncProperty(fc.array(step, { minLength: 10, maxLength: 40 }), async history => await unlessLate(async () => {
    await redis.flushdb()
    const { idempotency, pass } = memory({ waitMs: 0 })
    for (const next of history) {
      if (next.does === 'pass') {
        await Promise.all([pass(next.seconds * 1000), age(redis, next.seconds * 1000)])
        continue
      }
      const [here, there] = await Promise.all([idempotency, shared].map(async backend => {
        if (next.does === 'complete') return await backend.complete(next.key, next.bodyHash, { status: next.status, body: String(next.status) })
        if (next.does === 'abandon') return await backend.abandon(next.key, next.bodyHash)
        return await backend.claim(next.key, next.bodyHash).catch((error: unknown) => error instanceof ClasswavesError && !tellsOfLate(error) ? { state: error.code } : Promise.reject(error))
      }))
      if (JSON.stringify(here) !== JSON.stringify(there)) throw new Error(`${JSON.stringify(next)}: ${JSON.stringify({ here, there })}`)
      if (here) seen[here.state] = (seen[here.state] ?? 0) + 1
    }
  })), { numRuns: 100, seed: 7 })
  t.same(Object.entries(seen).filter(([, times]) => times > 50).map(([state]) => state).sort(), ['UNAVAILABLE', 'done', 'mismatch', 'new'])
})

t.test('memory forgets the oldest answers, never a claim that is under way', async t => {
  const idempotency = createMemoryIdempotency({ maxKeys: 3, waitMs: 0 })
  await idempotency.claim('under way', 'h')
  for (const key of ['a', 'b', 'c', 'd']) {
    await idempotency.claim(key, 'h')
    await idempotency.complete(key, 'h', answer)
  }
  t.same(await idempotency.claim('b', 'h'), { state: 'done', answer })
  t.same(await idempotency.claim('a', 'h'), { state: 'new' })
  await idempotency.claim('e', 'h')
  await t.rejects(idempotency.claim('f', 'h'), { code: 'UNAVAILABLE' }, 'three are under way')
  await t.rejects(idempotency.claim('under way', 'h'), { code: 'UNAVAILABLE' })
  await idempotency.abandon('under way', 'h')
  t.same(await idempotency.claim('f', 'h'), { state: 'new' })
})

t.test('memory counts the characters of its answers', async t => {
  const idempotency = createMemoryIdempotency({ maxCharacters: 100 })
  for (const key of ['a', 'b', 'c']) {
    await idempotency.claim(key, 'h')
    await idempotency.complete(key, 'h', { status: 200, body: 'x'.repeat(50) })
  }
  t.same(await idempotency.claim('a', 'h'), { state: 'new' })
  t.match(await idempotency.claim('b', 'h'), { state: 'done' })
  t.match(await idempotency.claim('c', 'h'), { state: 'done' })
})

t.test('without Redis nothing is claimed', async t => {
  const server = await startRedis(t)
  const client = await connected(server)
  const idempotency = createRedisIdempotency({ client: () => client })
  await idempotency.claim('k', 'h')
  const lost = new Promise(resolve => client.once('close', resolve))
  await server.kill()
  await lost
  const began = performance.now()
  await t.rejects(idempotency.claim('new', 'h'), { code: 'UNAVAILABLE' })
  await t.rejects(idempotency.claim('k', 'h'), { code: 'UNAVAILABLE' })
  await t.rejects(idempotency.abandon('k', 'h'), { code: 'UNAVAILABLE' })
  t.ok(performance.now() - began < 2_000, 'refused at once')
})

t.test('an answer that Redis does not take is offered until it does, or until the claim has lapsed', async t => {
  const redis = await connected(await useRedis(t))
  let up = true
  const idempotency = createRedisIdempotency({ client: () => up ? redis : null, claimMs: 2000 })
  await idempotency.claim('k', 'h')
  up = false
  const stored = idempotency.complete('k', 'h', answer)
  await sleep(50)
  t.equal(await redis.hget('core:idempotency:k', 'status'), null)
  up = true
  await stored
  t.same(await idempotency.claim('k', 'h'), { state: 'done', answer })

  const hopeless = createRedisIdempotency({ client: () => null, claimMs: 300 })
  await t.rejects(hopeless.complete('k', 'h', answer), { code: 'UNAVAILABLE' })
})

t.test('a claim that is granted after the deadline is given back', async t => {
  const server = await startRedis(t)
  const client = await connected(server)
  const idempotency = createRedisIdempotency({ client: () => client })
  await idempotency.claim('warm', 'h')
  await server.client().call('CLIENT', 'PAUSE', '3000')
  await t.rejects(idempotency.claim('k', 'h'), { code: 'UNAVAILABLE' })
  await client.ping()
  t.same(await idempotency.claim('k', 'h'), { state: 'new' })
  t.equal(await client.hget('core:idempotency:k', 'bodyHash'), 'h')
})
