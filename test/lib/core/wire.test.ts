import { randomBytes, randomUUID } from 'node:crypto'
import { once } from 'node:events'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import fc from 'fast-check'
import type { Server, Socket } from 'socket.io'
import t, { type Test } from 'tap'
import { Closed, contract, Id, Payload, receives, room, sends } from '../../../index.ts'
import { installed } from '../../../lib/core/installed.ts'
import { insidesOf, reached, shortWay, tested } from '../../../lib/core/wire.ts'
import Type from 'typebox'
import WebSocket from 'ws'
import { build, token, type App } from '../../app.ts'
import { patienceMs, type Client } from '../../client.ts'

/** The short way to the readers: what they get, and in which order, is what Socket.IO gives them. */

const ofClass = room('class:{classId}')
const ofPair = room('pair:{pairId}')
const Said = { classId: Id, text: Type.String() }
const talk = contract({
  namespace: '/talk',
  summary: 'For the test.',
  admits: ['student'],
  receives: {
    enter: receives({ summary: 'Joins.', payload: Closed({ rooms: Type.Array(Type.String()) }), who: ['student'] }),
    leave: receives({ summary: 'Leaves.', payload: Closed({ rooms: Type.Array(Type.String()) }), who: ['student'] }),
    ask: receives({ summary: 'Asks.', payload: Closed({ text: Type.String() }), ack: Type.Object({ text: Type.String() }), who: ['student'] }),
    tell: receives({ summary: 'Hears of it in every way.', payload: Closed({ text: Type.String() }), ack: Type.Object({ text: Type.String() }), who: ['student'] })
  },
  sends: {
    said: sends({ summary: 'To a class.', payload: Payload(Said), rooms: [ofClass], kept: false, newest: () => randomUUID() }),
    kept: sends({ summary: 'To a class, kept.', payload: Payload(Said), rooms: [ofClass], kept: true }),
    both: sends({ summary: 'To two rooms.', payload: Payload({ ...Said, pairId: Id }), rooms: [ofClass, ofPair], kept: false, newest: () => randomUUID() })
  }
})

type Emit = ReturnType<App['app']['classwaves']['serve']>

async function scene (t: Test, fastWire: boolean, io: Record<string, unknown> = {}) {
  const app = await build(t, { fastWire, io, limits: { eventsPerSecond: 100_000, eventBurst: 100_000, handshakesPer10Seconds: 1_000, waitingBytes: 16 * 1024 * 1024 } })
  const emit = app.app.classwaves.serve(talk, {
    enter: async ({ join }, { rooms }) => await join(...rooms),
    leave: async ({ leave }, { rooms }) => await leave(...rooms),
    ask: async (_context, { text }) => ({ text }),
    tell: async ({ emit, reply }, { text }) => {
      reply('said', { classId: 'c', text: `${text} alone` })
      await emit.to({ classId: 'c' }).emit('said', { classId: 'c', text: `${text} to all` })
      return { text }
    }
  }) as Emit
  const connect = async (transports?: string[]): Promise<Client> => await app.connect('/talk', token({ role: 'student' }), transports && { transports })
  const serverSide = ({ socket }: Client): Socket => app.app.io.of('/talk').sockets.get(socket.id as string) as Socket
  return { app, emit, connect, serverSide }
}

/** How many system calls a connection has been given work for. */
function counted (socket: Socket): { writes: number } {
  const { _handle: handle } = (socket.conn.transport as unknown as { socket: { _socket: { _handle: Record<string, (...args: unknown[]) => unknown> } } }).socket._socket
  const count = { writes: 0 }
  for (const name of ['writev', 'writeBuffer', 'writeUtf8String', 'writeLatin1String']) {
    const write = handle[name] as (...args: unknown[]) => unknown
    handle[name] = (...args) => { count.writes++; return write.apply(handle, args) }
  }
  return count
}

/** How many packets a connection has been given by way of the engine. */
function throughEngine ({ conn }: Socket): { packets: number } {
  const count = { packets: 0 }
  conn.on('packetCreate', ({ type }: { type: string }) => { if (type === 'message') count.packets++ })
  return count
}

const texts = ({ records }: Client): unknown[] => records.map(({ event, payload }) => `${event} ${(payload as { text: string }).text}`)

async function until (condition: () => boolean): Promise<void> {
  for (const end = Date.now() + patienceMs; !condition(); await new Promise(resolve => setTimeout(resolve, 2))) if (Date.now() > end) throw new Error('it did not come about')
}

type Step =
  | { do: 'say' | 'keep' | 'both', to: number, size: number }
  | { do: 'single' | 'ask' | 'pause' | 'resume' | 'cut' | 'listen', who: number }
  | { do: 'enter' | 'leave', who: number, to: number }
  | { do: 'breathe' }

const to = fc.integer({ min: 0, max: 1 })
const who = fc.integer({ min: 0, max: 3 })
const step: fc.Arbitrary<Step> = fc.oneof(
  { weight: 8, arbitrary: fc.record({ do: fc.constantFrom('say' as const, 'keep' as const, 'both' as const), to, size: fc.constantFrom(1, 100, 124, 200, 5_000, 70_000) }) },
  { weight: 4, arbitrary: fc.record({ do: fc.constantFrom('single' as const, 'ask' as const), who }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constantFrom('enter' as const, 'leave' as const), who, to }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constantFrom('pause' as const, 'resume' as const), who }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('listen' as const), who }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('cut' as const), who: fc.constant(3) }) },
  { weight: 3, arbitrary: fc.constant({ do: 'breathe' as const }) }
)

/** Three readers over WebSocket, one over polling; all that each got, and then what its listeners on the server were told, in its order. */
async function play (t: Test, fastWire: boolean, steps: readonly Step[]): Promise<unknown[][]> {
  const { app, emit, connect, serverSide } = await scene(t, fastWire)
  const clients = await Promise.all([connect(), connect(), connect(['polling']), connect()])
  for (const one of clients) await one.ok('enter' as never, { rooms: ['class:c0'] } as never)
  const wire = (one: Client): { pause (): void, resume (): void } | undefined => (one.socket.io.engine.transport as unknown as { ws?: { pause (): void, resume (): void } }).ws
  const told: string[][] = clients.map(() => [])
  let number = 0
  const answers: Promise<unknown>[] = []
  for (const step of steps) {
    const client = clients['who' in step ? step.who : 0] as Client
    const server = serverSide(client)
    const text = `${++number}`
    if (step.do === 'breathe') await new Promise(resolve => setImmediate(resolve))
    else if (step.do === 'say' || step.do === 'keep' || step.do === 'both') {
      const classId = `c${step.to}`
      const long = text + '语'.repeat(step.size / 3)
      void emit.to({ classId, pairId: 'p' }).emit(({ say: 'said', keep: 'kept', both: 'both' } as const)[step.do], { classId, text: long, ...(step.do === 'both' && { pairId: 'p' }) } as never)
    } else if (!server) continue
    else if (step.do === 'single') server.emit('single', { text }, {})
    else if (step.do === 'ask') answers.push(client.raw('ask', { text }).catch(() => {}))
    else if (step.do === 'enter') await server.join([`class:c${step.to}`, 'pair:p'])
    else if (step.do === 'leave') await server.leave(`class:c${step.to}`)
    else if (step.do === 'listen') server.onAnyOutgoing((event: string, { text: said }: { text?: string }) => said !== undefined && told[step.who]?.push(`${text} ${event} ${said.slice(0, 10)}`)) // closing has no text
    else if (step.do === 'cut') server.conn.close()
    else wire(client)?.[step.do]()
  }
  for (const one of clients) wire(one)?.resume()
  await Promise.all(answers)
  for (const one of clients) {
    const server = serverSide(one)
    if (!server) continue
    server.emit('end', { text: '' }, {})
    await until(() => one.gone !== undefined || one.records.some(({ event }) => event === 'end'))
  }
  await app.app.close()
  return [...clients.map(one => texts(one).map(text => (text as string).slice(0, 20))), ...told]
}

t.test('whatever is sent, each reader gets the same in the same order as from Socket.IO', async t => {
  await fc.assert(fc.asyncProperty(fc.array(step, { minLength: 5, maxLength: 60 }), async steps => {
    const [short, stock] = [await play(t, true, steps), await play(t, false, steps)]
    // One that was cut off has got the beginning of it, on either way, and so have its listeners.
    for (const [i, one] of short.entries()) {
      const other = stock[i] ?? []
      const same = i % 4 === 3 ? Math.min(one.length, other.length) : Infinity
      t.same(one.slice(0, same), other.slice(0, same))
    }
  }), { numRuns: 5 })
})

t.test('broadcasts and answers of one turn leave together, and nothing overtakes', async t => {
  for (const fastWire of [true, false]) {
    const { emit, connect, serverSide } = await scene(t, fastWire)
    const client = await connect()
    await client.ok('enter' as never, { rooms: ['class:c'] } as never)
    const server = serverSide(client)
    const count = counted(server)
    for (let i = 0; i < 10; i++) {
      void emit.to({ classId: 'c' }).emit('said' as never, { classId: 'c', text: `${i}` } as never)
      await Promise.resolve()
    }
    await until(() => client.records.length === 10)
    t.same(texts(client), Array.from({ length: 10 }, (_, i) => `said ${i}`))
    if (fastWire) t.ok(count.writes <= 3, `${count.writes} writes`)
    else t.ok(count.writes >= 10, `${count.writes} writes without it`)
  }
})

t.test('answers go the short way, in their place between events, those of one turn in as few writes as may be', async t => {
  for (const fastWire of [true, false]) {
    const { connect, serverSide } = await scene(t, fastWire)
    const client = await connect()
    await client.ok('enter' as never, { rooms: ['class:c'] } as never)
    const server = serverSide(client)
    const count = counted(server)
    const engine = throughEngine(server)
    const heard: string[] = []
    client.socket.on('said', ({ text }: { text: string }) => heard.push(text))
    const questions = Array.from({ length: 20 }, (_, i) => `${i} ${'语'.repeat(i * 5)}`)
    for (const text of questions) client.socket.emit('tell', { text }, ({ text }: { text: string }) => heard.push(`${text} answered`))
    await until(() => heard.length === 3 * questions.length)
    t.same(heard, questions.flatMap(text => [`${text} alone`, `${text} to all`, `${text} answered`]))
    if (fastWire) {
      t.equal(engine.packets, 0)
      t.ok(count.writes <= 20, `${count.writes} writes`)
    } else t.equal(engine.packets, 60)
  }
})

t.test('an answer waits behind what waits for its reader in the engine', async t => {
  const { connect, serverSide } = await scene(t, true)
  const client = await connect()
  const server = serverSide(client)
  const heard: string[] = []
  client.socket.on('told', ({ text }: { text: string }) => heard.push(text))
  const { transport } = server.conn as unknown as { transport: { writable: boolean, emit (event: 'ready'): void } }
  transport.writable = false
  server.emit('told', { text: 'first', bytes: Buffer.from('goes with the engine') })
  const answered = client.raw('ask', { text: 'second' }).then(({ text }) => heard.push(text as string))
  await until(() => (server.conn as unknown as { writeBuffer: { data: unknown }[] }).writeBuffer.some(({ data }) => String(data).includes('second')))
  transport.writable = true
  transport.emit('ready')
  await answered
  t.same(heard, ['first', 'second'])
})

t.test('listeners for outgoing packets are told of each broadcast, and who has none any more is on the short way again', async t => {
  const { emit, connect, serverSide } = await scene(t, true)
  const [client, other] = [await connect(), await connect()]
  for (const one of [client, other]) await one.ok('enter' as never, { rooms: ['class:c'] } as never)
  const server = serverSide(client)
  const [engine, ofOther] = [throughEngine(server), throughEngine(serverSide(other))]
  const told: string[] = []
  const listener = (event: string, { text }: { text: string }): void => { told.push(`${event} ${text}`) }
  const say = async (text: string): Promise<void> => await emit.to({ classId: 'c' }).emit('kept' as never, { classId: 'c', text } as never)
  await say('before')
  server.onAnyOutgoing(listener)
  await say('one')
  await say('two')
  await until(() => client.records.length === 3)
  server.offAnyOutgoing(listener)
  await say('after')
  const all = ['kept before', 'kept one', 'kept two', 'kept after']
  await until(() => [client, other].every(({ records }) => records.length === all.length))
  t.same([told, texts(client), texts(other)], [['kept one', 'kept two'], all, all])
  t.same([engine.packets, ofOther.packets], [2, 0])
})

t.test('with compression all goes through the engine, and nothing overtakes what is still compressed', async t => {
  const { emit, connect, serverSide } = await scene(t, true, { perMessageDeflate: { threshold: 0 } })
  const client = await connect()
  await client.ok('enter' as never, { rooms: ['class:c'] } as never)
  const server = serverSide(client)
  t.equal((server.conn.transport as unknown as { socket: { extensions: string } }).socket.extensions, 'permessage-deflate')
  const engine = throughEngine(server)
  const expected: string[] = []
  for (let i = 0; i < 20; i++) {
    server.emit('single', { text: `${i}`, bytes: randomBytes(50_000) }) // a packet for the text and one for the bytes
    await emit.to({ classId: 'c' }).emit('kept' as never, { classId: 'c', text: `${i}` } as never)
    expected.push(`single ${i}`, `kept ${i}`)
  }
  await until(() => client.records.length === expected.length)
  t.same(texts(client), expected)
  t.equal(engine.packets, 60)
})

t.test('with connectionStateRecovery all goes as Socket.IO does it, so that who comes back gets what was said meanwhile', async t => {
  const { app, emit, connect, serverSide } = await scene(t, true, { connectionStateRecovery: { skipMiddlewares: false } })
  t.match(app.log(), '"reason":"connectionStateRecovery counts packets","msg":"fastWire is not used with this Socket.IO"')
  const reader = await app.connect('/talk', token({ role: 'student' }), { reconnection: true, reconnectionDelay: 200 })
  for (const one of [reader, await connect()]) await one.ok('enter' as never, { rooms: ['class:c'] } as never)
  const say = async (text: string): Promise<void> => await emit.to({ classId: 'c' }).emit('kept' as never, { classId: 'c', text } as never)
  await say('one')
  await until(() => reader.records.length === 1)
  serverSide(reader).conn.close()
  await reader.end()
  await say('two')
  await until(() => reader.socket.connected)
  await reader.flush()
  t.ok(reader.socket.recovered)
  t.same(texts(reader), ['kept one', 'kept two'])
})

t.test('who goes over from polling to WebSocket while much is said gets all of it, once and in its order', async t => {
  const { emit, connect, serverSide } = await scene(t, true)
  let said = 0
  const over = new AbortController()
  const talking = (async () => {
    for (; !over.signal.aborted; await new Promise(resolve => setTimeout(resolve, 1))) await emit.to({ classId: 'c' }).emit('kept' as never, { classId: 'c', text: `${++said}` } as never)
  })()
  for (let round = 0; round < 5; round++) {
    const clients = await Promise.all(Array.from({ length: 10 }, async () => {
      const one = await connect(['polling', 'websocket'])
      await one.ok('enter' as never, { rooms: ['class:c'] } as never)
      return one
    }))
    await until(() => clients.every(one => serverSide(one).conn.transport.name === 'websocket'))
    const engines = clients.map(one => throughEngine(serverSide(one)))
    const last = said + 10
    await until(() => clients.every(one => one.records.length > 0 && Number((one.records.at(-1)?.payload as { text: string }).text) >= last))
    for (const [i, one] of clients.entries()) {
      const numbers = one.records.map(({ payload }) => Number((payload as { text: string }).text))
      t.same(numbers, numbers.map((_, i) => (numbers[0] as number) + i))
      t.equal(engines[i]?.packets, 0, 'after which it is on the short way')
      one.close()
    }
  }
  over.abort()
  await talking
})

t.test('in the middle of an upgrade all goes through the engine, also when WebSocket is what is left', async t => {
  const { app, emit, connect, serverSide } = await scene(t, true)
  const client = await connect()
  await client.ok('enter' as never, { rooms: ['class:c'] } as never)
  const server = serverSide(client)
  const engine = throughEngine(server)
  const say = async (text: string): Promise<void> => await emit.to({ classId: 'c' }).emit('kept' as never, { classId: 'c', text } as never)
  const probe = new WebSocket(`${app.url.replace('http', 'ws')}/socket.io/?EIO=4&transport=websocket&sid=${(server.conn as unknown as { id: string }).id}`)
  t.teardown(() => probe.terminate())
  await once(probe, 'open')
  probe.send('2probe')
  await once(probe, 'message')
  await say('while it lasts')
  t.equal(engine.packets, 1)
  probe.close()
  await until(() => !(server.conn as unknown as { upgrading: boolean }).upgrading)
  await say('when it has failed')
  await until(() => client.records.length === 2)
  t.same(texts(client), ['kept while it lasts', 'kept when it has failed'])
  t.equal(engine.packets, 1)
})

t.test('frames of every length, and text of several bytes a character', async t => {
  const { emit, connect } = await scene(t, true)
  const client = await connect()
  await client.ok('enter' as never, { rooms: ['class:c'] } as never)
  const sizes = [0, 1, 20, 60, 124, 125, 126, 127, 1_000, 21_000, 65_300, 65_536, 70_000]
  for (const size of sizes) await emit.to({ classId: 'c' }).emit('said' as never, { classId: 'c', text: '語'.repeat(size) } as never)
  await until(() => client.records.length === sizes.length)
  t.same(client.records.map(({ payload }) => (payload as { text: string }).text.length), sizes)
})

t.test('who is in a room when it is said gets it, also who was let in late', async t => {
  const { app, emit, connect, serverSide } = await scene(t, true)
  app.app.io.of('/talk').use(async (socket, next) => {
    await socket.join('class:c') // before it is let in
    await emit.to({ classId: 'c' }).emit('said' as never, { classId: 'c', text: 'too early for it' } as never)
    next()
  })
  const [first, second] = [await connect(), await connect()]
  await emit.to({ classId: 'c' }).emit('said' as never, { classId: 'c', text: 'all' } as never)
  await until(() => second.records.length > 0 && first.records.length > 1)
  t.same([texts(first), texts(second)], [['said too early for it', 'said all'], ['said all']])
  await serverSide(first).leave('class:c')
  await emit.to({ classId: 'c' }).emit('said' as never, { classId: 'c', text: 'one' } as never)
  await until(() => second.records.length > 1)
  await first.flush()
  t.equal(first.records.length, 2, 'who has left does not')
})

t.test('a server that was not tested with this goes the stock way', async t => {
  const { app } = await scene(t, false)
  const io = app.app.io as Server
  const versions = { 'socket.io': '4.8.1', 'socket.io-adapter': '2.5.5', 'engine.io': '6.6.11', ws: '8.21.3' }
  t.ok('broadcast' in shortWay(io, { waitingBytes: 1, versions }))
  for (const name of Object.keys(tested)) t.match(shortWay(io, { waitingBytes: 1, versions: { ...versions, [name]: '99.0.0' } }), { unfit: `${name} is 99.0.0` })

  for (const [whose, names] of Object.entries(reached)) {
    t.same(shortWay(io, { waitingBytes: 1, versions, insides: { ...insidesOf(io), [whose]: undefined } }), { unfit: `${whose} has no ${names[0]}` })
    for (const name of names) {
      const without = Object.fromEntries(names.filter(other => other !== name).map(other => [other, () => {}]))
      t.same(shortWay(io, { waitingBytes: 1, versions, insides: { ...insidesOf(io), [whose]: without } }), { unfit: `${whose} has no ${name}` })
    }
  }
})

t.test('the versions are those that are installed, each where it is', async t => {
  const folder = t.testdir({
    node_modules: {
      'socket.io': {
        'package.json': '{"name":"socket.io","version":"4.8.1"}',
        'index.js': '',
        node_modules: { 'engine.io': { 'package.json': '{"name":"engine.io","version":"6.7.0"}', 'index.js': '' } }
      },
      'socket.io-adapter': { 'package.json': '{"name":"socket.io-adapter","version":"2.5.5"}', 'index.js': '' },
      'engine.io': { 'package.json': '{"name":"engine.io","version":"6.6.2"}', 'index.js': '' },
      ws: { 'package.json': '{"name":"another"}', 'index.js': '' }
    }
  })
  const { app } = await scene(t, false)
  const versions = installed(join(folder, 'ours.js'))
  t.same(versions, { 'socket.io': '4.8.1', 'socket.io-adapter': '2.5.5', 'engine.io': '6.7.0', ws: 'not found' })
  t.same(shortWay(app.app.io, { waitingBytes: 1, versions }), { unfit: 'engine.io is 6.7.0, tested is 6.6.x' })
  const none = await mkdtemp(join(tmpdir(), 'classwaves-'))
  t.teardown(() => rm(none, { recursive: true }))
  t.same(new Set(Object.values(installed(join(none, 'bundle.js')))), new Set(['not found']), 'as in a bundle, which has no packages around it')
})

t.test('a connection that has not what it had when this was tested is written to by the engine', async t => {
  const { app, emit, connect, serverSide } = await scene(t, true)
  app.app.io.engine.on('connection', (connection: { upgrading?: boolean }) => { delete connection.upgrading })
  const client = await connect()
  await client.ok('enter' as never, { rooms: ['class:c'] } as never)
  const engine = throughEngine(serverSide(client))
  await emit.to({ classId: 'c' }).emit('kept' as never, { classId: 'c', text: 'said' } as never)
  await until(() => client.records.length === 1)
  t.equal(engine.packets, 1)
})
