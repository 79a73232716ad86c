import { setTimeout as pause } from 'node:timers/promises'
import { Redis } from 'ioredis'
import t from 'tap'
import { createRedisChatStore } from '../../lib/classroom/store-redis.ts'
import { createRedisPresence } from '../../lib/classroom/presence-redis.ts'
import { createRedisCounters } from '../../lib/core/counters-redis.ts'
import { createRedisIdempotency } from '../../lib/core/idempotency-redis.ts'
import { createRedisJournal } from '../../lib/core/journal-redis.ts'
import { createRedisLeases } from '../../lib/core/leases-redis.ts'
import { createRedisGates } from '../../lib/guidance/gates-redis.ts'
import { createRedisGuidanceStore } from '../../lib/guidance/store-redis.ts'
import { createRedisSessionStore } from '../../lib/sessions/store-redis.ts'
import { age } from '../conformance/age.ts'
import { bounds, chatStoreConformance } from '../conformance/chat-store.ts'
import { countersConform } from '../conformance/counters.ts'
import { settingsOf } from '../conformance/gates.ts'
import { guidanceStoreLaw } from '../conformance/guidance-store.ts'
import { idempotencyConform } from '../conformance/idempotency.ts'
import { event } from '../conformance/journal.ts'
import { leasesConform } from '../conformance/leases.ts'
import { plan, redisBackend } from '../conformance/session-store-backends.ts'
import { sessionStoreConforms } from '../conformance/session-store.ts'
import { startRedis, useRedis } from '../redis.ts'
import { startProxy } from './proxy.ts'

/**
 * A client that lost its connection before the answer sends the command again, and Redis does it again. Each mutating
 * script must then do nothing more and say what it said. Fails without `once`, without the ids of events and
 * observations, without the names (`op`) of calls: 20 calls then count 40 times, or are refused by their own first half.
 */

const shared = (await useRedis(t)).client()
await shared.ping()

/** Every script runs twice, and only the second answer comes back. */
const twice = new Proxy(shared, {
  get (client, name) {
    const value = Reflect.get(client, name) as unknown
    if (name !== 'eval' && name !== 'evalsha') return typeof value === 'function' ? value.bind(client) as unknown : value
    return async (...args: [string, number, ...string[]]) => {
      const ask = client[name].bind(client)
      const [, second] = await Promise.all([ask(...args), ask(...args)])
      return second
    }
  }
})

// Its control: the same laws, asked once, in counters, idempotency and leases of test/lib/core, store-redis of
// test/lib/guidance and of test/lib/sessions, and store of test/lib/classroom.
t.test('the laws of the backends hold when all is asked twice', async t => {
  const emptied = async (): Promise<void> => { await shared.flushdb() }
  await t.test('counters', async t => countersConform(t, async () => {
    await emptied()
    return { counters: createRedisCounters({ client: () => twice, onUnavailable: cause => { throw cause } }), pass: ms => age(shared, ms) }
  }))
  await t.test('idempotency', async t => idempotencyConform(t, async (_, settings) => {
    await emptied()
    return { idempotency: createRedisIdempotency({ ...settings, client: () => twice }), pass: ms => age(shared, ms) }
  }))
  await t.test('leases', async t => leasesConform(t, async t => {
    await emptied()
    const leases = createRedisLeases({ client: () => twice, leaseMs: 3_600_000, onUnavailable: cause => { throw cause } })
    t.teardown(() => leases.close())
    return leases
  }))
  await t.test('guidance', async t => guidanceStoreLaw(t, async (_, ttlSeconds = 60) => {
    await emptied()
    return [createRedisGuidanceStore({ redis: () => twice, ttlSeconds }), createRedisGuidanceStore({ redis: () => twice, ttlSeconds })]
  }))
  await t.test('sessions', async t => sessionStoreConforms(t, async () => {
    await emptied()
    return redisBackend(twice)
  }))
  await t.test('chat', async t => {
    t.beforeEach(emptied)
    chatStoreConformance(t, (_, bounds) => createRedisChatStore(() => twice, bounds))
  })
})

t.test('twenty calls whose replies are lost on the way have twenty effects', async t => {
  const server = await startRedis(t)
  const proxy = await startProxy(t, server.port)
  const client = new Redis({ port: proxy.port, retryStrategy: () => 10 })
  client.on('error', () => {})
  t.teardown(() => client.disconnect())
  const admin = server.client()
  await Promise.all([client.ping(), admin.ping()])
  const calls = Array.from({ length: 20 }, (_, i) => i)
  let late = false
  const onUnavailable = (): void => { late = true }
  const gates = createRedisGates(settingsOf(), client, { onUnavailable })
  const counters = createRedisCounters({ client: () => client, onUnavailable })
  const journal = createRedisJournal({ client: () => client, ttlSeconds: 60 })
  const sessions = createRedisSessionStore({ redis: () => client, ttlSeconds: 60 })
  const chat = createRedisChatStore(() => client, { ...bounds, messages: 1_000 })
  const presence = createRedisPresence(() => client, { leaseMs: 60_000, graceMs: 1_000, idleAfterMs: 60_000, awayAfterMs: 120_000 })
  await sessions.create(plan('s', { groups: [{ groupId: 'a', name: 'A' }] }))
  await sessions.transition('s', 'start')
  const pupil = (name: string) => ({ kind: 'here', userId: name, seat: name, name: 'Ann', role: 'student' } as const)
  const content = { userId: 'ada', displayName: 'Ada', role: 'student', message: 'Hello', reactions: {} }
  const ofAll = (turn: string) => ({ sessionId: 's', groupId: turn })

  /** What is asked in a turn, as the call of a name; then what came of twenty. */
  const table: Record<string, { ask: (turn: string, name: string) => Promise<unknown>, effect: (answers: unknown[], turn: string) => unknown }> = {
    'a limit counts': { ask: async turn => await counters.take(turn, 20, 60_000), effect: async (answers, turn) => await counters.take(turn, 20, 60_000).then(one => one.allowed ? 'more' : allowed(answers)) },
    'events are kept': { ask: async turn => await journal.append(event({}, { home: turn })), effect: async (_, turn) => (await journal.position('/sessions', turn)).offset },
    'attention passes': { ask: async (_, name) => await gates.attention({ ...ofAll(name), score: 50 }), effect: allowed },
    'prompts cool down': { ask: async (_, name) => await gates.cooldown(ofAll(name)), effect: allowed },
    'prompts are new': { ask: async (_, name) => await gates.dedupe({ ...ofAll(name), category: 'c', message: 'm' }), effect: allowed },
    'shifts pass': { ask: async (_, name) => await gates.tier2Shift(ofAll(name)), effect: allowed },
    'snapshots are the first': { ask: async (_, name) => await gates.tier2Snapshot({ ...ofAll(name), snapshot: { learningSignals: 1 } }), effect: count<{ previous: unknown }>(one => one.previous === null) },
    'samples count': { ask: async turn => await gates.energy({ ...ofAll(turn), sample: 5 }), effect: async (_, turn) => Number(await admin.hget(`guidance:energy:stats:s:${turn}`, 'count')) },
    'acknowledgements count': { ask: async turn => await gates.acknowledge(ofAll(turn)), effect: async (_, turn) => Math.round((await gates.promptPressure(ofAll(turn))).ackCount) },
    'outcomes count': { ask: async turn => await gates.promptStats({ templateKey: turn, outcome: 1 }), effect: async (_, turn) => (await gates.promptStats({ templateKey: turn })).observationCount },
    'slices are new': { ask: async (_, name) => await sessions.append('s', [{ id: name, groupId: 'a', text: 'x' }]), effect: count<{ accepted: unknown[] }>(one => one.accepted.length === 1) },
    'pupils are enrolled': { ask: async (_, name) => await sessions.enrol('s', { userId: name, displayName: 'Ann', role: 'student' }), effect: count<{ created: boolean }>(one => one.created) },
    'pupils are present': { ask: async (_, name) => await presence.apply('s', [pupil(name)]), effect: count<{ changes: unknown[] }>(one => one.changes.length === 1) },
    'messages are published': { ask: async (_, name) => await chat.post('s', { messageId: name, content, rank: 'student', bytes: 0 }), effect: count<{ verdict: string }>(one => one.verdict === 'published') },
    'readers move on': { ask: async (_, name) => await chat.read('s', name, 1, false), effect: count<{ changed: boolean }>(one => one.changed) }
  }

  /** How many scripts Redis was told to run so far. */
  const asked = async (): Promise<number> => [...(await admin.info('commandstats')).matchAll(/cmdstat_eval(?:sha)?:calls=(\d+)/g)].reduce((sum, [, calls]) => sum + Number(calls), 0)

  for (const [what, { ask, effect }] of Object.entries(table)) {
    await Promise.allSettled(calls.map(async i => await ask('first', `first-${i}`))) // so that Redis knows the scripts
    // A gate waits a quarter of a second, a store a second; where that was not enough the turn is taken again.
    let usual = 0
    for (let turn = 1, done = false; !done; turn++) {
      late = false
      const before = await asked()
      const answers = await Promise.allSettled(calls.map(async i => await ask(`control-${turn}`, `control-${turn}-${i}`)))
      usual = await asked() - before
      const answered = answers.flatMap(one => one.status === 'fulfilled' ? [one.value] : [])
      const came = await effect(answered, `control-${turn}`)
      done = (answered.length === 20 && !late) || turn === 20
      if (done) t.equal(came, 20, `control: ${what}`)
    }
    for (let turn = 1, done = false; !done; turn++) {
      late = false
      await client.ping()
      const begun = await asked()
      proxy.loseReplies()
      const calling = Promise.allSettled(calls.map(async i => await ask(`turn-${turn}`, `turn-${turn}-${i}`)))
      // Until Redis has been told: what is cut off before would only be said once.
      for (const end = performance.now() + 5_000; await asked() === begun && performance.now() < end;) await pause(2)
      await pause(5)
      proxy.heal()
      const answers = (await calling).flatMap(one => one.status === 'fulfilled' ? [one.value] : [])
      const commands = await asked() - begun
      const came = await effect(answers, `turn-${turn}`)
      done = (answers.length === 20 && !late && commands > usual) || turn === 20
      if (done) t.equal(came, 20, what)
      if (done) t.ok(commands > usual, `Redis was asked again: ${commands} commands, ${usual} without a fault`)
    }
  }
})

function count<A> (fits: (answer: A) => boolean): (answers: unknown[]) => number { return answers => answers.filter(one => fits(one as A)).length }
const allowed = count<{ allowed: boolean }>(one => one.allowed)
