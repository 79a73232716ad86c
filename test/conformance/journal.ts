import { randomUUID } from 'node:crypto'
import type { Test } from 'tap'
import { journalBounds, type Heard, type Journal, type Kept, type Position } from '../../lib/core/journal.ts'

/** A journal under test. */
export interface JournalBackend {
  /** Its events live a minute unless said. */
  open (options?: { events?: number }): Promise<Journal>
  /** Makes all that is stored so much older. */
  age (ms: number): Promise<void>
}

export const ttlSeconds = 60
const namespace = '/sessions'
const room = 'session:s1'

export function event (payload: unknown = {}, { id = randomUUID() as string, home = room, in: place = namespace } = {}) {
  return { namespace: place, rooms: [home, `${home}:other`], event: 'said', payload, meta: { id, room: home, at: '2026-01-01T00:00:00.000Z' } }
}

/** A hundred at a time: each has a second. */
export async function appendAll (journal: Journal, count: number, from = 1): Promise<void> {
  for (let at = 0; at < count; at += 100) {
    await Promise.all(Array.from({ length: Math.min(100, count - at) }, async (_, i) => await journal.append(event({ n: from + at + i }))))
  }
}

const numbers = (events: readonly Kept[]): unknown[] => events.map(one => (one.payload as { n: number }).n)
const from = (first: number, last: number): number[] => Array.from({ length: last - first + 1 }, (_, i) => first + i)

/** The law of journals, the same for each backend. */
export function journalConforms (t: Test, backend: JournalBackend): void {
  t.test('each room counts for itself, without a hole, in an epoch of its own', async t => {
    const journal = await backend.open()
    const before = await journal.position(namespace, room)
    t.equal(before.offset, 0)
    t.match(before.epoch, /^\d+$/)
    for (const offset of [1, 2, 3]) t.same(await journal.append(event()), { epoch: before.epoch, offset })
    t.same(await journal.position(namespace, room), { epoch: before.epoch, offset: 3 })
    t.equal((await journal.append(event({}, { home: 'session:s2' }))).offset, 1, 'another room')
    t.equal((await journal.append(event({}, { in: '/guidance' }))).offset, 1, 'the same name in another namespace')
  })

  t.test('what was appended is read as it was, with its place', async t => {
    const journal = await backend.open()
    const payload = { text: 'ß "\n\u2028 \ud83d\ude00 \ud83d', empty: [], none: {}, deep: [[{ a: null }]], number: 0.1 + 0.2, big: 2 ** 53 }
    const one = event(payload)
    const position = await journal.append(one)
    t.same((await journal.oldest(namespace, room, 1)).events, [{ ...one, meta: { ...one.meta, ...position } }])
  })

  t.test('two hundred at once get two hundred places, and are heard in their order', async t => {
    const journal = await backend.open()
    const heard: Heard[] = []
    const complete = new Promise<void>(resolve => journal.listen(one => { if (heard.push(one) === 200) resolve() }, () => {}))
    await journal.position(namespace, room)
    await appendAll(journal, 200)
    await complete
    t.same(heard.map(one => one.position.offset), from(1, 200))
    const { events } = await journal.oldest(namespace, room, 1000)
    t.same(heard.map(one => one.open()), events, 'and as they are read')
    t.match(heard[0], { namespace, rooms: [room, `${room}:other`] })
  })

  t.test('an id is not appended again as long as its event is kept', async t => {
    const journal = await backend.open({ events: 3 })
    let heard = 0
    journal.listen(() => { heard++ }, () => {})
    const first = await journal.append(event({ n: 1 }, { id: 'a' }))
    await appendAll(journal, 2, 2)
    t.same(await journal.append(event({ n: 9 }, { id: 'a' })), first, 'its place is told again')
    t.same(await journal.position(namespace, room), { ...first, offset: 3 })
    t.equal((await journal.append(event({}, { id: 'a', home: 'session:s2' }))).offset, 1, 'in another room it is another event')
    await appendAll(journal, 1, 4)
    t.equal((await journal.append(event({ n: 5 }, { id: 'a' }))).offset, 5, 'it fell out')
    t.same(await Promise.all(Array.from({ length: 20 }, async () => await journal.append(event({ n: 6 }, { id: 'b' })))), Array.from({ length: 20 }, () => ({ ...first, offset: 6 })), 'of twenty at once one')
    await settled(journal, () => heard >= 7)
    t.equal(heard, 7)
  })

  t.test('a series goes up only, however long ago it was', async t => {
    const journal = await backend.open({ events: 2 })
    const say = async (id: string): Promise<number> => (await journal.append(event({}, { id }))).offset
    t.same([await say('status#2'), await say('status#3')], [1, 2])
    await appendAll(journal, 5)
    t.same([await say('status#2'), await say('status#3')], [7, 7], 'told, though their events are kept no more')
    t.same([await say('status#10'), await say('status#9')], [8, 8], 'a number, not a text')
    t.same([await say('other#1'), await say('status#')], [9, 10], 'each name by itself')
    t.same([await say('status'), await say('x status#1')], [11, 12])
  })

  t.test('away for 1, 999, 1,000 and 1,001 events', async t => {
    const journal = await backend.open()
    const start = await journal.append(event({ n: 0 }))
    const bound = journalBounds.events
    let said = 0
    for (const missed of [1, bound - 1, bound]) {
      await appendAll(journal, missed - said, said + 1)
      said = missed
      const page = await journal.read(namespace, room, start, bound + 1)
      t.equal(page.lost, false, `${missed} missed`)
      t.same(numbers(page.events), from(1, missed))
    }
    await appendAll(journal, 1, bound + 1)
    t.match(await journal.read(namespace, room, start, bound + 1), { events: { length: 0 }, lost: true, position: { offset: bound + 2 } }, 'never a part')
    t.match(await journal.read(namespace, room, { ...start, offset: 2 }, bound + 1), { events: { length: bound }, lost: false })
    t.match(await journal.oldest(namespace, room, bound + 1), { events: { length: bound }, lost: false })
  })

  t.test('pages follow on each other', async t => {
    const journal = await backend.open()
    const epoch = (await journal.position(namespace, room)).epoch
    await appendAll(journal, 25)
    const seen: unknown[] = []
    for (let place: Position = { epoch, offset: 0 }; ;) {
      const { events, position } = await journal.read(namespace, room, place, 10)
      seen.push(...numbers(events))
      if (events.length === 0) break
      t.equal(position.offset, 25)
      place = events.at(-1)?.meta as Position
    }
    t.same(seen, from(1, 25))
    t.same(numbers((await journal.oldest(namespace, room, 3)).events), [1, 2, 3])
  })

  t.test('a place that never was is lost, and gets nothing', async t => {
    const journal = await backend.open()
    await appendAll(journal, 3)
    const here = await journal.position(namespace, room)
    const strange: Position[] = [
      { ...here, epoch: String(Number(here.epoch) - 1) }, { ...here, epoch: String(Number(here.epoch) + 1) }, { ...here, epoch: '0' },
      { ...here, epoch: ` ${here.epoch}` }, { ...here, epoch: 'x' }, { ...here, epoch: '' },
      ...[-1, -2, 4, 2 ** 53, 2 ** 63, 1e300, 1.5, NaN, Infinity, -Infinity].map(offset => ({ ...here, offset }))
    ]
    for (const place of strange) t.same(await journal.read(namespace, room, place, 10), { events: [], position: here, lost: true }, JSON.stringify(place))
    t.same(await journal.read(namespace, room, here, 10), { events: [], position: here, lost: false }, 'the last one is a place')
    t.match(await journal.read(namespace, room, { ...here, offset: 0 }, 10), { events: { length: 3 }, lost: false }, 'and the one before the first')
  })

  t.test('events go when nothing was appended for their life; a room that somebody asks for goes on', async t => {
    const journal = await backend.open()
    const first = await journal.append(event({ n: 1 }, { id: 'a' }))
    await journal.append(event({}, { id: 'status#5' }))
    for (let turn = 1; turn <= 3; turn++) {
      await backend.age(ttlSeconds * 400)
      t.same(await journal.position(namespace, room), { ...first, offset: 2 })
    }
    t.match(await journal.oldest(namespace, room, 10), { events: { length: 0 } }, 'asking does not keep what people said')
    t.match(await journal.read(namespace, room, first, 10), { lost: true })
    t.match(await journal.read(namespace, room, { ...first, offset: 2 }, 10), { lost: false }, 'who has missed nothing has lost nothing')
    t.same(await journal.append(event({ n: 3 }, { id: 'a' })), { ...first, offset: 3 }, 'an id goes with its event')
    t.same(await journal.append(event({}, { id: 'status#5' })), { ...first, offset: 3 }, 'a series stays with the room')
    t.same(numbers((await journal.read(namespace, room, { ...first, offset: 2 }, 10)).events), [3])
  })

  t.test('a room that nobody asks for ends, and the next epoch is a later one', async t => {
    const journal = await backend.open()
    const first = await journal.append(event())
    await backend.age(ttlSeconds * 1000 + 1)
    const next = await journal.position(namespace, room)
    t.equal(next.offset, 0)
    t.ok(Number(next.epoch) > Number(first.epoch), `${next.epoch} after ${first.epoch}`)
    t.match(await journal.read(namespace, room, first, 10), { lost: true, position: next })
    t.same(await journal.append(event()), { ...next, offset: 1 })
  })
}

/** What is heard comes over another connection than the answers. */
async function settled (journal: Journal, done: () => boolean): Promise<void> {
  for (let turn = 0; turn < 200 && !done(); turn++) await new Promise(resolve => setTimeout(resolve, 5))
  await journal.position(namespace, room)
}
