import type { Test } from 'tap'
import type { ChatBounds, ChatStore, Content, Draft } from '../../lib/classroom/store.ts'

/** The law for stores of talk. `open` gives a fresh one; classes have ids of their own. */
export const bounds: ChatBounds = { mode: 'open', messages: 5, ageMs: 3_600_000, bytes: 100, ttlSeconds: 60 }

const content = (userId: string, message: string, more: Partial<Content> = {}): Content => ({ userId, displayName: userId, role: 'student', message, reactions: {}, ...more })
const draft = (messageId: string, more: Partial<Content> = {}, rest: Partial<Draft> = {}): Draft =>
  ({ messageId, content: content('ada', `says ${messageId}`, more), rank: 'student', bytes: 0, ...rest })

export function chatStoreConformance (t: Test, open: (t: Test, bounds: ChatBounds) => ChatStore): void {
  const ids = async (store: ChatStore, lane: Parameters<ChatStore['page']>[1], page: Partial<Parameters<ChatStore['page']>[2]> = {}): Promise<string[]> =>
    (await store.page('s', lane, { limit: 100, ...page })).messages.map(one => one.messageId)

  t.test('each mode says what becomes of a message', async t => {
    const store = open(t, bounds)
    const verdicts: Record<string, string[]> = {}
    for (const mode of ['open', 'moderated', 'teacher-only', 'off'] as const) {
      await store.setMode('s', mode)
      verdicts[mode] = []
      for (const [i, [rank, to]] of ([['student'], ['teacher'], ['student', 'ms'], ['teacher', 'ada']] as const).entries()) {
        verdicts[mode].push((await store.post('s', draft(`${mode}-${i}`, to ? { to } : {}, { rank }))).verdict)
      }
    }
    t.same(verdicts, {
      open: ['published', 'published', 'published', 'published'],
      moderated: ['held', 'published', 'published', 'published'],
      'teacher-only': ['refused', 'published', 'published', 'published'],
      off: ['refused', 'refused', 'refused', 'refused']
    })
    t.same(await ids(store, 'held'), ['moderated-0'])
    t.same(await ids(store, 'direct'), ['open-3', 'moderated-2', 'moderated-3', 'teacher-only-2', 'teacher-only-3'], 'the log of what was said to one person is bounded, too')
  })

  t.test('a mode is told once, and begins as the host set it', async t => {
    const store = open(t, { ...bounds, mode: 'moderated' })
    t.equal(await store.mode('s'), 'moderated')
    t.same([await store.setMode('s', 'moderated'), await store.setMode('s', 'off'), await store.setMode('s', 'off')], [{ changed: false }, { changed: true }, { changed: false }])
    t.equal(await store.mode('s'), 'off')
    t.equal(await store.mode('another'), 'moderated')
  })

  t.test('the same id is stored once, and after the end nothing is', async t => {
    const store = open(t, bounds)
    const first = await store.post('s', draft('m1'))
    t.match(first, { verdict: 'published', stored: { messageId: 'm1', seq: 1, userId: 'ada', message: 'says m1' } })
    t.same(await store.post('s', draft('m1', { message: 'something else' })), { ...first, verdict: 'repeated' })
    await store.close('s')
    t.equal((await store.post('s', draft('m2'))).verdict, 'closed')
    t.equal((await store.post('s', draft('m1'))).verdict, 'repeated')
    t.same(await ids(store, 'main'), ['m1'])
  })

  t.test('pages go both ways without a gap', async t => {
    const store = open(t, { ...bounds, messages: 100 })
    const all = Array.from({ length: 11 }, (_, i) => `m${i + 1}`)
    for (const id of all) await store.post('s', draft(id))
    const newest = await store.page('s', 'main', { limit: 4 })
    t.same([newest.messages.map(one => one.seq), newest.more], [[8, 9, 10, 11], true])
    const backwards: string[] = []
    let before: number | undefined
    for (;;) {
      const { messages, more } = await store.page('s', 'main', { limit: 4, ...(before !== undefined && { before }) })
      backwards.unshift(...messages.map(one => one.messageId))
      before = messages[0]?.seq
      if (!more) break
    }
    t.same(backwards, all)
    const forwards: string[] = []
    let after = 0
    for (;;) {
      const { messages, more } = await store.page('s', 'main', { limit: 4, after })
      forwards.push(...messages.map(one => one.messageId))
      after = messages.at(-1)?.seq ?? after
      if (!more) break
    }
    t.same(forwards, all)
    t.same(await store.page('s', 'main', { limit: 4, after: 11 }), { messages: [], more: false })
    t.same(await ids(store, 'main', { after: 3, before: 6 }), ['m4', 'm5'])
    t.same(await store.page('nowhere', 'main', { limit: 4 }), { messages: [], more: false })
  })

  t.test('the oldest fall out, by number and by bytes of attachments', async t => {
    const store = open(t, bounds)
    for (let i = 1; i <= 8; i++) await store.post('s', draft(`m${i}`))
    t.same(await ids(store, 'main'), ['m4', 'm5', 'm6', 'm7', 'm8'])
    t.equal(await store.get('s', 'm1'), null)
    t.equal((await store.post('s', draft('f1', {}, { bytes: 60 }))).verdict, 'published')
    t.equal((await store.post('s', draft('f2', {}, { bytes: 60 }))).verdict, 'full')
    t.equal((await store.post('s', draft('f3', {}, { bytes: 40 }))).verdict, 'published')
  })

  t.test('what was said to one person is in their lanes and the log alone', async t => {
    const store = open(t, bounds)
    await store.post('s', draft('d1', { to: 'ms' }))
    await store.post('s', draft('d2', { userId: 'bob', to: 'ms' }))
    t.same([await ids(store, 'main'), await ids(store, 'direct'), await ids(store, 'direct:ms'), await ids(store, 'direct:ada'), await ids(store, 'direct:eve')],
      [[], ['d1', 'd2'], ['d1', 'd2'], ['d1'], []])
  })

  t.test('what waits goes out under a new place, or away; once', async t => {
    const store = open(t, { ...bounds, mode: 'moderated' })
    await store.post('s', draft('m1'))
    await store.post('s', draft('m2'))
    await store.post('s', draft('t1', {}, { rank: 'teacher' }))
    const out = ({ held, ...one }: Content): Content | null => held ? one : null
    const approved = await store.change('s', 'm1', out, 'publish')
    t.match(approved, { messageId: 'm1', seq: 4, message: 'says m1' })
    t.notOk(approved?.held)
    t.equal(await store.change('s', 'm1', out, 'publish'), null)
    t.ok(await store.change('s', 'm2', out, 'remove'))
    t.equal(await store.get('s', 'm2'), null)
    t.same([await ids(store, 'held'), await ids(store, 'main')], [[], ['t1', 'm1']])
  })

  t.test('of many changes at once none is lost', async t => {
    const store = open(t, bounds)
    await store.post('s', draft('m1'))
    await Promise.all(Array.from({ length: 30 }, async (_, i) => await store.change('s', 'm1', one => ({ ...one, reactions: { '👍': [...one.reactions['👍'] ?? [], `u${i}`] } }))))
    const stored = await store.get('s', 'm1')
    t.equal(new Set(stored?.reactions['👍']).size, 30)
    t.equal(stored?.seq, 1, 'a change moves nothing')
    t.equal(await store.change('s', 'none', one => one), null)
    t.equal(await store.change('s', 'm1', () => null), null)
  })

  t.test('a reader\'s place goes forwards only, and not past the last message', async t => {
    const store = open(t, bounds)
    for (const id of ['m1', 'm2', 'm3']) await store.post('s', draft(id))
    t.same(await store.read('s', 'ada', 2, false), { seq: 2, changed: true })
    t.same(await store.read('s', 'ada', 1, false), { seq: 2, changed: false })
    t.same(await store.read('s', 'ada', 99, false), { seq: 3, changed: true })
    await store.read('s', 'bob', 1, true)
    t.same(await store.readers('s'), { ada: 3 }, 'who keeps it to themselves is not listed')
  })

  t.test('attachments come back as they were', async t => {
    const store = open(t, bounds)
    const bytes = Uint8Array.from({ length: 256 }, (_, i) => i)
    await store.putFile('s', 'f', bytes)
    t.same([...await store.file('s', 'f') ?? []], [...bytes])
    await store.dropFile('s', 'f')
    t.equal(await store.file('s', 'f'), null)
  })
}
