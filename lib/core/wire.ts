import { createRequire } from 'node:module'
import { Socket as Tcp } from 'node:net'
import { Socket, type Namespace, type Server } from 'socket.io'
import type { Adapter } from 'socket.io-adapter'
import { PacketType } from 'socket.io-parser'
import { stockBroadcast, type Broadcast } from './broadcast.ts'
import { installed, packageOf, type Versions } from './installed.ts'

/**
 * The short way to the readers, below what Socket.IO promises, and the only file that goes there for speed. A broadcast
 * becomes one WebSocket frame, which is written to each connection that has nothing waiting, and so does what is for one
 * connection alone, acknowledgements above all; whatever is written to a connection in one turn of the event loop leaves in
 * one system call. All of it only ever appends to the TCP stream, so order is Socket.IO's. Whoever does not fit (polling, an
 * upgrade under way, compression, something waiting, for broadcasts listeners for outgoing packets) is served by Socket.IO;
 * and so is everybody when this Socket.IO is not one that this was tested with.
 *
 * The engine's `packetCreate`, `flush` and `drain` do not tell of what goes the short way.
 */

/** What this was tested with: the beginnings of versions. */
export const tested = { 'socket.io': '4.8.', 'socket.io-adapter': '2.5.', 'engine.io': '6.6.', ws: '8.21.' } as const

/** Whose insides are reached into, and for what, as far as it is there before anybody connects. A connection is looked at when it is written to. */
export const reached = {
  'the encoder of socket.io': ['encode'],
  'a Socket of socket.io': ['notifyOutgoingListeners'],
  'a Socket of engine.io': ['readyState', 'write'],
  'a WebSocket of ws': ['readyState', 'extensions'],
  'a Sender of ws': ['sendFrame']
} as const
export type Insides = Record<keyof typeof reached, object | undefined>

/** The parts of engine.io and ws that are touched. What is not there is not as it was when this was tested, and then nothing is written past the engine. */
interface Engine {
  readyState: string
  upgrading?: boolean
  writeBuffer?: unknown[]
  transport: Transport
  write (data: unknown, options?: { wsPreEncodedFrame?: unknown }, callback?: () => void): unknown
}
interface Transport { name: string, socket?: WebSocket }
interface WebSocket { readyState: number, extensions: string, _socket?: unknown, _sender?: { sendFrame?: unknown } }

/** The parts of Socket.IO's sockets that are not public. */
interface Outlet {
  readonly client: { writeToEngine (encoded: unknown[], options: object): void }
  listenersAnyOutgoing (): readonly unknown[]
  notifyOutgoingListeners (packet: object): void
}
interface Encoding { readonly encoder: { encode (packet: object): unknown[] } }
interface Class { readonly prototype: object }
interface Reader { readonly id: string, readonly outlet: Outlet, readonly line: Line }

const open = 1 // readyState of a WebSocket

export interface WireOptions {
  /** More than this does not wait in a TCP stream; the rest waits in the engine, where slow readers are watched. */
  waitingBytes: number
  versions?: Versions
  insides?: Insides
}

/** The short way for a server, or why it cannot be taken. */
export function shortWay (io: Server, { waitingBytes, ...found }: WireOptions): { broadcast: Broadcast } | { unfit: string } {
  const unfit = whyNot(io, found)
  if (unfit !== undefined) return { unfit }
  corkEachTurn(io)
  return { broadcast: new ShortWay(io, waitingBytes).broadcast }
}

function whyNot (io: Server, { versions = installed(), insides }: Omit<WireOptions, 'waitingBytes'>): string | undefined {
  for (const [name, version] of Object.entries(tested) as [keyof Versions, string][]) {
    if (!versions[name].startsWith(version)) return `${name} is ${versions[name]}, tested is ${version}x`
  }
  insides ??= insidesOf(io)
  for (const [whose, names] of Object.entries(reached) as [keyof Insides, readonly string[]][]) {
    for (const name of names) if (!(name in (insides[whose] ?? {}))) return `${whose} has no ${name}`
  }
  return io._opts.connectionStateRecovery ? 'connectionStateRecovery counts packets' : undefined
}

export function insidesOf (io: Server): Insides {
  const engine = createRequire(packageOf('socket.io', import.meta.url).file)('engine.io') as { Socket?: Class }
  const webSocket = (io.engine as unknown as { ws?: { options?: { WebSocket?: Class & { Sender?: Class } } } }).ws?.options?.WebSocket
  return {
    'the encoder of socket.io': (io.sockets.adapter as unknown as Partial<Encoding>).encoder,
    'a Socket of socket.io': Socket.prototype,
    'a Socket of engine.io': engine.Socket?.prototype,
    'a WebSocket of ws': webSocket?.prototype,
    'a Sender of ws': webSocket?.Sender?.prototype
  }
}

/** Also what the engine writes by itself. */
function corkEachTurn (io: Server): void {
  io.engine.on('flush', ({ transport }: Engine) => {
    const tcp = transport.socket?._socket
    if (tcp instanceof Tcp) corkUntilNextTurn(tcp)
  })
}

let corked: Tcp[] = []

function corkUntilNextTurn (tcp: Tcp): void {
  if (tcp.writableCorked > 0) return
  tcp.cork()
  if (corked.push(tcp) === 1) setImmediate(uncork)
}

function uncork (): void {
  const all = corked
  corked = []
  for (const tcp of all) tcp.uncork()
}

/** A connection, and what lies below it as it was when last looked at. */
class Line {
  readonly #engine: Engine
  readonly #waitingBytes: number
  #transport: Transport | undefined
  #webSocket: WebSocket | undefined
  #tcp: Tcp | undefined

  constructor (engine: Engine, waitingBytes: number) {
    this.#engine = engine
    this.#waitingBytes = waitingBytes
  }

  /** False when the engine must write it. */
  write (frame: Buffer): boolean {
    const tcp = this.free()
    if (!tcp) return false
    corkUntilNextTurn(tcp)
    tcp.write(frame)
    return true
  }

  /** The TCP stream, when whatever was sent before is in it and not too much of that still waits. */
  free (): Tcp | undefined {
    const { readyState, transport, upgrading, writeBuffer } = this.#engine
    if (writeBuffer?.length !== 0 || readyState !== 'open' || upgrading !== false) return undefined
    if (this.#transport !== transport) {
      this.#transport = transport
      this.#webSocket = plain(transport)
      this.#tcp = this.#webSocket?._socket as Tcp | undefined
    }
    return this.#tcp && this.#webSocket?.readyState === open && this.#tcp.writableLength <= this.#waitingBytes ? this.#tcp : undefined
  }
}

class ShortWay {
  readonly #lines = new WeakMap<object, Line>()
  readonly #rooms = new WeakMap<Adapter, Map<string, Reader[]>>()

  constructor (io: Server, waitingBytes: number) {
    io.engine.on('connection', (engine: Engine) => {
      const line = new Line(engine, waitingBytes)
      this.#lines.set(engine, line)
      shorten(engine, line)
    })
  }

  readonly broadcast: Broadcast = (namespace, rooms, except, event, payload, meta) => {
    const { adapter } = namespace
    const packet = { type: PacketType.EVENT, nsp: namespace.name, data: [event, payload, meta] }
    const encoded = (adapter as unknown as Encoding).encoder.encode(packet)
    const [text] = encoded
    if (encoded.length > 1 || typeof text !== 'string') return stockBroadcast(namespace, rooms, except, event, payload, meta)
    const frame = frameOf(text)
    // As the adapter gives it, but in one piece.
    const options = { preEncoded: true, wsPreEncodedFrame: [frame] }
    const left = new Set(except)
    for (const { id, line, outlet } of this.#readersOf(namespace, rooms)) {
      if (left.size > 0 && left.has(id)) continue
      if (outlet.listenersAnyOutgoing().length === 0 && line.write(frame)) continue
      outlet.notifyOutgoingListeners(packet)
      outlet.client.writeToEngine(encoded, options)
    }
  }

  #readersOf (namespace: Namespace, rooms: readonly string[]): Iterable<Reader> {
    const [first = ''] = rooms
    if (rooms.length === 1) return this.#readersIn(namespace, first)
    const union = new Map<string, Reader>()
    for (const room of rooms) for (const reader of this.#readersIn(namespace, room)) union.set(reader.id, reader)
    return union.values()
  }

  /** Who is in a room is looked up once, until somebody comes or goes. */
  #readersIn ({ adapter, sockets }: Namespace, room: string): Reader[] {
    const known = this.#roomsOf(adapter)
    const found = known.get(room)
    if (found) return found
    const ids = adapter.rooms.get(room) ?? new Set<string>()
    const readers: Reader[] = []
    for (const id of ids) {
      const socket = sockets.get(id)
      const line = socket && this.#lines.get(socket.conn)
      if (line) readers.push({ id, outlet: socket as unknown as Outlet, line })
    }
    // A socket may be in a room before it is let in; no event tells when it is.
    if (readers.length > 0 && readers.length === ids.size) known.set(room, readers)
    return readers
  }

  #roomsOf (adapter: Adapter): Map<string, Reader[]> {
    let rooms = this.#rooms.get(adapter)
    if (!rooms) {
      const made = rooms = new Map<string, Reader[]>()
      this.#rooms.set(adapter, made)
      for (const change of ['join-room', 'leave-room', 'delete-room']) adapter.on(change, (room: string) => made.delete(room))
    }
    return rooms
  }
}

/** What Socket.IO writes to one connection, unless it is a broadcast of its own, which comes as a frame. */
function shorten (engine: Engine, line: Line): void {
  const { write } = engine
  engine.write = (data, options, callback) => {
    const fits = typeof data === 'string' && !callback && options?.wsPreEncodedFrame === undefined && line.free()
    return fits && line.write(frameOf(data)) ? engine : write.call(engine, data, options, callback)
  }
}

/** A WebSocket without compression, which takes its time, so that what is written past it would overtake. */
function plain ({ name, socket: webSocket }: Transport): WebSocket | undefined {
  const fits = name === 'websocket' && webSocket?.extensions === '' && typeof webSocket._sender?.sendFrame === 'function' && webSocket._socket instanceof Tcp
  return fits ? webSocket : undefined
}

/** An unmasked text frame (RFC 6455, section 5.2) with an Engine.IO message in it. */
function frameOf (text: string): Buffer {
  const length = Buffer.byteLength(text) + 1
  const head = length < 126 ? 2 : length < 65_536 ? 4 : 10
  const frame = Buffer.allocUnsafe(head + length)
  frame[0] = 0x81
  if (head === 2) frame[1] = length
  else if (head === 4) {
    frame[1] = 126
    frame.writeUInt16BE(length, 2)
  } else {
    frame[1] = 127
    frame.writeUInt32BE(Math.floor(length / 2 ** 32), 2)
    frame.writeUInt32BE(length % 2 ** 32, 6)
  }
  frame[head] = 0x34 // 4: message
  frame.write(text, head + 1)
  return frame
}
