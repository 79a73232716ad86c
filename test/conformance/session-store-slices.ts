import type { Test } from 'tap'
import { retellMs, storeBounds } from '../../lib/sessions/store.ts'
import { make, type OpenSessions } from './session-store-backends.ts'

const groups = [{ groupId: 'a', name: 'A' }, { groupId: 'a.b', name: 'B' }, { groupId: 'silent', name: 'C' }]
const say = (id: string, groupId = 'a') => ({ id, groupId, text: `text of ${id}` })

/** What every store of sessions does with talk. */
export function slicesConform (t: Test, open: OpenSessions): void {
  t.test('slices are numbered in the order in which they come, each id once', async t => {
    const { store } = await open(t)
    await make(store, 's1', { groups }, 'start')
    const first = await store.append('s1', [say('x'), say('y', 'a.b'), say('x', 'a.b')])
    t.match(first, { ok: true, accepted: [{ seq: 1, id: 'x', groupId: 'a', text: 'text of x' }, { seq: 2, id: 'y' }], duplicates: 1 })
    t.equal(first.ok && first.accepted.length, 2)
    const [x, y] = first.ok ? first.accepted : []
    t.same(await store.append('s1', [{ ...say('y'), text: 'other' }, say('x'), say('y')]), { ok: true, accepted: [], known: [y, x], duplicates: 3 }, 'as they are stored')
    t.match(await store.append('s1', [say('z'), say('x')]), { ok: true, accepted: [{ seq: 3, id: 'z' }], duplicates: 1 })
    t.same(await store.append('s1', []), { ok: true, accepted: [], known: [], duplicates: 0 })
    const { slices } = await store.slices('s1', { limit: 10 })
    t.same(slices.slice(0, 2), first.ok && first.accepted)
    t.same(slices.map(slice => [slice.seq, slice.id]), [[1, 'x'], [2, 'y'], [3, 'z']])
  })

  t.test('a slice that comes again is handed out for two minutes', async t => {
    const { store, pass } = await open(t)
    await make(store, 's1', { groups }, 'start')
    await store.append('s1', [say('x')])
    await pass(retellMs / 4)
    await store.append('s1', [say('y')])
    t.match(await store.append('s1', [say('x'), say('y')]), { known: [{ seq: 1, id: 'x' }, { seq: 2, id: 'y' }], duplicates: 2 })
    await pass(retellMs / 4)
    await store.append('s1', [say('z')]) // lets the session live on
    await pass(retellMs / 4)
    await store.append('s1', [say('z2')])
    await pass(retellMs / 4)
    t.same(await store.append('s1', [say('x')]), { ok: true, accepted: [], known: [], duplicates: 1 })
    t.match(await store.append('s1', [say('y')]), { known: [{ seq: 2 }] }, 'each by its own time')
  })

  t.test('a slice keeps its fields; missing times are filled in', async t => {
    const { store } = await open(t)
    await make(store, 's1', { groups }, 'start')
    const from = '2026-01-05T08:00:00.000Z'
    const to = '2026-01-05T08:00:07.250Z'
    const result = await store.append('s1', [
      { ...say('both'), startedAt: from, endedAt: to, speaker: '\ud800 Ann', confidence: 0.1 + 0.2 },
      { ...say('start'), startedAt: from, confidence: 5e-324 },
      { ...say('end'), endedAt: to, confidence: 0 },
      say('none')
    ])
    if (!result.ok) return t.fail(result.reason)
    t.same(result.accepted[0], { seq: 1, ...say('both'), startedAt: from, endedAt: to, speaker: '\ud800 Ann', confidence: 0.1 + 0.2 })
    t.same(result.accepted[1], { seq: 2, ...say('start'), startedAt: from, endedAt: from, confidence: 5e-324 })
    t.same(result.accepted[2], { seq: 3, ...say('end'), startedAt: to, endedAt: to, confidence: 0 })
    const none = result.accepted[3]
    t.match(none?.startedAt, /^\d{4}-.*Z$/)
    t.same(none, { seq: 4, ...say('none'), startedAt: none?.startedAt, endedAt: none?.startedAt })
    t.same((await store.slices('s1', { limit: 10 })).slices, result.accepted)
  })

  t.test('slices come in while the class is on, and all of a call or none', async t => {
    const { store } = await open(t)
    await make(store, 's1', { groups })
    const outcome = async (id: string): Promise<unknown> => {
      const result = await store.append('s1', [say(id)])
      return result.ok ? result.accepted.length : result
    }
    t.same(await outcome('1'), { ok: false, reason: 'not-active', status: 'created' })
    await store.transition('s1', 'start')
    t.equal(await outcome('1'), 1)
    t.same(await store.append('s1', [say('2'), say('2', 'none'), say('4', 'nowhere')]), { ok: false, reason: 'group-not-found', groupId: 'none' })
    t.equal(await outcome('2'), 1)
    await store.transition('s1', 'pause')
    t.equal(await outcome('3'), 1)
    await store.transition('s1', 'end')
    t.equal(await outcome('4'), 1)
    await store.transition('s1', 'finish')
    t.same(await outcome('5'), { ok: false, reason: 'not-active', status: 'ended' })
    t.same((await store.slices('s1', { limit: 10 })).slices.map(slice => `${slice.seq} ${slice.id}`), ['1 1', '2 2', '3 3', '4 4'])
  })

  t.test('slices are read page by page, of all groups or of one', async t => {
    const { store } = await open(t)
    await make(store, 's1', { groups }, 'start')
    await store.append('s1', Array.from({ length: 12 }, (_, i) => say(`${i + 1}`, i % 3 ? 'a' : 'a.b')))
    const pages = async (limit: number, groupId?: string): Promise<number[][]> => {
      const found: number[][] = []
      for (let after: number | null = 0; after !== null;) {
        const page = await store.slices('s1', { limit, after, ...(groupId !== undefined && { groupId }) })
        found.push(page.slices.map(slice => slice.seq))
        after = page.nextAfter
      }
      return found
    }
    t.same(await pages(5), [[1, 2, 3, 4, 5], [6, 7, 8, 9, 10], [11, 12]])
    t.same(await pages(12), [[1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12]])
    t.same(await pages(3, 'a'), [[2, 3, 5], [6, 8, 9], [11, 12]])
    t.same(await pages(4, 'a.b'), [[1, 4, 7, 10]])
    t.same(await pages(4, 'silent'), [[]])
    t.same(await pages(4, 'none'), [[]])
    t.match(await store.slices('s1', { limit: 1, after: 11 }), { slices: [{ seq: 12 }], nextAfter: null })
    for (const after of [12, 1e6, 2 ** 53, 1e300]) t.same(await store.slices('s1', { limit: 1, after }), { slices: [], nextAfter: null })
  })

  t.test('slices that come at once are all kept', async t => {
    const { store } = await open(t)
    await make(store, 's1', { groups }, 'start')
    const results = await Promise.all(Array.from({ length: 200 }, (_, i) => store.append('s1', [say(`${i % 100}`)])))
    const seqs = results.flatMap(result => result.ok ? result.accepted.map(slice => slice.seq) : [])
    t.same(seqs.sort((a, b) => a - b), Array.from({ length: 100 }, (_, i) => i + 1))
  })

  t.test('past the bound the oldest fall out', async t => {
    const { store } = await open(t)
    await make(store, 's1', { groups }, 'start')
    const talk = Array.from({ length: storeBounds.slices + 10 }, (_, i) => say(`${i + 1}`, i % 2 ? 'a' : 'a.b'))
    for (let at = 0; at < talk.length; at += 250) await store.append('s1', talk.slice(at, at + 250))
    t.match(await store.slices('s1', { limit: 1 }), { slices: [{ seq: 11 }], nextAfter: 11 })
    t.match(await store.slices('s1', { limit: 1, groupId: 'a' }), { slices: [{ seq: 12 }], nextAfter: 12 })
    const seqs: number[] = []
    for (let after: number | null = 0; after !== null;) {
      const page = await store.slices('s1', { limit: 1000, after })
      seqs.push(...page.slices.map(({ seq }) => seq))
      after = page.nextAfter
    }
    t.same(seqs, Array.from({ length: storeBounds.slices }, (_, i) => i + 11))
    t.match(await store.append('s1', [say('12'), say('3')]), { ok: true, accepted: [{ id: '3', seq: storeBounds.slices + 11 }], duplicates: 1 }, 'what fell out is forgotten')
    t.match(await store.slices('s1', { limit: 1 }), { slices: [{ seq: 12 }] })
  })
}
