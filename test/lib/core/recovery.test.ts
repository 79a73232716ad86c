import t, { type Test } from 'tap'
import { Compile } from 'typebox/compile'
import { createMemoryJournal } from '../../../lib/core/journal-memory.ts'
import { followAll, Positions } from '../../../lib/core/recovery.ts'
import { event } from '../../conformance/journal.ts'
import { Process, Reader, Wire } from './delivery-world.ts'

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

t.test('positions are places, and few', async t => {
  const validator = Compile(Positions)
  const check = (value: unknown): boolean => validator.Check(value)
  t.ok(check({}) && check({ a: { epoch: '1', offset: 0 } }))
  const strange = [{ epoch: '', offset: 0 }, { epoch: '1', offset: -1 }, { epoch: '1', offset: 1.5 }, { epoch: 1, offset: 1 }, { epoch: '1', offset: '1' }, { epoch: '1' }, { offset: 1 }, { epoch: '1', offset: 1, more: 1 }, null, 5]
  for (const place of strange) t.notOk(check({ a: place }), JSON.stringify(place))
  t.notOk(check(Object.fromEntries(Array.from({ length: 101 }, (_, i) => [i, { epoch: '1', offset: 0 }]))))
})
