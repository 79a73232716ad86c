import type { Test } from 'tap'
import type { Session, SessionStatus } from '../../lib/sessions/schema.ts'
import type { NewSession, SessionStore } from '../../lib/sessions/store.ts'
import { allows, transitions, type Move } from '../../lib/sessions/transitions.ts'
import { ttlSeconds, type SessionBackend } from './session-store-backends.ts'
import { groupsConform } from './session-store-groups.ts'
import { slicesConform } from './session-store-slices.ts'

export type OpenSessions = (t: Test) => Promise<SessionBackend>

export function plan (sessionId: string, more: Partial<NewSession> = {}): NewSession {
  return {
    sessionId,
    code: `C-${sessionId}`,
    teacherId: 'teacher',
    topic: 'Rivers',
    goal: null,
    subject: null,
    plannedDurationMinutes: null,
    requireGroupsReady: false,
    groups: [],
    ...more
  }
}

/** Creates a session and takes it through these moves. */
export async function make (store: SessionStore, sessionId: string, more: Partial<NewSession> = {}, ...moves: Move[]): Promise<Session> {
  let session = await store.create(plan(sessionId, more))
  if (session === 'code-taken') throw new Error(`the code of ${sessionId} is taken`)
  for (const move of moves) {
    const moved = await store.transition(sessionId, move)
    if (!moved.ok) throw new Error(`${sessionId} could not ${move}: ${moved.reason}`)
    session = moved.session
  }
  return session
}

const pathTo: Record<SessionStatus, Move[]> = {
  created: [], active: ['start'], paused: ['start', 'pause'], ending: ['start', 'end'], ended: ['end', 'finish']
}
const moves = Object.keys(transitions) as Move[]
const lifeMs = ttlSeconds * 1000

/** What every store of sessions does. */
export function sessionStoreConforms (t: Test, open: OpenSessions): void {
  t.test('a new session is stored whole', async t => {
    const { store } = await open(t)
    const given = plan('s1', {
      goal: 'why they bend',
      subject: 'geography',
      plannedDurationMinutes: 45,
      requireGroupsReady: true,
      groups: [{ groupId: 'g1', name: 'Red', leaderId: 'ann', memberIds: ['ann', 'bob'] }, { groupId: 'g0', name: 'Blue' }]
    })
    const session = await store.create(given)
    if (session === 'code-taken') return t.fail('nobody has this code')
    const said = { status: 'waiting', isReady: false, issueReason: null }
    t.same(session, {
      ...given,
      status: 'created',
      version: 1,
      groups: [
        { groupId: 'g1', name: 'Red', leaderId: 'ann', memberIds: ['ann', 'bob'], ...said },
        { groupId: 'g0', name: 'Blue', leaderId: null, memberIds: [], ...said }
      ],
      participants: [],
      createdAt: session.createdAt,
      startedAt: null,
      pausedAt: null,
      endedAt: null
    })
    t.match(session.createdAt, /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/)
    t.same(await store.get('s1'), session)
    t.same(await store.byCode('C-s1'), session)
    t.same(await store.create(given), session, 'repeating the call changes nothing')
    await t.rejects(store.create({ ...given, topic: 'Lakes' }), { code: 'INVALID_PAYLOAD' }, 'the id is in use')
    await t.rejects(store.create(plan('s2', { groups: [{ groupId: 'g', name: 'a' }, { groupId: 'g', name: 'b' }] })), { code: 'INVALID_PAYLOAD' })
    t.same(await store.get('s2'), null, 'nothing was stored')
  })

  t.test('what is not there is said to be not there', async t => {
    const { store } = await open(t)
    t.same(await store.get('none'), null)
    t.same(await store.byCode('none'), null)
    t.same(await store.list({ limit: 10 }), { sessions: [], nextCursor: null })
    t.same(await store.slices('none', { limit: 10 }), { slices: [], nextAfter: null })
    const lost = { ok: false, reason: 'not-found' }
    for (const move of moves) t.same(await store.transition('none', move), lost)
    t.same(await store.finishOverdue('none'), lost)
    t.same(await store.setGroups('none', []), lost)
    t.same(await store.updateGroup('none', 'g', { isReady: true }), lost)
    t.same(await store.enrol('none', { userId: 'u', displayName: 'U', role: 'student' }), lost)
    t.same(await store.append('none', []), lost)
  })

  t.test('a code opens one live session', async t => {
    const { store, pass } = await open(t)
    await make(store, 's1', { code: 'RIVER' })
    t.equal(await store.create(plan('s2', { code: 'RIVER' })), 'code-taken')
    t.same(await store.get('s2'), null, 'nothing was stored')
    await store.transition('s1', 'end')
    t.equal((await store.byCode('RIVER'))?.sessionId, 's1', 'a session that is ending can still be found')
    t.equal(await store.create(plan('s2', { code: 'RIVER' })), 'code-taken')
    await store.transition('s1', 'finish')
    t.same(await store.byCode('RIVER'), null, 'the code dies with the session')
    await make(store, 's2', { code: 'RIVER' })
    t.equal((await store.byCode('RIVER'))?.sessionId, 's2')
    t.equal((await store.get('s1'))?.code, 'RIVER')
    await pass(lifeMs)
    await make(store, 's3', { code: 'RIVER' })
    t.equal((await store.byCode('RIVER'))?.sessionId, 's3', 'an expired session has no code')
  })

  t.test('of two sessions that want one code at once, one gets it', async t => {
    const { store } = await open(t)
    const ids = Array.from({ length: 10 }, (_, i) => `s${i}`)
    const made = await Promise.all(ids.map(id => store.create(plan(id, { code: 'RIVER' }))))
    t.equal(made.filter(one => one !== 'code-taken').length, 1)
    t.equal((await store.list({ limit: 10 })).sessions.length, 1)
  })

  t.test('each move from each status', async t => {
    const { store } = await open(t)
    for (const status of Object.keys(pathTo) as SessionStatus[]) {
      for (const move of moves) {
        const id = `${status}-${move}`
        const before = await make(store, id, {}, ...pathTo[status])
        t.equal(before.status, status)
        const result = await store.transition(id, move)
        const { to } = transitions[move]
        if (allows(move, status)) {
          const session = await store.get(id)
          t.same(result, { ok: true, from: status, session }, `${move} leads from ${status}`)
          t.same([session?.status, session?.version], [to, before.version + 1])
        } else {
          t.same(result, { ok: false, reason: 'invalid', from: status, to, session: before }, `${move} does not lead from ${status}`)
          t.same(await store.get(id), before)
        }
      }
    }
  })

  t.test('the first start stays; a pause is told while it lasts', async t => {
    const { store, pass } = await open(t)
    const session = await make(store, 's1', {}, 'start', 'pause')
    t.ok(session.startedAt && session.pausedAt)
    await pass(5)
    const resumed = await store.transition('s1', 'start')
    t.match(resumed, { ok: true, session: { startedAt: session.startedAt, pausedAt: null, endedAt: null } })
    await store.transition('s1', 'pause')
    await store.transition('s1', 'end')
    t.match(await store.get('s1'), { pausedAt: /Z$/, endedAt: null })
    await store.transition('s1', 'finish')
    t.match(await store.get('s1'), { startedAt: session.startedAt, pausedAt: /Z$/, endedAt: /Z$/ })
  })

  t.test('of racing moves one wins', async t => {
    const { store } = await open(t)
    await make(store, 's1', {}, 'start')
    const results = await Promise.all(Array.from({ length: 20 }, (_, i) => store.transition('s1', i % 2 ? 'pause' : 'end')))
    const winners = results.filter(result => result.ok)
    t.ok(winners.length === 1 || (winners.length === 2 && winners[0]?.session.status === 'paused'), 'one pause at most, then one end')
    t.equal((await store.get('s1'))?.version, 2 + winners.length)
  })

  t.test('the first start waits for the groups, when that is asked for', async t => {
    const { store } = await open(t)
    const groups = ['g1', 'g2'].map(groupId => ({ groupId, name: groupId }))
    const session = await make(store, 's1', { groups, requireGroupsReady: true })
    t.same(await store.transition('s1', 'start'), { ok: false, reason: 'groups-not-ready', session })
    await store.updateGroup('s1', 'g1', { isReady: true })
    t.match(await store.transition('s1', 'start'), { ok: false, reason: 'groups-not-ready' })
    await store.updateGroup('s1', 'g2', { isReady: true })
    t.match(await store.transition('s1', 'start'), { ok: true, session: { version: 2 } })
    await store.transition('s1', 'pause')
    await store.updateGroup('s1', 'g2', { isReady: false })
    t.match(await store.transition('s1', 'start'), { ok: true }, 'a class that has begun goes on')
    t.match(await store.transition((await make(store, 's2', { requireGroupsReady: true })).sessionId, 'start'), { ok: true }, 'no groups, none to wait for')
  })

  t.test('a session that was left ending is finished by one of those who meet it', async t => {
    const { store, pass } = await open(t)
    const session = await make(store, 's1', {}, 'start', 'end')
    t.same(await store.finishOverdue('s1'), { ok: false, reason: 'invalid', from: 'ending', to: 'ended', session })
    await pass(10_100)
    const results = await Promise.all([1, 2, 3, 4, 5].map(() => store.finishOverdue('s1')))
    t.equal(results.filter(result => result.ok).length, 1)
    t.match(await store.get('s1'), { status: 'ended', version: 4 })
    await make(store, 's2', {}, 'start')
    await pass(20_000)
    t.match(await store.finishOverdue('s2'), { ok: false, reason: 'invalid', from: 'active' })
  })

  t.test('an accepted write renews a session whole; what changes nothing does not', async t => {
    const { store, pass } = await open(t)
    const slice = { id: 'a', groupId: 'g1', text: 'hello' }
    const writes: ((id: string) => Promise<unknown>)[] = [
      id => store.transition(id, 'pause'),
      id => store.setGroups(id, [{ groupId: 'g1', name: 'Red' }]),
      id => store.updateGroup(id, 'g1', { status: 'issue' }),
      id => store.enrol(id, { userId: 'new', displayName: 'New', role: 'student' }),
      id => store.append(id, [{ ...slice, id: 'b' }])
    ]
    const idle: ((id: string) => Promise<unknown>)[] = [
      id => store.get(id),
      id => store.byCode(`C-${id}`),
      () => store.list({ limit: 10 }),
      id => store.transition(id, 'finish'),
      id => store.finishOverdue(id),
      id => store.updateGroup(id, 'g1', { status: 'waiting' }),
      id => store.updateGroup(id, 'none', { status: 'issue' }),
      id => store.enrol(id, { userId: 'old', displayName: 'Old', role: 'student' }),
      id => store.append(id, [slice]),
      id => store.slices(id, { limit: 10 })
    ]
    for (const [i, call] of [...writes, ...idle].entries()) {
      const id = `s${i}`
      await make(store, id, { groups: [{ groupId: 'g1', name: 'Red' }] }, 'start')
      await store.enrol(id, { userId: 'old', displayName: 'Old', role: 'student' })
      await store.append(id, [slice])
      await pass(lifeMs - 500)
      await call(id)
      await pass(1000)
      const renewed = i < writes.length
      t.equal(await store.get(id) !== null, renewed, `${call} ${renewed ? 'renews' : 'renews nothing'}`)
      t.equal(await store.byCode(`C-${id}`) !== null, renewed)
      t.equal((await store.list({ limit: 10 })).sessions.length, Number(renewed))
      t.equal((await store.list({ limit: 10, teacherId: 'teacher' })).sessions.length, Number(renewed))
      t.equal((await store.slices(id, { limit: 10 })).slices.length > 0, renewed)
      await pass(lifeMs)
    }
  })

  t.test('sessions are listed newest first, page by page', async t => {
    const { store, pass } = await open(t)
    for (let i = 0; i < 7; i++) {
      await make(store, `s${i}`, { teacherId: i % 3 === 0 ? 'other' : 'teacher' }, ...i % 2 ? ['start' as const] : [])
      await pass(1)
    }
    const pages = async (filter: { teacherId?: string, status?: SessionStatus }, limit: number): Promise<string[][]> => {
      const found: string[][] = []
      for (let cursor: string | undefined, more = true; more;) {
        const page = await store.list({ ...filter, limit, ...(cursor !== undefined && { cursor }) })
        found.push(page.sessions.map(session => session.sessionId))
        more = page.nextCursor !== null
        cursor = page.nextCursor ?? undefined
      }
      return found
    }
    t.same(await pages({}, 3), [['s6', 's5', 's4'], ['s3', 's2', 's1'], ['s0']])
    t.same(await pages({}, 7), [['s6', 's5', 's4', 's3', 's2', 's1', 's0']])
    t.same(await pages({ teacherId: 'teacher' }, 2), [['s5', 's4'], ['s2', 's1']])
    t.same(await pages({ status: 'active' }, 2), [['s5', 's3'], ['s1']])
    t.same(await pages({ teacherId: 'other', status: 'active' }, 5), [['s3']])
    t.same(await pages({ teacherId: 'nobody' }, 5), [[]])

    const first = await store.list({ limit: 2 })
    await make(store, 's7')
    const second = await store.list({ limit: 2, cursor: first.nextCursor ?? '' })
    t.same(second.sessions.map(session => session.sessionId), ['s4', 's3'], 'a new session does not shift the pages')
    t.same(await store.list({ limit: 2, cursor: '' }), { sessions: [], nextCursor: null })
    t.match(await store.list({ limit: 1, cursor: '\u{10ffff}' }), { sessions: [{ sessionId: 's7' }] })
  })

  t.test('what a caller does to an answer stays with the caller', async t => {
    const { store } = await open(t)
    const session = await make(store, 's1', { groups: [{ groupId: 'g1', name: 'Red', memberIds: ['ann'] }] }, 'start')
    await store.append('s1', [{ id: 'a', groupId: 'g1', text: 'hello' }])
    const kept = structuredClone([session, await store.slices('s1', { limit: 1 })])
    session.status = 'ended'
    session.groups[0]?.memberIds.push('bob')
    session.groups.pop()
    const [slice] = (await store.slices('s1', { limit: 1 })).slices
    if (slice) slice.text = 'changed'
    t.same([await store.get('s1'), await store.slices('s1', { limit: 1 })], kept)
  })

  groupsConform(t, open)
  slicesConform(t, open)
}
