import type { Test } from 'tap'
import { newGroup, newRecord } from '../../lib/guidance/record.ts'
import type { GuidanceStore } from '../../lib/guidance/store.ts'

/** The law for guidance stores. `open` gives two stores on the same backend, as two processes have them. */
export function guidanceStoreLaw (t: Test, open: (t: Test, ttlSeconds?: number) => Promise<[GuidanceStore, GuidanceStore]>): void {
  t.test('what was never written is null', async t => {
    const [store] = await open(t)
    t.match(await store.read('s1'), { record: null, now: Number })
    t.equal(await store.update('s1', record => ({ result: record })), null)
  })

  t.test('named parts are stored, and read by everybody', async t => {
    const [a, b] = await open(t)
    await a.update('s1', (_, now) => {
      const record = newRecord(1000, now, 5000)
      record.groups.g1 = newGroup(1000, 60_000, 180_000)
      record.groups.g2 = newGroup(2000, 60_000, 180_000)
      return { result: undefined, record, touched: ['g1', 'g2'] }
    })
    const { record } = await b.read('s1')
    t.same(Object.keys(record?.groups ?? {}).sort(), ['g1', 'g2'])
    t.equal(record?.session.origin, 1000)
    t.equal(record?.groups.g2?.firstAt, 2000)
    t.same((await b.read('s2')).record, null, 'another session has nothing of it')
  })

  t.test('a change without a record stores nothing', async t => {
    const [store] = await open(t)
    await store.update('s1', () => ({ result: 1 }))
    t.equal((await store.read('s1')).record, null)
  })

  t.test('what throws in a change reaches the caller and stores nothing', async t => {
    const [store] = await open(t)
    await t.rejects(store.update('s1', () => { throw new Error('mine') }), { message: 'mine' })
    t.equal((await store.read('s1')).record, null)
  })

  t.test('changes from two processes at once are all kept', async t => {
    const [a, b] = await open(t)
    const bump = async (store: GuidanceStore): Promise<void> => {
      await store.update('s1', (record, now) => {
        const next = record ?? newRecord(0, now, 5000)
        next.session.origin++
        return { result: undefined, record: next }
      })
    }
    await Promise.all(Array.from({ length: 12 }, async (_, i) => await bump(i % 2 ? a : b)))
    t.equal((await a.read('s1')).record?.session.origin, 12)
  })

  t.test('a record is forgotten after its time', async t => {
    const [store] = await open(t, 1)
    await store.update('s1', (_, now) => ({ result: undefined, record: newRecord(0, now, 5000) }))
    t.not((await store.read('s1')).record, null)
    await new Promise(resolve => setTimeout(resolve, 1100))
    t.equal((await store.read('s1')).record, null)
  })

  t.test('words survive as they are', async t => {
    const [store] = await open(t)
    const text = 'ü ☃ 𝒳 "quoted" \\ \u0000 line\nbreak'
    await store.update('s1', (_, now) => {
      const record = newRecord(0, now, 5000)
      record.groups.g = { ...newGroup(0, 1, 1), utterances: [{ startedAt: 0, endedAt: 1, speaker: text, text }] }
      return { result: undefined, record, touched: ['g'] }
    })
    t.same((await store.read('s1')).record?.groups.g?.utterances, [{ startedAt: 0, endedAt: 1, speaker: text, text }])
  })
}
