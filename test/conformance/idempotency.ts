import { setTimeout as sleep } from 'node:timers/promises'
import type { Test } from 'tap'
import type { Idempotency, IdempotencySettings } from '../../lib/core/idempotency.ts'

export interface IdempotencyBackend {
  idempotency: Idempotency
  /** Lets so much time pass for the backend. */
  pass (ms: number): Promise<void>
}

const answer = { status: 201, body: '{"sessionId":"s1"}' }
const done = { state: 'done', answer }

/** What every backend does that lets a mutation happen once. */
export function idempotencyConform (t: Test, open: (t: Test, settings?: Partial<IdempotencySettings>) => Promise<IdempotencyBackend>): void {
  t.test('the first claim is new, and its answer is everyone\'s', async t => {
    const { idempotency } = await open(t)
    t.same(await idempotency.claim('k', 'h'), { state: 'new' })
    await idempotency.complete('k', 'h', answer)
    t.same(await idempotency.claim('k', 'h'), done)
    t.same(await idempotency.claim('k', 'h'), done)
    t.same(await idempotency.claim('another', 'h'), { state: 'new' })
  })

  t.test('another body is a mismatch, under way and answered', async t => {
    const { idempotency } = await open(t)
    await idempotency.claim('k', 'h')
    t.same(await idempotency.claim('k', 'other'), { state: 'mismatch' })
    await idempotency.complete('k', 'h', answer)
    t.same(await idempotency.claim('k', 'other'), { state: 'mismatch' })
  })

  t.test('who comes while a claim is under way waits for its answer', async t => {
    const { idempotency } = await open(t)
    await idempotency.claim('k', 'h')
    let settled = 0
    const waiting = Array.from({ length: 10 }, () => idempotency.claim('k', 'h').finally(() => settled++))
    await sleep(60)
    t.equal(settled, 0)
    await idempotency.complete('k', 'h', answer)
    t.same(await Promise.all(waiting), waiting.map(() => done))
  })

  t.test('when a claim is abandoned, one of those who wait does the work', async t => {
    const { idempotency } = await open(t)
    await idempotency.claim('k', 'h')
    const waiting = Array.from({ length: 5 }, async () => {
      const claim = await idempotency.claim('k', 'h')
      if (claim.state === 'new') await idempotency.complete('k', 'h', answer)
      return claim.state
    })
    await idempotency.abandon('k', 'h')
    t.same((await Promise.all(waiting)).sort(), ['done', 'done', 'done', 'done', 'new'])
  })

  t.test('of 100 parallel claims one is new', async t => {
    const { idempotency } = await open(t)
    const states = await Promise.all(Array.from({ length: 100 }, async () => {
      const claim = await idempotency.claim('k', 'h')
      if (claim.state !== 'new') return claim
      await sleep(20)
      await idempotency.complete('k', 'h', answer)
      return claim
    }))
    t.equal(states.filter(({ state }) => state === 'new').length, 1)
    t.same(states.filter(({ state }) => state !== 'new'), Array(99).fill(done))
  })

  t.test('nobody waits for ever', async t => {
    const { idempotency } = await open(t, { waitMs: 100 })
    await idempotency.claim('k', 'h')
    const began = performance.now()
    await t.rejects(idempotency.claim('k', 'h'), { code: 'UNAVAILABLE', statusCode: 503 })
    t.ok(performance.now() - began < 10_000)
    await idempotency.complete('k', 'h', answer)
    t.same(await idempotency.claim('k', 'h'), done, 'the claim itself is not touched by who waits')
  })

  t.test('a claim without an answer lapses, and looking at it does not keep it', async t => {
    const { idempotency, pass } = await open(t, { waitMs: 0 })
    await idempotency.claim('k', 'h')
    await pass(20_000)
    await t.rejects(idempotency.claim('k', 'h'), { code: 'UNAVAILABLE' })
    t.same(await idempotency.claim('k', 'other'), { state: 'mismatch' })
    await pass(10_000)
    t.same(await idempotency.claim('k', 'other'), { state: 'new' })
  })

  t.test('an answer that comes after its claim has lapsed is kept, unless the key stands for another body by then', async t => {
    const { idempotency, pass } = await open(t)
    await idempotency.claim('k', 'h')
    await idempotency.claim('taken', 'h')
    await pass(30_000)
    await idempotency.complete('k', 'h', answer)
    t.same(await idempotency.claim('k', 'h'), done)
    await idempotency.claim('taken', 'other')
    await idempotency.complete('taken', 'h', answer)
    t.same(await idempotency.claim('taken', 'h'), { state: 'mismatch' })
    await idempotency.complete('taken', 'other', answer)
    t.same(await idempotency.claim('taken', 'other'), done)
  })

  t.test('answers live a day, and asking does not prolong it', async t => {
    const { idempotency, pass } = await open(t)
    await idempotency.claim('k', 'h')
    await idempotency.complete('k', 'h', answer)
    await pass(23 * 3600 * 1000)
    t.same(await idempotency.claim('k', 'h'), done)
    await pass(3600 * 1000)
    t.same(await idempotency.claim('k', 'h'), { state: 'new' })
  })

  t.test('the first answer stays', async t => {
    const { idempotency } = await open(t)
    await idempotency.claim('k', 'h')
    await idempotency.complete('k', 'h', answer)
    await idempotency.complete('k', 'h', { status: 409, body: '' })
    await idempotency.complete('k', 'other', { status: 409, body: '' })
    await idempotency.abandon('k', 'h')
    t.same(await idempotency.claim('k', 'h'), done)
  })

  t.test('only the claim of the same body is abandoned', async t => {
    const { idempotency } = await open(t, { waitMs: 0 })
    await idempotency.abandon('k', 'h')
    await idempotency.claim('k', 'h')
    await idempotency.abandon('k', 'other')
    await t.rejects(idempotency.claim('k', 'h'), { code: 'UNAVAILABLE' })
    await idempotency.abandon('k', 'h')
    t.same(await idempotency.claim('k', 'other'), { state: 'new' })
  })

  t.test('bodies come back as they were', async t => {
    const { idempotency } = await open(t)
    for (const body of ['', '{"name":"Zoë 🦉"}', 'a\r\nb\0c', '0', 'x'.repeat(100_000)]) {
      const key = `body of ${body.length} ${body[0]}`
      await idempotency.claim(key, 'h')
      await idempotency.complete(key, 'h', { status: 200, body })
      t.same(await idempotency.claim(key, 'h'), { state: 'done', answer: { status: 200, body } })
    }
  })
}
