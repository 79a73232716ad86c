import type { Test } from 'tap'
import type { Session } from '../../lib/sessions/schema.ts'
import { storeBounds, type SessionStore } from '../../lib/sessions/store.ts'
import { make, type OpenSessions } from './session-store-backends.ts'

const pupil = (userId: string, groupId?: string) => ({ userId, displayName: userId.toUpperCase(), role: 'student', ...(groupId !== undefined && { groupId }) })

/** Who sits where: groups with their members, and who takes part, with their groups. */
function seats (session: Session | null): unknown {
  return {
    groups: Object.fromEntries(session?.groups.map(group => [group.groupId, group.memberIds.join(' ')]) ?? []),
    people: session?.participants.map(one => `${one.userId}@${one.groupId}`).join(' ')
  }
}

async function seatsOf (store: SessionStore, sessionId: string): Promise<unknown> { return seats(await store.get(sessionId)) }

/** What every store of sessions does with groups and participants. */
export function groupsConform (t: Test, open: OpenSessions): void {
  t.test('a pupil joins the group that was asked for, else the planned one, else the smallest', async t => {
    const { store } = await open(t)
    await make(store, 's1', {
      groups: [
        { groupId: '1', name: 'One', leaderId: 'lea', memberIds: ['ann', 'bob'] },
        { groupId: '2', name: 'Two', memberIds: ['cid'] },
        { groupId: '3', name: 'Three', leaderId: 'max' }
      ]
    })
    const enrolled = await store.enrol('s1', pupil('ann'))
    t.match(enrolled, { ok: true, created: true, participant: { userId: 'ann', displayName: 'ANN', role: 'student', groupId: '1', joinedAt: /Z$/ } })
    t.same(enrolled.ok && enrolled.session, await store.get('s1'))
    const places: [string, string | undefined, string][] = [
      ['max', undefined, '3'], ['lea', undefined, '1'], ['eva', undefined, '2'], ['fay', undefined, '3'], ['gus', undefined, '2'], ['bob', '3', '3'], ['hal', '1', '1']
    ]
    for (const [userId, asked, expected] of places) {
      t.match(await store.enrol('s1', pupil(userId, asked)), { ok: true, created: true, participant: { groupId: expected } }, userId)
    }
    t.same(await seatsOf(store, 's1'), {
      groups: { 1: 'ann lea hal', 2: 'cid eva gus', 3: 'max fay bob' },
      people: 'ann@1 max@3 lea@1 eva@2 fay@3 gus@2 bob@3 hal@1'
    })
    t.same(await store.enrol('s1', pupil('new', 'none')), { ok: false, reason: 'group-not-found' })
    const again = await store.enrol('s1', { ...pupil('ann', '2'), displayName: 'Other' })
    t.match(again, { ok: true, created: false, participant: { displayName: 'ANN', groupId: '1' } }, 'who is in stays as they are')
  })

  t.test('without groups a pupil has none', async t => {
    const { store } = await open(t)
    await make(store, 's1')
    t.match(await store.enrol('s1', pupil('ann')), { ok: true, participant: { groupId: null } })
  })

  t.test('a class that joins at once is spread evenly, each pupil once', async t => {
    const { store } = await open(t)
    await make(store, 's1', { groups: ['a', 'b', 'c', 'd', 'e', 'f'].map(groupId => ({ groupId, name: groupId })) })
    const pupils = Array.from({ length: 30 }, (_, i) => pupil(`p${i}`))
    const results = await Promise.all([...pupils, ...pupils].map(one => store.enrol('s1', one)))
    t.equal(results.filter(result => result.ok && result.created).length, 30)
    const session = await store.get('s1')
    t.equal(session?.participants.length, 30)
    t.same(session?.groups.map(group => group.memberIds.length), [5, 5, 5, 5, 5, 5])
  })

  t.test('a session has room for so many', async t => {
    const { store } = await open(t)
    await make(store, 's1')
    for (let i = 0; i < storeBounds.participants; i += 5) {
      await Promise.all(Array.from({ length: 5 }, (_, j) => store.enrol('s1', pupil(`p${i + j}`))))
    }
    t.same(await store.enrol('s1', pupil('late')), { ok: false, reason: 'full' })
    t.match(await store.enrol('s1', pupil('p7')), { ok: true, created: false })
    t.equal((await store.get('s1'))?.participants.length, storeBounds.participants)
  })

  t.test('new groups replace the old ones', async t => {
    const { store } = await open(t)
    await make(store, 's1', {
      groups: [{ groupId: 'a', name: 'A', memberIds: ['ann', 'planned'] }, { groupId: 'b', name: 'B', memberIds: ['bob', 'away'] }, { groupId: 'c', name: 'C' }]
    })
    for (const one of [pupil('ann'), pupil('bob'), pupil('cid', 'c'), pupil('dot', 'a')]) await store.enrol('s1', one)
    await store.updateGroup('s1', 'a', { status: 'issue', isReady: true, issueReason: 'no sound' })
    await store.updateGroup('s1', 'b', { status: 'ready' })
    const before = await store.get('s1')

    const result = await store.setGroups('s1', [
      { groupId: 'd', name: 'D', leaderId: 'dot', memberIds: ['eve'] },
      { groupId: 'a', name: 'A2', memberIds: ['cid', 'eve'] }
    ])
    t.ok(result.ok)
    const session = await store.get('s1')
    t.same(result, { ok: true, session, before })
    t.same(seats(session), { groups: { d: 'eve dot', a: 'ann cid' }, people: 'ann@a bob@null cid@a dot@d' })
    t.match(session?.groups, [
      { groupId: 'd', name: 'D', leaderId: 'dot', status: 'waiting', isReady: false, issueReason: null },
      { groupId: 'a', name: 'A2', leaderId: null, status: 'issue', isReady: true, issueReason: 'no sound' }
    ], 'a group that stays keeps what is said of it')
    t.equal(session?.version, 1, 'only a transition is a new version')

    await store.setGroups('s1', [])
    t.same(await seatsOf(store, 's1'), { groups: {}, people: 'ann@null bob@null cid@null dot@null' })
    await store.setGroups('s1', [{ groupId: 'a', name: 'A' }])
    t.match((await store.get('s1'))?.groups, [{ status: 'waiting', isReady: false, issueReason: null }], 'a group that comes back is new')
    t.match(await store.enrol('s1', pupil('ann')), { ok: true, created: false, participant: { groupId: null } })
    t.match(await store.enrol('s1', pupil('fay')), { ok: true, participant: { groupId: 'a' } })

    const kept = await store.get('s1')
    await t.rejects(store.setGroups('s1', [{ groupId: 'x', name: '1' }, { groupId: 'x', name: '2' }]), { code: 'INVALID_PAYLOAD' })
    t.same(await store.get('s1'), kept)
  })

  t.test('a group is told of as it changes', async t => {
    const { store } = await open(t)
    const { groups: [first] } = await make(store, 's1', { groups: [{ groupId: 'a', name: 'A', memberIds: ['ann'] }, { groupId: 'b', name: 'B' }] })
    const change = async (values: Parameters<SessionStore['updateGroup']>[2]) => await store.updateGroup('s1', 'a', values)
    t.same(await change({ status: 'issue', issueReason: 'no sound' }), { ok: true, changed: true, group: { ...first, status: 'issue', issueReason: 'no sound' } })
    t.match(await change({ status: 'issue', issueReason: 'no sound', isReady: false }), { ok: true, changed: false })
    t.match(await change({}), { ok: true, changed: false, group: { status: 'issue', issueReason: 'no sound' } })
    t.match(await change({ issueReason: '' }), { ok: true, changed: true, group: { issueReason: '' } })
    t.match(await change({ issueReason: null, isReady: true }), { ok: true, changed: true, group: { status: 'issue', isReady: true, issueReason: null } })
    t.match(await change({ issueReason: null }), { ok: true, changed: false })
    t.match((await store.get('s1'))?.groups, [{ status: 'issue', isReady: true }, { status: 'waiting', isReady: false }])
    t.same(await store.updateGroup('s1', 'none', { isReady: true }), { ok: false, reason: 'group-not-found' })
    const both = await Promise.all([1, 2, 3].map(() => store.updateGroup('s1', 'b', { isReady: true })))
    t.equal(both.filter(result => result.ok && result.changed).length, 1, 'of equal changes one counts')
  })

  t.test('an ended session stays as it is', async t => {
    const { store } = await open(t)
    await make(store, 's1', { groups: [{ groupId: 'a', name: 'A' }] }, 'start')
    await store.enrol('s1', pupil('ann'))
    await store.transition('s1', 'end')
    t.match(await store.updateGroup('s1', 'a', { status: 'paused' }), { ok: true, changed: true })
    await store.transition('s1', 'finish')
    const ended = await store.get('s1')
    const refused = { ok: false, reason: 'ended' }
    t.same(await store.setGroups('s1', []), refused)
    t.same(await store.updateGroup('s1', 'a', { isReady: true }), refused)
    t.same(await store.enrol('s1', pupil('ann')), refused)
    t.same(await store.enrol('s1', pupil('bob')), refused)
    t.same(await store.append('s1', [{ id: '1', groupId: 'a', text: 'late' }]), { ok: false, reason: 'not-active', status: 'ended' })
    t.same(await store.get('s1'), ended)
  })

  t.test('any text and any id comes back as it was', async t => {
    const { store } = await open(t)
    const texts = ['{}', '[]', 'null', '"', '\\', '\u0000', '\n', '\ud800', 'a b  c ', '日本 👩🏽‍🚀', "' .. os.exit() .. '", '%s%d', '__proto__']
    const ids = ['__proto__', 'constructor', '1', '0.5', '-', '_', 'a@b.c', 'null', 'x'.repeat(64)]
    const groups = ids.map((groupId, i) => ({ groupId, name: texts[i] ?? 'x', leaderId: groupId, memberIds: [groupId, `${groupId.slice(0, 60)}.2`] }))
    const session = await make(store, 's1', { topic: texts.join(), goal: '\udfff', subject: '', teacherId: '__proto__', groups })
    t.match(session, { topic: texts.join(), goal: '\udfff', subject: '', groups })
    for (const [i, text] of texts.entries()) {
      const userId = ids[i] ?? `u${i}`
      const enrolled = await store.enrol('s1', { userId, displayName: text, role: text })
      t.match(enrolled, { ok: true, participant: { userId, displayName: text, role: text } })
      if (i < ids.length) t.match(await store.updateGroup('s1', userId, { issueReason: text }), { ok: true, group: { issueReason: text } })
    }
    t.same((await store.list({ limit: 1, teacherId: '__proto__' })).sessions, [await store.get('s1')])
  })
}
