import type { Test } from 'tap'
import type { SessionStatus } from '../../lib/sessions/schema.ts'
import { allows, transitions, type Move } from '../../lib/sessions/transitions.ts'
import { make, type OpenSessions } from './session-store-backends.ts'

const pathTo: Record<SessionStatus, Move[]> = {
  created: [], active: ['start'], paused: ['start', 'pause'], ending: ['start', 'end'], ended: ['end', 'finish']
}
const moves = Object.keys(transitions) as Move[]

/** What every store of sessions does when a session moves through its life. */
export function lifeConforms (t: Test, open: OpenSessions): void {
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

  t.test('what the teacher says with a move stays until more is said; a refused move says nothing', async t => {
    const { store } = await open(t)
    t.match(await make(store, 's1', {}), { reason: null, teacherNotes: null })
    t.match(await store.transition('s1', 'start', { reason: 'the "bell" \ud83d' }), { session: { reason: 'the "bell" \ud83d', teacherNotes: null } })
    t.match(await store.transition('s1', 'resume', { reason: 'no' }), { ok: false, session: { reason: 'the "bell" \ud83d' } })
    t.match(await store.transition('s1', 'end', { teacherNotes: '' }), { session: { reason: 'the "bell" \ud83d', teacherNotes: '' } })
    t.match(await store.transition('s1', 'finish'), { session: { reason: 'the "bell" \ud83d', teacherNotes: '' } })
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
}
