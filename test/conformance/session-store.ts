import type { Test } from 'tap'
import type { SessionStatus } from '../../lib/sessions/schema.ts'
import { transitions, type Move } from '../../lib/sessions/transitions.ts'
import { make, plan, ttlSeconds, type OpenSessions } from './session-store-backends.ts'
import { groupsConform } from './session-store-groups.ts'
import { lifeConforms } from './session-store-life.ts'
import { slicesConform } from './session-store-slices.ts'

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
      endedAt: null,
      reason: null,
      teacherNotes: null
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
    for (const move of Object.keys(transitions) as Move[]) t.same(await store.transition('none', move), lost)
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
      await pass(lifeMs - 10_000)
      await call(id)
      await pass(20_000)
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

  lifeConforms(t, open)
  groupsConform(t, open)
  slicesConform(t, open)
}
