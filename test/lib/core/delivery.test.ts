import { setTimeout as pause } from 'node:timers/promises'
import t, { type Test } from 'tap'
import { ClasswavesError } from '../../../lib/core/errors.ts'
import { createMemoryJournal } from '../../../lib/core/journal-memory.ts'
import type { Heard, Position } from '../../../lib/core/journal.ts'
import { patienceMs } from '../../client.ts'
import { event } from '../../conformance/journal.ts'
import { gate, home, namespace, Process, Reader, Wire } from './delivery-world.ts'

function world (t: Test, { events }: { events?: number } = {}) {
  const journal = createMemoryJournal({ ttlSeconds: 60, ...(events && { events }) })
  const wire = new Wire(journal)
  const one = new Process(wire)
  t.teardown(() => one.delivery.stop())
  let said = 0
  let readers = 0
  return {
    journal,
    wire,
    one,
    reader: () => new Reader(one, `reader-${readers++}`),
    say: async (count = 1): Promise<void> => { for (let i = 0; i < count; i++) await journal.append(event(++said)) }
  }
}

const range = (first: number, last: number): number[] => Array.from({ length: last - first + 1 }, (_, i) => first + i)
const settled = async (): Promise<void> => { await pause(5) }

t.test('a reader hears all that comes after the position it was told', async t => {
  const { reader, say } = world(t)
  await say(3)
  const one = reader()
  t.match(await one.follow(), { position: { offset: 3 }, recovered: true })
  await say(3)
  t.same(one.numbers, [4, 5, 6])
  t.same(one.got[0]?.meta, { id: one.got[0]?.meta.id, room: home, at: '2026-01-01T00:00:00.000Z', epoch: one.got[0]?.meta.epoch, offset: 4 })
})

t.test('a reader that was away gets what it missed, over many pages, and then what is new', async t => {
  const { reader, say } = world(t)
  const one = reader()
  const { position } = await one.follow()
  one.leave()
  await say(950)
  const again = reader()
  t.match(await again.follow(position), { position: { offset: 950 }, recovered: true })
  await say(5)
  t.same(again.numbers, range(1, 955))
  t.same(one.numbers, [])
})

t.test('what is lost on the wire is read before what came after it goes out', async t => {
  const { wire, reader, say } = world(t)
  const one = reader()
  await one.follow()
  const lost = new Set([2, 3, 7])
  wire.carry = event => { if (!lost.has(event.position.offset)) wire.hear(event) }
  await say(8)
  await settled()
  t.same(one.numbers, range(1, 8))
})

t.test('what is lost and has no successor comes with the next comparison', async t => {
  const { wire, reader, say } = world(t)
  const one = reader()
  await one.follow()
  wire.carry = () => {}
  await say(3)
  await settled()
  t.same(one.numbers, [])
  wire.reconnected()
  await settled()
  t.same(one.numbers, [1, 2, 3])
})

t.test('so it does where only a feed hears of the room, also once the room itself has no reader any more', async t => {
  const { wire, one, journal } = world(t)
  const feed = 'user:teacher:sessions'
  const [teacher, pupil] = [new Reader(one, 'teacher'), new Reader(one, 'pupil')]
  const say = async (room: string, number: number): Promise<void> => { await journal.append({ ...event(number), rooms: [room, feed] }) }
  const later = 'session:made-later'
  await one.delivery.followAs(teacher.socket, [feed], [home])
  await pupil.follow(undefined, later)
  await say(later, 1)
  pupil.leave(later)
  wire.reconnected() // looks which rooms have readers
  await settled()
  t.same(teacher.numbers, [1])
  wire.carry = () => {}
  await say(home, 2)
  await say(later, 3)
  await settled()
  t.same(teacher.numbers, [1])
  wire.reconnected()
  await settled()
  t.same(teacher.numbers, [1, 2, 3])
})

t.test('a comparison that Redis did not answer comes again by itself, and soon', async t => {
  const { wire, reader, say } = world(t)
  const one = reader()
  await one.follow()
  wire.carry = () => {}
  await say(3)
  wire.before = async () => { throw new ClasswavesError('UNAVAILABLE') }
  wire.reconnected()
  await settled()
  wire.before = async () => {}
  for (const end = performance.now() + patienceMs; one.numbers.length < 3 && performance.now() < end;) await new Promise(resolve => setTimeout(resolve, 50))
  t.same(one.numbers, [1, 2, 3])
})

t.test('a room that cannot be read keeps no other from being compared, and is looked at again', async t => {
  const { wire, one, journal } = world(t)
  const rooms = ['session:bad', ...Array.from({ length: 40 }, (_, i) => `session:s${i}`)]
  const readers = await Promise.all(rooms.map(async (room, i) => {
    const reader = new Reader(one, `reader-${i}`)
    await reader.follow(undefined, room)
    return reader
  }))
  wire.carry = () => {}
  await Promise.all(rooms.map(async room => await journal.append({ ...event(room), rooms: [room] })))
  let asked = 0
  let most = 0
  let reading = 0
  let isBad = true
  wire.position = async (...where) => {
    const [, room] = where
    if (room === 'session:bad') {
      asked++
      if (isBad) throw new ClasswavesError('UNAVAILABLE')
    }
    most = Math.max(most, ++reading)
    await pause(5)
    reading--
    return await journal.position(...where)
  }
  wire.reconnected()
  wire.reconnected()
  const last = readers.at(-1) as Reader
  for (const end = performance.now() + patienceMs; last.numbers.length === 0 && performance.now() < end;) await pause(5)
  await settled()
  t.same(readers.map(({ numbers }) => numbers), [[], ...rooms.slice(1).map(room => [room])])
  t.ok(most > 4 && most <= 16, `some at once: ${most}`)
  isBad = false
  for (const end = performance.now() + patienceMs; readers[0]?.numbers.length === 0 && performance.now() < end;) await pause(20)
  t.same(readers[0]?.numbers, ['session:bad'])
  t.ok(asked <= 4, `after a pause: ${asked}`)
  t.same(one.warnings, [], 'what passes by itself is said elsewhere')
})

t.test('doubled and shuffled messages go out once and in order', async t => {
  const { wire, reader, say } = world(t)
  const one = reader()
  await one.follow()
  const held: Heard[] = []
  wire.carry = event => held.push(event, event)
  await say(60)
  for (const event of held.sort((a, b) => a.position.offset * 7919 % 61 - b.position.offset * 7919 % 61)) {
    wire.hear(event)
    if (event.position.offset % 5 === 0) await settled()
  }
  await settled()
  t.same(one.numbers, range(1, 60))
})

t.test('too long away is lost: nothing of it comes, and all that follows does', async t => {
  const { reader, say } = world(t, { events: 5 })
  const first = reader()
  const { position } = await first.follow()
  await say(6)
  const one = reader()
  t.match(await one.follow(position), { position: { offset: 6 }, recovered: false })
  await say(1)
  t.same(one.numbers, [7])
  const strangers: Position[] = [{ ...position, epoch: '7' }, { ...position, offset: 99 }]
  for (const place of strangers) t.match(await reader().follow(place), { position: { offset: 7 }, recovered: false })
})

t.test('what came before the rest fell out does not come again', async t => {
  const { journal, wire, reader, say } = world(t, { events: 210 })
  const { position } = await reader().follow()
  wire.carry = () => {}
  await say(210)
  const answer = gate()
  const one = reader()
  wire.read = async (...where) => {
    if (one.got.length === 200) await answer.promise
    return await journal.read(...where)
  }
  const following = one.follow(position)
  await settled()
  await say(300)
  answer.open()
  t.match(await following, { recovered: false })
  wire.carry = event => wire.hear(event)
  await say(1)
  t.same(one.numbers, [...range(1, 200), 511])
})

t.test('a new epoch goes out from its first event, and stragglers of the old one do not', async t => {
  const { wire, reader, say } = world(t)
  const one = reader()
  const { position: old } = await one.follow()
  const stale: Heard[] = []
  wire.carry = event => { stale.push(event); wire.hear(event) }
  await say(2)
  // Another journal stands in for a Redis that has forgotten everything.
  const fresh = createMemoryJournal({ ttlSeconds: 60, now: () => Date.now() + 5000 })
  wire.read = async (...where) => await fresh.read(...where)
  wire.position = async (...where) => await fresh.position(...where)
  fresh.listen(event => wire.hear(event), () => {})
  for (const n of [11, 12, 13]) await fresh.append(event(n))
  await settled()
  for (const event of [...stale, ...stale]) wire.hear(event)
  await settled()
  await fresh.append(event(14))
  await settled()
  t.same(one.numbers, [1, 2, 11, 12, 13, 14])
  t.same(one.offsets, [1, 2, 1, 2, 3, 4])
  t.not(one.got.at(-1)?.meta.epoch, old.epoch)
})

t.test('a journal that cannot be read is asked once for each message, not without end', async t => {
  const { wire, one, reader, say } = world(t)
  const only = reader()
  await only.follow()
  wire.before = async what => { if (what === 'read') throw new Error('away') }
  wire.carry = event => { if (event.position.offset > 1) wire.hear(event) }
  await say(4)
  await settled()
  t.ok(wire.reads > 0 && wire.reads <= 3, `${wire.reads} reads`)
  t.equal(one.warnings.length, wire.reads)
  t.same(only.numbers, [])
  wire.before = async () => {}
  wire.reconnected()
  await settled()
  t.same(only.numbers, [1, 2, 3, 4], 'and comes with the next comparison')
})

t.test('a forged message costs one look at the journal, and what is true goes on', async t => {
  const { wire, one, reader, say } = world(t)
  const only = reader()
  const { position } = await only.follow()
  const forged = (place: Partial<Position>, rooms = [home], name = namespace): Heard =>
    ({ namespace: name, rooms, position: { ...position, ...place }, open: () => { throw new SyntaxError('no JSON') } })
  for (const place of [{ offset: 7 }, { offset: 2 ** 53 }, { epoch: '99' }, { epoch: '1', offset: 1 }]) wire.hear(forged(place))
  await settled()
  t.ok(wire.reads <= 4, `${wire.reads} reads`)
  t.throws(() => wire.hear(forged({ offset: 1 })), SyntaxError, 'whoever hands it over hears of it')
  const slow = gate()
  wire.before = async what => { if (what === 'read') await slow.promise }
  wire.hear(forged({ offset: 9 }))
  wire.hear(forged({ offset: 1 }))
  slow.open()
  await settled()
  for (let i = 0; i < 50; i++) wire.hear(forged({}, ['a'], `/made-${i}`))
  t.same(one.made, [], 'no namespace is made by being named')
  await say(3)
  await settled()
  t.same(only.numbers, [1, 2, 3])
})

t.test('what comes while the position is asked for is not missed', async t => {
  const { wire, reader, say } = world(t)
  const answer = gate()
  wire.before = async what => { if (what === 'position') await answer.promise }
  const one = reader()
  const following = one.follow()
  await settled()
  await say(2)
  answer.open()
  const { position } = await following
  await settled()
  t.same(range(position.offset + 1, 2), one.numbers)
  await say(1)
  t.equal(one.numbers.at(-1), 3)
})

t.test('a forged message that waits for the position keeps nobody out', async t => {
  const { wire, one, reader, say } = world(t)
  const answer = gate()
  wire.before = async what => { if (what === 'position') await answer.promise }
  const first = reader()
  const following = first.follow()
  await settled()
  wire.hear({ namespace, rooms: [home], position: { epoch: (await wire.oldest(namespace, home, 1)).position.epoch, offset: 1 }, open: () => { throw new Error('no body') } })
  answer.open()
  first.enter(home)
  t.match(await following, { recovered: true })
  await say(2)
  const second = reader()
  await second.follow()
  t.ok(one.warnings.includes('a message on the channel was not one of ours'))
  await say(1)
  t.same(second.numbers, [3])
})

t.test('a position that cannot be told is a refusal, and the next one is asked anew', async t => {
  const { wire, reader, say } = world(t)
  wire.before = async () => { throw new Error('away') }
  const [a, b] = [reader(), reader()]
  await t.rejects(Promise.all([a.follow(), b.follow()]), { message: 'away' })
  await t.rejects(reader().follow(), { message: 'away' })
  wire.before = async () => {}
  await a.follow()
  await say(2)
  t.same([a.numbers, b.numbers], [[1, 2], []])
})

t.test('a room is not forgotten while somebody enters it', async t => {
  const { wire, reader, say } = world(t)
  await say(2)
  const first = reader()
  const { position } = await first.follow()
  first.leave()
  const answer = gate()
  wire.before = async what => { if (what === 'read') await answer.promise }
  const one = reader()
  const following = one.follow(position)
  await settled()
  wire.reconnected()
  await say(1)
  wire.reconnected()
  answer.open()
  await following
  await say(1)
  t.same(one.numbers, [3, 4])
})

t.test('a reader that hears by another room as well gets each event once, in order', async t => {
  const { wire, reader, say } = world(t)
  const one = reader()
  const { position } = await one.follow()
  one.leave()
  await say(3)
  one.enter(`${home}:other`)
  const answer = gate()
  wire.before = async what => { if (what === 'read') await answer.promise }
  const following = one.follow(position)
  await settled()
  await say(2)
  t.same(one.numbers, [], 'while it is behind, nothing overtakes')
  answer.open()
  await following
  await say(1)
  t.same(one.numbers, range(1, 6))
})
