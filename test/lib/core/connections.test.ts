import { EventEmitter } from 'node:events'
import { mock } from 'node:test'
import type { Server, Socket } from 'socket.io'
import t, { type Test } from 'tap'
import { Connections, slowConsumerCode } from '../../../lib/core/connections.ts'
import { Limits } from '../../../lib/core/limits.ts'
import { parse } from '../../../lib/core/options.ts'

/** The rules, on a connection that writes when it is told to. */

const limits = { ...parse(Limits), waitingBytes: 1000, packetBytes: 1000, audioBytesPerSecond: 1000 }
const meta = { id: 'm', room: 'r', at: '2026-11-20T00:00:00.000Z' }

/** As the engine does it: what is sent while the transport is busy waits, and goes out together. */
class Wire extends EventEmitter {
  readonly id = 'c'
  readyState = 'open'
  readonly got: string[] = []
  readonly ends: string[] = []
  stalled = true
  #waits: string[] = []
  #under: string[] = []
  readonly transport = {
    name: 'websocket',
    writable: true,
    socket: { close: (code: number, reason: string) => { this.ends.push(`${code} ${reason}`) }, terminate: () => { this.ends.push('cut') } }
  }

  send (data: string): void {
    this.emit('packetCreate', { type: 'message', data })
    if (this.readyState !== 'open') return
    this.#waits.push(data)
    this.#flush()
  }

  /** The other side reads all that was handed over. */
  read (): void {
    this.got.push(...this.#under.splice(0))
    this.transport.writable = true
    this.#flush()
  }

  close (discard?: boolean): void {
    if (this.readyState === 'closed') return
    this.readyState = discard === true ? 'closed' : 'closing'
    if (discard === true) this.emit('close')
  }

  #flush (): void {
    if (!this.transport.writable || this.#waits.length === 0) return
    this.emit('flush')
    this.#under = this.#waits.splice(0)
    this.transport.writable = false
  }
}

function scene (t: Test) {
  mock.timers.enable({ apis: ['setInterval', 'setTimeout'] })
  const engine = new EventEmitter()
  const faults: string[] = []
  const errors: unknown[] = []
  const connections = new Connections({ engine } as unknown as Server, { limits, onSlow: () => faults.push('slow'), onFlood: () => faults.push('flood'), onError: error => errors.push(error) })
  t.teardown(() => {
    connections.stop()
    mock.timers.reset()
  })
  const wire = new Wire()
  engine.emit('connection', wire)
  const socket = { conn: wire, connected: true, nsp: { name: '/x' }, emit: (event: string, payload: string) => wire.send(`${event} ${payload}`) }
  return { connections, wire, faults, errors, socket: socket as typeof socket & Socket, engine }
}

const look = (times = 1): void => { mock.timers.tick(50 * times) }
const bytes = (count: number): string => 'x'.repeat(count)

t.test('past a quarter a reader is slow, and gets the newest of each thing once it has caught up', async t => {
  const { connections, wire, socket, faults } = scene(t)
  wire.send(bytes(200))
  wire.send(bytes(50))
  t.notOk(connections.isSlow(socket), 'a quarter may wait')
  wire.send(bytes(1))
  t.ok(connections.isSlow(socket))
  t.equal(connections.slow, 1)
  for (let i = 0; i < 100; i++) for (const thing of ['a', 'b']) connections.hold(socket, thing, 'news', `${thing}${i}`, meta)
  let room = false
  void connections.caughtUp(socket).then(() => { room = true })
  look()
  t.same(wire.got, [])
  wire.read()
  wire.read()
  look()
  t.notOk(connections.isSlow(socket))
  wire.read()
  wire.read()
  t.same(wire.got.slice(3), ['news a99', 'news b99'])
  await new Promise(setImmediate)
  t.ok(room, 'who waited for room goes on')
  await connections.caughtUp(socket)
  t.same(faults, [])
})

t.test('what was held back comes in portions', async t => {
  const { connections, wire, socket } = scene(t)
  wire.send(bytes(300))
  for (let i = 0; i < 20; i++) connections.hold(socket, String(i), 'news', bytes(95), meta)
  for (let rounds = 0; connections.isSlow(socket); rounds++) {
    t.ok(rounds < 20)
    wire.read()
    look()
  }
  for (let i = 0; i < 3; i++) wire.read()
  t.equal(wire.got.length, 21, 'all of it')
  t.same(wire.ends, [], 'without ever being too much')
})

t.test('an event that cannot be sent is said, and keeps nobody from the others', async t => {
  const { connections, wire, socket, errors } = scene(t)
  const thrown = new Error('cannot be sent')
  const { emit } = socket
  Object.assign(socket, {
    emit (event: string, payload: string) {
      if (event === 'bad') throw thrown
      emit(event, payload)
    }
  })
  wire.send(bytes(300))
  for (const event of ['one', 'bad', 'two']) connections.hold(socket, 'a', event, 'a', meta)
  wire.read()
  look()
  wire.read()
  wire.read()
  t.same(wire.got.slice(1), ['one a', 'two a'])
  t.notOk(connections.isSlow(socket))
  t.same(errors, [thrown])
})

t.test('who has left gets nothing that was held back', async t => {
  const { connections, wire, socket } = scene(t)
  wire.send(bytes(300))
  connections.hold(socket, 'a', 'news', 'a', meta)
  socket.connected = false
  wire.read()
  look()
  t.equal(wire.got.length, 1)
  t.ok(wire.transport.writable, 'and nothing is on its way')
})

t.test('past the limit it is closed, unless it reads', async t => {
  const { wire, faults } = scene(t)
  wire.send(bytes(1100))
  look()
  wire.read()
  look(10)
  t.equal(wire.readyState, 'open', 'a process that was busy has not written yet')
  wire.send(bytes(500))
  wire.send(bytes(600))
  look(2)
  t.equal(wire.readyState, 'closed')
  t.same(wire.ends, [`${slowConsumerCode} SLOW_CONSUMER`])
  t.same(faults, ['slow'])
  mock.timers.tick(3_000)
  t.same(wire.ends.slice(1), ['cut'], 'who does not take the goodbye is cut')
})

t.test('twice the limit is never passed, however fast it comes', async t => {
  const { wire, faults } = scene(t)
  for (let i = 0; i < 100; i++) wire.send(bytes(300))
  t.equal(wire.readyState, 'closed')
  t.same(faults, ['slow'], 'and counted once')
  t.ok(wire.listenerCount('packetCreate') > 0)
})

t.test('who waits for room hears when the reader has gone', async t => {
  const { connections, wire, socket } = scene(t)
  wire.send(bytes(300))
  const waiting = connections.caughtUp(socket)
  wire.close(true)
  await waiting
  t.equal(connections.slow, 0)
})

t.test('a polling reader has taken what it was given', async t => {
  const { connections, wire, socket } = scene(t)
  wire.transport.name = 'polling'
  wire.send(bytes(200))
  wire.send(bytes(200))
  t.notOk(connections.isSlow(socket))
  wire.send(bytes(60))
  t.ok(connections.isSlow(socket), 'what it did not come for counts')
})

t.test('bytes count, not characters', async t => {
  const { connections, wire, socket } = scene(t)
  wire.send('語'.repeat(90))
  t.ok(connections.isSlow(socket))
})

t.test('a flood of frames, and one of bytes', async t => {
  const { wire, faults, engine } = scene(t)
  for (let i = 0; i < 2_000; i++) wire.emit('packet', { type: 'pong' })
  t.equal(wire.readyState, 'open', 'so much may be saved up')
  for (let i = 0; i < 200; i++) wire.emit('packet', { type: 'pong' })
  t.equal(wire.readyState, 'closed')
  t.same([faults[0], wire.ends[0]], ['flood', 'cut'])

  const other = new Wire()
  engine.emit('connection', other)
  for (let i = 0; i < 8; i++) other.emit('packet', { type: 'message', data: Buffer.alloc(1000) })
  t.equal(other.readyState, 'open', 'eight of the largest')
  for (let i = 0; i < 3; i++) other.emit('packet', { type: 'message', data: bytes(1000) })
  t.equal(other.readyState, 'closed')
})

t.test('who does not go is cut', async t => {
  const { wire } = scene(t)
  wire.send(bytes(100))
  wire.close()
  t.equal(wire.readyState, 'closing')
  mock.timers.tick(2_900)
  t.equal(wire.readyState, 'closing')
  mock.timers.tick(200)
  t.equal(wire.readyState, 'closed')
})
