import t, { type Test } from 'tap'
import { Compile } from 'typebox/compile'
import { createMemoryJournal } from '../../../lib/core/journal-memory.ts'
import { followAll, followFeed, Positions } from '../../../lib/core/recovery.ts'
import { room } from '../../../lib/core/room.ts'
import { event } from '../../conformance/journal.ts'
import { gate, Process, Reader, Wire } from './delivery-world.ts'

const rooms = ['session:s1', 'session:s1:group:a', 'session:s1:group:b'] as const

function world (t: Test) {
  const journal = createMemoryJournal({ ttlSeconds: 60, events: 5 })
  const one = new Process(new Wire(journal))
  t.teardown(() => one.delivery.stop())
  let readers = 0
  return {
    say: async (room: string, count = 1) => { for (let i = 0; i < count; i++) await journal.append(event(i, { home: room })) },
    follow: async (reader: Reader, names: readonly string[], since?: Positions) => await followAll(one.delivery, reader.socket, names, since),
    reader: () => new Reader(one, `reader-${readers++}`)
  }
}

t.test('who says nothing of where they were gets positions, and has lost nothing', async t => {
  const { say, follow, reader } = world(t)
  await say(rooms[1], 3)
  const { positions, lost, recovered } = await follow(reader(), rooms)
  t.same(Object.entries(positions).map(([room, { offset }]) => [room, offset]), [[rooms[0], 0], [rooms[1], 3], [rooms[2], 0]])
  t.same([lost, recovered], [[], true])
})

t.test('each room is made up for by itself', async t => {
  const { say, follow, reader } = world(t)
  const { positions } = await follow(reader(), rooms)
  await say(rooms[0], 2)
  await say(rooms[1], 6)
  const one = reader()
  const { positions: now, lost, recovered } = await follow(one, rooms, positions)
  t.same([lost, recovered], [[rooms[1]], false], 'of which too much was said is lost, and only that')
  t.same(one.got.map(({ meta }) => [meta.room, meta.offset]), [[rooms[0], 1], [rooms[0], 2]])
  t.same(rooms.map(room => now[room]?.offset), [2, 6, 0])
  const again = await follow(reader(), rooms, now)
  t.same([again.lost, again.recovered], [[], true])
})

t.test('a room that came into being meanwhile is lost if anything was said in it', async t => {
  const { say, follow, reader } = world(t)
  const { positions } = await follow(reader(), rooms.slice(0, 1))
  const { lost, recovered } = await follow(reader(), rooms, positions)
  t.same({ lost, recovered }, { lost: [], recovered: true })
  await say(rooms[2])
  t.match(await follow(reader(), rooms, positions), { lost: [rooms[2]], recovered: false })
  t.match(await follow(reader(), rooms, {}), { lost: [rooms[2]], recovered: false }, 'naming none is naming others')
})

t.test('rooms that nobody asked for are not joined by naming them', async t => {
  const { say, follow, reader } = world(t)
  const { positions } = await follow(reader(), rooms)
  await say(rooms[1])
  const one = reader()
  t.same(Object.keys((await follow(one, rooms.slice(0, 1), positions)).positions), [rooms[0]])
  await say(rooms[1])
  t.same(one.got, [])
})

const homes = ['news:a', 'news:b', 'news:c'] as const
const feed = 'feed'
const elsewhere = 'elsewhere'

/** Three home rooms, and a room that hears of them. */
function feedWorld (t: Test) {
  const wire = new Wire(createMemoryJournal({ ttlSeconds: 60, events: 5 }))
  const one = new Process(wire)
  t.teardown(() => one.delivery.stop())
  let readers = 0
  return {
    wire,
    say: async (home: string, count = 1, to: string = feed) => {
      for (let i = 0; i < count; i++) await wire.append({ ...event(i, { home }), rooms: [home, to] })
    },
    follow: async (reader: Reader, known: readonly string[], since?: Positions, complete = true) => await followFeed(one.delivery, reader.socket, {
      rooms: [feed], home: room('news:{name}'), homes: async () => ({ rooms: [...known], complete })
    }, since),
    reader: () => new Reader(one, `reader-${readers++}`)
  }
}
const places = ({ got }: Reader, home: string): number[] => got.filter(({ meta }) => meta.room === home).map(({ meta }) => meta.offset)
const until = async (isSo: () => boolean): Promise<void> => { while (!isSo()) await new Promise(resolve => setImmediate(resolve)) }

t.test('a feed is made up for home room by home room, also while more is said', async t => {
  const { wire, say, follow, reader } = feedWorld(t)
  const { positions } = await follow(reader(), homes)
  t.same(Object.values(positions).map(({ offset }) => offset), [0, 0, 0])
  await say(homes[0], 2)
  await say(homes[1], 1)
  await say(homes[1], 1, elsewhere)
  const answers = [gate(), gate(), gate()]
  let read = 0
  wire.before = async what => { if (what === 'read') await answers[read++]?.promise }
  const one = reader()
  one.enter(feed)
  const following = follow(one, homes, positions)
  await until(() => read === 3)
  await say(homes[0])
  answers[2]?.open()
  answers[0]?.open()
  await until(() => one.got.length >= 3)
  for (const home of homes) await say(home)
  answers[1]?.open()
  const { lost } = await following
  t.same(lost, [])
  await say(homes[1])
  t.same(homes.map(home => places(one, home)), [[1, 2, 3, 4], [1, 3, 4], [1]], 'each once, in order, and nothing that goes elsewhere')
})

t.test('what a feed cannot make up for is lost', async t => {
  const { say, follow, reader } = feedWorld(t)
  const { positions } = await follow(reader(), homes.slice(0, 2))
  await say(homes[0], 6)
  await say(homes[1])
  await say(homes[2])
  const one = reader()
  t.match(await follow(one, homes.slice(1), positions), { lost: [homes[2], homes[0]], recovered: false }, 'it came meanwhile, it is not there any more')
  t.match(await follow(reader(), homes.slice(0, 2), positions), { lost: [homes[0]], recovered: false }, 'too much was said')
  t.same(one.got.map(({ meta }) => meta.room), [homes[1]])
  const { positions: now } = await follow(reader(), homes)
  t.match(await follow(reader(), homes, now, false), { lost: [feed], recovered: false }, 'there are more than it has places for')
  t.same((await follow(reader(), homes, undefined, false)).lost, [], 'who says nothing of where they were has lost nothing')
  t.same((await follow(reader(), homes, { ...now, 'other:a': { epoch: '1', offset: 5 } })).lost, [], 'places of others are not its')
})

t.test('a home room that came into being while the feed was entered is told of', async t => {
  const { wire, say, follow, reader } = feedWorld(t)
  const { positions } = await follow(reader(), homes.slice(0, 1))
  const known: string[] = [homes[0]]
  wire.before = async what => {
    if (what !== 'read' || known.length > 1) return
    known.push(homes[1])
    await say(homes[1])
  }
  t.match(await follow(reader(), known, positions), { lost: [homes[1]], positions: { [homes[1]]: { offset: 1 } } })
})

t.test('a feed of which one home room cannot be read is left, so that none of the others hides the hole', async t => {
  const { wire, say, follow, reader } = feedWorld(t)
  const { positions } = await follow(reader(), homes)
  await say(homes[0])
  let read = 0
  wire.before = async what => { if (what === 'read' && read++ === 1) throw new Error('away') }
  const one = reader()
  one.enter(feed)
  await t.rejects(follow(one, homes, positions), { message: 'away' })
  const before = one.got.length
  for (const home of homes) await say(home)
  t.equal(one.got.length, before)
  const { recovered } = await follow(one, homes, positions)
  t.ok(recovered)
  t.same(homes.map(home => places({ got: one.got.slice(before) } as Reader, home)), [[1, 2], [1], [1]])
})

t.test('who has no home room yet hears what comes', async t => {
  const { say, follow, reader } = feedWorld(t)
  const one = reader()
  t.same(await follow(one, [], {}), { positions: {}, lost: [], recovered: true })
  await say(homes[0])
  t.same(places(one, homes[0]), [1])
})

t.test('positions are places, and few', async t => {
  const validator = Compile(Positions)
  const check = (value: unknown): boolean => validator.Check(value)
  t.ok(check({}) && check({ a: { epoch: '1', offset: 0 } }))
  const strange = [{ epoch: '', offset: 0 }, { epoch: '1', offset: -1 }, { epoch: '1', offset: 1.5 }, { epoch: 1, offset: 1 }, { epoch: '1', offset: '1' }, { epoch: '1' }, { offset: 1 }, { epoch: '1', offset: 1, more: 1 }, null, 5]
  for (const place of strange) t.notOk(check({ a: place }), JSON.stringify(place))
  t.notOk(check(Object.fromEntries(Array.from({ length: 101 }, (_, i) => [i, { epoch: '1', offset: 0 }]))))
})
