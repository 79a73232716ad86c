import { setTimeout as pause } from 'node:timers/promises'
import t from 'tap'
import { createRedisJournal, journalKeys } from '../../../lib/core/journal-redis.ts'
import type { Heard, Position } from '../../../lib/core/journal.ts'
import { connect, quiet, subscriber, type RedisClient } from '../../../lib/core/redis.ts'
import { appendAll, event, journalConforms, ttlSeconds } from '../../conformance/journal.ts'
import { journalModel } from '../../conformance/journal-model.ts'
import { startProxy } from '../../faults/proxy.ts'
import { ready, startCluster, startRedis, useRedis, type Owner } from '../../redis.ts'

const namespace = '/sessions'
const room = 'session:s1'
const names = { room: `{${namespace}#${room}}` }

/** A journal as a server has it. `reconnected` counts how often it was told that it may have missed something. */
function journalOn (t: Owner, client: RedisClient, options: { events?: number } = {}) {
  const foreign: unknown[] = []
  const subscription = quiet(subscriber(client))
  const journal = createRedisJournal({ client: () => client, subscription, ttlSeconds, onForeign: error => foreign.push(error), ...options })
  t.teardown(() => journal.close())
  return { journal, subscription, foreign }
}

const shared = (await useRedis(t)).client()
await shared.ping()

async function age (ms: number): Promise<void> {
  await pause(2) // an epoch is named after its millisecond, and so much time does not pass in one
  for (const key of await shared.keys('events:*')) await shared.pexpire(key, await shared.pttl(key) - ms)
}

const backend = {
  async open (options = {}) {
    await shared.flushdb()
    const { journal, subscription } = journalOn(t, shared, options)
    await ready(subscription)
    return journal
  },
  age
}

journalConforms(t, backend)
journalModel(t, backend, 60)

t.test('every key is declared, lives as long as it says, and holds what it says', async t => {
  const journal = await backend.open({ events: 10 })
  await appendAll(journal, 30)
  await journal.append(event({}, { id: 'status#2' }))
  t.same((await shared.keys('*')).sort(), Object.values(journalKeys).map(key => key(names)).sort())
  for (const key of await shared.keys('*')) t.ok(await shared.pttl(key) > (ttlSeconds - 5) * 1000, key)
  t.equal(await shared.xlen(journalKeys.events(names)), 10)
  t.equal(await shared.hlen(journalKeys.ids(names)), 10, 'no ids but those of the kept events')
  t.same((await shared.hkeys(journalKeys.log(names))).sort(), ['epoch', 'high:status', 'offset', 'run'])
  t.notMatch(JSON.stringify(await shared.hgetall(journalKeys.log(names))), /said/, 'and what outlives the events holds no word of them')
})

for (const persistent of [true, false]) {
  t.test(`Redis restarts ${persistent ? 'with' : 'without'} its data: another epoch, and both ends go on by themselves`, async t => {
    const server = await startRedis(t, { persistent })
    const client = quiet(connect(server.url))
    t.teardown(() => client.disconnect())
    const { journal, subscription } = journalOn(t, client)
    const heard: Heard[] = []
    let reconnected = 0
    journal.listen(one => heard.push(one), () => reconnected++)
    await until(() => reconnected === 1)
    await journal.append(event({}, { id: 'a' }))
    await journal.append(event({}, { id: 'status#2' }))
    const before = await journal.position(namespace, room)
    await server.kill()
    await t.rejects(journal.append(event()), { code: 'UNAVAILABLE' })
    await Promise.all([server.restart(), ready(client), ready(subscription)])
    const after = await journal.position(namespace, room)
    t.equal(after.offset, 0)
    t.ok(Number(after.epoch) > Number(before.epoch))
    const { events, lost } = await journal.read(namespace, room, before, 10)
    t.same({ events, lost }, { events: [], lost: true }, 'nobody can say what of it was saved')
    t.same((await journal.oldest(namespace, room, 10)).events, [])
    t.same(await journal.append(event({}, { id: 'a' })), { ...after, offset: 1 })
    const told = await journal.append(event({}, { id: 'status#2' }))
    t.equal(told.offset, persistent ? 1 : 2, persistent ? 'a series that was told is not told again' : 'what is forgotten is told again')
    await until(() => heard.length === told.offset + 2 && reconnected === 2)
    t.same(heard.map(one => one.position.epoch === after.epoch), [false, false, ...Array.from({ length: told.offset }, () => true)])
  })
}

t.test('after each new connection, what is not in the position that is asked then is heard', async t => {
  const server = await startRedis(t)
  const proxy = await startProxy(t, server.port)
  const client = server.client()
  await client.ping()
  const subscription = quiet(connect(`redis://127.0.0.1:${proxy.port}`))
  const journal = createRedisJournal({ client: () => client, subscription, ttlSeconds })
  t.teardown(() => journal.close())
  const heard = new Set<number>()
  const asked: Promise<Position>[] = []
  journal.listen(({ position }) => heard.add(position.offset), () => asked.push(journal.position(namespace, room)))
  await until(() => asked.length === 1)
  // The way of the subscription is longer than that of the question.
  proxy.delay(20)
  for (let turn = 2; turn <= 5; turn++) {
    proxy.reset()
    while (asked.length < turn) await journal.append(event())
    const { offset: from } = await (asked.at(-1) as Promise<Position>)
    const { offset: to } = await journal.append(event())
    await until(() => heard.has(to))
    t.same([...heard].filter(offset => offset > from).length, to - from, `${from + 1} to ${to}`)
  }
})

t.test('an answer that is lost and asked for again counts once, however many are on their way', async t => {
  const server = await startRedis(t)
  const client = server.client({ retryStrategy: () => 20 })
  await client.ping()
  const journal = createRedisJournal({ client: () => client, ttlSeconds })
  await journal.append(event())
  const appending = Promise.allSettled(Array.from({ length: 500 }, async (_, n) => await journal.append(event({ n }))))
  client.disconnect(true)
  const settled = await appending
  t.ok(settled.every(one => one.status === 'fulfilled'))
  t.equal((await journal.position(namespace, room)).offset, 501)
})

t.test('Redis throws single keys out', async t => {
  for (const name of ['log', 'events', 'ids'] as const) {
    const journal = await backend.open()
    await appendAll(journal, 5)
    const before = await journal.position(namespace, room)
    await shared.del(journalKeys[name](names))
    const page = await journal.read(namespace, room, { ...before, offset: 2 }, 10)
    t.equal(page.lost, name !== 'ids', `${name}: told, never a wrong event`)
    const next = await journal.append(event({ n: 6 }))
    t.equal(next.epoch === before.epoch, name !== 'log')
    t.match(await journal.read(namespace, room, { ...next, offset: next.offset - 1 }, 10), { lost: false, events: [{ payload: { n: 6 } }] })
  }
})

t.test('Redis without memory, read-only, or without its scripts', async t => {
  const server = await startRedis(t)
  const client = server.client()
  await client.ping()
  const { journal } = journalOn(t, client)
  const heard: Heard[] = []
  await new Promise<void>(resolve => journal.listen(one => heard.push(one), resolve))
  await appendAll(journal, 3)
  const before = await journal.position(namespace, room)
  await client.config('SET', 'maxmemory', '1', 'maxmemory-policy', 'noeviction')
  await t.rejects(journal.append(event()), { code: 'UNAVAILABLE' })
  t.match(await journal.read(namespace, room, { ...before, offset: 0 }, 10), { events: { length: 3 } }, 'who was away still hears')
  await client.config('SET', 'maxmemory', '0')
  await client.replicaof('127.0.0.1', '1')
  await t.rejects(journal.append(event()), { code: 'UNAVAILABLE' })
  t.match(await journal.read(namespace, room, { ...before, offset: 0 }, 10), { events: { length: 3 } })
  await client.replicaof('NO', 'ONE')
  for (let n = 4; n <= 50; n++) {
    await client.script('FLUSH')
    t.same(await journal.append(event({ n })), { ...before, offset: n })
  }
  await until(() => heard.length === 50)
})

t.test('foreign bytes on the channel are passed over, and said', async t => {
  const journal = await backend.open()
  const said: string[] = []
  const { journal: ears, foreign } = journalOn(t, shared)
  await new Promise<void>(resolve => ears.listen(({ namespace, rooms, open }) => said.push(`${namespace} ${String(rooms)} ${open().event}`), resolve))
  const strange = [
    '', '\n', 'x', '1 2', '1 2 {}', '1 2 {}\n{}', '1 2 null\n', '1 2 {"namespace":1,"rooms":["a"]}\n{}', '1 2 {"namespace":"/sessions","rooms":[]}\n{}',
    '1 2 {"namespace":"/sessions","rooms":"a"}\n{}', '1 2 {"namespace":"/sessions","rooms":[1]}\n{}', '-1 2 {}\n{}', '1 2 {"namespace":"/sessions","rooms":["a"]}\n{', '\u0000\ufffd'
  ]
  for (const bytes of strange) await shared.publish('classwaves:events', bytes)
  await shared.publish('classwaves:events', Buffer.from([0xff, 0x00, 0xc1]))
  await journal.append(event())
  await until(() => said.length === 1)
  t.same(said, [`${namespace} ${room},${room}:other said`])
  t.equal(foreign.length, strange.length + 1)
  const bodies = ['x', 'null', '{}', '{"event":7}', '{"event":"disconnect","payload":{},"meta":{}}', '{"event":"said","payload":{},"meta":null}', '{"event":"said","payload":{}}']
  for (const body of bodies) await shared.publish('classwaves:events', `1 2 {"namespace":"/sessions","rooms":["a"]}\n${body}`)
  await until(() => foreign.length === strange.length + 1 + bodies.length)
  t.equal(said.length, 1, 'nor is what only those see who look into it')
})

t.test('on a cluster the keys of a room share a slot', async t => {
  const { cluster } = await startCluster(t)
  const { journal } = journalOn(t, cluster)
  let heard = 0
  await new Promise<void>(resolve => journal.listen(() => heard++, resolve))
  await appendAll(journal, 20)
  t.match(await journal.oldest(namespace, room, 100), { events: { length: 20 } })
  await until(() => heard === 20)
  await cluster.call('DEL', ...Object.values(journalKeys).map(key => key(names)))
})

async function until (condition: () => boolean): Promise<void> {
  const end = performance.now() + 10_000
  while (!condition()) {
    if (performance.now() > end) throw new Error('it did not come to that')
    await pause(5)
  }
}
