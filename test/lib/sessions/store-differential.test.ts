import { isDeepStrictEqual } from 'node:util'
import fc from 'fast-check'
import t from 'tap'
import { sessionStatuses, type GroupPlan } from '../../../lib/sessions/schema.ts'
import type { GroupChange, NewSession, SessionStore } from '../../../lib/sessions/store.ts'
import { allows, transitions, type Move } from '../../../lib/sessions/transitions.ts'
import { make, memoryBackend, plan, redisBackend, type SessionBackend } from '../../conformance/session-store-backends.ts'
import { tellsOfLate, unlessLate } from '../../late.ts'
import { useRedis } from '../../redis.ts'

const server = await useRedis(t)
const clients = [server.client(), server.client()] as const
const histories = 600
const moves = Object.keys(transitions) as Move[]

// Every wait is a hundred seconds or more and life is a multiple of that, so that what a history itself takes decides nothing.
const lifeSeconds = 3600

const said = ['2020-01-05T08:00:00.000Z', '2020-01-05T08:00:30.500Z']
const text = fc.oneof(fc.string({ unit: 'binary', maxLength: 6 }), fc.constantFrom('', '\ud800', '{}', '[]', 'null', '" \\', '1 2', '\u0000'))
const groupId = fc.constantFrom('1', '2', 'a.b', '__proto__')
const user = fc.constantFrom('ann', 'bob', 'cid', 'constructor', '7')
const group: fc.Arbitrary<GroupPlan & { groupId: string }> = fc.record({
  groupId, name: text, leaderId: fc.option(user), memberIds: fc.uniqueArray(user, { maxLength: 3 })
}, { requiredKeys: ['groupId', 'name'] })
const groups = fc.oneof({ weight: 9, arbitrary: fc.uniqueArray(group, { maxLength: 4, selector: one => one.groupId }) }, { weight: 1, arbitrary: fc.array(group, { maxLength: 3 }) })
const change: fc.Arbitrary<GroupChange> = fc.record({
  status: fc.constantFrom('waiting', 'issue', 'ready'), isReady: fc.boolean(), issueReason: fc.option(text)
}, { requiredKeys: [] })
const slice = fc.record({
  id: fc.constantFrom('a', 'b', 'c', 'd', 'e', 'f', '9', '__proto__'),
  groupId,
  text,
  startedAt: fc.constantFrom(...said),
  endedAt: fc.constantFrom(...said),
  speaker: text,
  confidence: fc.double({ min: 0, max: 1, noNaN: true })
}, { requiredKeys: ['id', 'groupId', 'text'] })

/** One step of a history; `which` picks one of the sessions so far, or one that never was. */
type Step = { label: string, run: (backend: SessionBackend, pick: string, next: string) => Promise<unknown> }

function step<T> (label: string, values: fc.Arbitrary<T>, run: (store: SessionStore, values: T, pick: string, next: string) => Promise<unknown>): fc.Arbitrary<Step> {
  return values.map(given => ({
    label: `${label} ${JSON.stringify(given)}`,
    run: ({ store }, pick, next) => run(store, given, pick, next)
  }))
}

const nothing = fc.constant({})
const newPlan = fc.record({
  code: fc.constantFrom('RED', 'SEA', 'SKY'),
  teacherId: fc.constantFrom('t1', 't2'),
  topic: text,
  goal: fc.option(text),
  plannedDurationMinutes: fc.option(fc.integer({ min: 1, max: 480 })),
  requireGroupsReady: fc.boolean(),
  groups
})
const steps: fc.Arbitrary<Step> = fc.oneof(
  { weight: 3, arbitrary: step('create', newPlan, (store, given, _, next) => store.create(plan(next, given))) },
  { weight: 1, arbitrary: step('create again', newPlan, createAgain) },
  { weight: 2, arbitrary: step('get', nothing, (store, _, pick) => store.get(pick)) },
  { weight: 2, arbitrary: step('byCode', fc.constantFrom('RED', 'SEA', 'SKY', 'NONE'), (store, code) => store.byCode(code)) },
  { weight: 2, arbitrary: step('list', fc.record({ teacherId: fc.constantFrom('t1', 't2'), status: fc.constantFrom(...sessionStatuses), limit: fc.integer({ min: 1, max: 3 }) }, { requiredKeys: ['limit'] }), listAll) },
  { weight: 6, arbitrary: step('move', fc.constantFrom(...moves), (store, move, pick) => store.transition(pick, move)) },
  { weight: 1, arbitrary: step('finish overdue', nothing, (store, _, pick) => store.finishOverdue(pick)) },
  { weight: 3, arbitrary: step('groups', groups, (store, given, pick) => store.setGroups(pick, given)) },
  { weight: 3, arbitrary: step('group', fc.tuple(groupId, change), (store, [id, given], pick) => store.updateGroup(pick, id, given)) },
  {
    weight: 4,
    arbitrary: step('enrol', fc.tuple(user, fc.option(groupId, { nil: undefined }), text), (store, [userId, into, displayName], pick) =>
      store.enrol(pick, { userId, displayName, role: 'student', ...(into !== undefined && { groupId: into }) }))
  },
  { weight: 4, arbitrary: step('append', fc.array(slice, { maxLength: 4 }), (store, given, pick) => store.append(pick, given)) },
  { weight: 3, arbitrary: step('slices', fc.record({ groupId, after: fc.nat(8), limit: fc.integer({ min: 1, max: 4 }) }, { requiredKeys: ['limit'] }), (store, page, pick) => store.slices(pick, page)) },
  { weight: 2, arbitrary: fc.constantFrom(100_000, 1_800_000, 3_500_000).map(ms => ({ label: `wait ${ms}`, run: (backend: SessionBackend) => backend.pass(ms) })) },
  { weight: 1, arbitrary: fc.constant({ label: 'script flush', run: async () => { await clients[0].script('FLUSH') } }) }
)

/** A plan under an id that is in use; a free one would break the order of the ids. */
async function createAgain (store: SessionStore, given: Partial<NewSession>, pick: string): Promise<unknown> {
  return await store.get(pick) === null ? null : await store.create(plan(pick, given))
}

/** Every page of a list; the cursors themselves hold times. */
async function listAll (store: SessionStore, filter: Omit<Parameters<SessionStore['list']>[0], 'cursor'>): Promise<unknown> {
  const pages = []
  for (let cursor: string | null | undefined; cursor !== null;) {
    const page = await store.list({ ...filter, ...(cursor !== undefined && { cursor }) })
    pages.push(page.sessions)
    cursor = page.nextCursor
  }
  return pages
}

/** An answer, or the code of its error, without the times that a clock gave. */
async function answer (asked: Promise<unknown>): Promise<unknown> {
  const given = await asked.catch((error: { code?: string }) => {
    if (error.code === undefined || tellsOfLate(error)) throw error
    return { error: error.code }
  })
  return JSON.parse(JSON.stringify(given ?? null, (name, value: unknown) =>
    /At$/.test(name) && typeof value === 'string' && !said.includes(value) ? 'a time' : value))
}

t.test('memory and Redis give the same answers', async t => {
  await fc.assert(fc.asyncProperty(fc.array(fc.tuple(steps, fc.nat(3)), { minLength: 1, maxLength: 30, size: 'max' }), async history => await unlessLate(async () => {
    await clients[0].flushdb()
    const backends = [memoryBackend(lifeSeconds), redisBackend(clients[0], lifeSeconds)] as const
    const log: string[] = []
    let made = 0
    for (const [{ label, run }, which] of history) {
      // Ids grow, so that sessions which two clocks put into one or two milliseconds have one order all the same.
      const next = `s${String(made + 1).padStart(4, '0')}`
      const pick = `s${String(Math.max(0, made - which)).padStart(4, '0')}`
      const [memory, redis] = await Promise.all(backends.map(backend => answer(run(backend, pick, next))))
      log.push(`${label} at ${pick}`)
      if ((await backends[0].store.get(next)) !== null) made++
      if (!isDeepStrictEqual(memory, redis)) {
        throw new Error(`${log.join('\n')}\nmemory: ${fc.stringify(memory)}\nredis:  ${fc.stringify(redis)}`)
      }
    }
  })), { numRuns: histories })
  t.pass(`${histories} histories`)
})

t.test('racing moves: versions without a gap, one winner each, nothing leaves the end', async t => {
  const schedule = fc.array(fc.array(fc.constantFrom(...moves), { minLength: 1, maxLength: 5 }), { maxLength: 6 })
  const memory = memoryBackend().store
  const stores = { memory: [memory, memory], redis: clients.map(client => redisBackend(client).store) }
  for (const [name, [one, two]] of Object.entries(stores)) {
    let run = 0
    await fc.assert(fc.asyncProperty(schedule, async rounds => {
      if (!one || !two) throw new Error('there are two stores')
      const id = `race-${run++}`
      await make(one, id)
      let status = 'created'
      let version = 1
      for (const round of rounds) {
        const results = await Promise.all(round.map((move, i) => (i % 2 ? one : two).transition(id, move).then(result => ({ move, result }))))
        const accepted = results.flatMap(({ move, result }) => result.ok ? [{ move, ...result }] : []).sort((a, b) => a.session.version - b.session.version)
        for (const { move, from, session } of accepted) {
          if (from !== status || !allows(move, from) || session.status !== transitions[move].to || session.version !== version + 1) {
            throw new Error(`${move} led from ${from} (${status}, ${version}) to ${session.status} (${session.version})`)
          }
          status = session.status
          version = session.version
        }
        const now = await two.get(id)
        if (now?.status !== status || now.version !== version) throw new Error(`${now?.status} ${now?.version} is stored, ${status} ${version} was answered`)
      }
    }), { numRuns: 100 })
    t.pass(name)
  }
})
