import { existsSync, readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { Socket as Tcp } from 'node:net'
import { dirname, join } from 'node:path'
import type { Namespace, Server } from 'socket.io'
import type { Adapter } from 'socket.io-adapter'
import { PacketType } from 'socket.io-parser'
import type { Meta } from './contract.ts'

/**
 * The short way to the readers, below what Socket.IO promises, and the only file that goes there. A broadcast becomes one
 * WebSocket frame, which is written to each connection that has nothing waiting; and whatever is written to a connection
 * in one turn of the event loop leaves in one system call. Both only ever append to the TCP stream, so order is Socket.IO's.
 * Whoever does not fit (polling, an upgrade under way, compression, something waiting, listeners for outgoing packets) gets
 * the broadcast from Socket.IO; and so does everybody when this Socket.IO is not one that this was tested with.
 *
 * The engine's `packetCreate`, `flush` and `drain` do not tell of what goes the short way.
 */

/** Sends an event to the sockets of this process in the union of rooms, each once. `except`: ids of sockets. */
export type Broadcast = (namespace: Namespace, rooms: readonly string[], except: Iterable<string>, event: string, payload: unknown, meta: Meta) => void

export const stockBroadcast: Broadcast = (namespace, rooms, except, event, payload, meta) => {
  namespace.local.to([...rooms]).except([...except]).emit(event, payload, meta)
}

/** What this was tested with: the beginnings of versions. */
export const tested = { 'socket.io': '4.8.', 'socket.io-adapter': '2.5.', 'engine.io': '6.6.', ws: '8.' } as const
export type Versions = Record<keyof typeof tested, string>

/** The parts of engine.io and ws that are touched. */
interface Engine {
  readyState: string
  upgrading: boolean
  writeBuffer: unknown[]
  transport: Transport
}
interface Transport { name: string, socket?: WebSocket }
interface WebSocket { readyState: number, extensions: string, _socket?: unknown, _sender?: { sendFrame?: unknown } }

/** The parts of Socket.IO's sockets that are not public. */
interface Outlet {
  readonly client: { writeToEngine (encoded: unknown[], options: object): void }
  readonly _anyOutgoingListeners?: readonly unknown[]
  notifyOutgoingListeners (packet: object): void
}
interface Encoding { readonly encoder: { encode (packet: object): unknown[] } }

/** A socket of Socket.IO, and its connection as it was when last looked at. */
interface Reader { readonly id: string, readonly outlet: Outlet, readonly engine: Engine, transport: Transport | undefined, line: Line | undefined }
interface Line { readonly webSocket: WebSocket, readonly tcp: Tcp }

const open = 1 // readyState of a WebSocket

export interface WireOptions {
  /** More than this does not wait in a TCP stream; the rest waits in the engine, where slow readers are watched. */
  waitingBytes: number
  versions?: Versions
}

/** The short way for a server, or why it cannot be taken. */
export function shortWay (io: Server, { waitingBytes, versions = installed() }: WireOptions): { broadcast: Broadcast } | { unfit: string } {
  for (const [name, version] of Object.entries(tested) as [keyof Versions, string][]) {
    if (!versions[name].startsWith(version)) return { unfit: `${name} is ${versions[name]}, tested is ${version}x` }
  }
  if (io._opts.connectionStateRecovery) return { unfit: 'connectionStateRecovery counts packets' }
  corkEachTurn(io)
  return { broadcast: new ShortWay(waitingBytes).broadcast }
}

function installed (): Versions {
  const socketIo = packageOf('socket.io', import.meta.url)
  const engine = packageOf('engine.io', socketIo.file)
  return {
    'socket.io': socketIo.version,
    'socket.io-adapter': packageOf('socket.io-adapter', socketIo.file).version,
    'engine.io': engine.version,
    ws: packageOf('ws', engine.file).version
  }
}

/** The package of this name as `from` gets it. Not all of them let their package.json be imported. */
function packageOf (name: string, from: string): { file: string, version: string } {
  const file = createRequire(from).resolve(name)
  for (let folder = dirname(file); folder !== dirname(folder); folder = dirname(folder)) {
    const described = join(folder, 'package.json')
    const found = existsSync(described) ? JSON.parse(readFileSync(described, 'utf8')) as { name?: string, version?: string } : {}
    if (found.name === name && found.version !== undefined) return { file, version: found.version }
  }
  return { file, version: 'not found' }
}

/** Also what Socket.IO writes by itself, acknowledgements above all. */
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

class ShortWay {
  readonly #waitingBytes: number
  readonly #rooms = new WeakMap<Adapter, Map<string, Reader[]>>()

  constructor (waitingBytes: number) { this.#waitingBytes = waitingBytes }

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
    for (const reader of this.#readersOf(namespace, rooms)) {
      if (left.size > 0 && left.has(reader.id)) continue
      if (this.#write(reader, frame)) continue
      reader.outlet.notifyOutgoingListeners(packet)
      reader.outlet.client.writeToEngine(encoded, options)
    }
  }

  /** False when the reader must get it from Socket.IO. */
  #write (reader: Reader, frame: Buffer): boolean {
    const { engine, outlet } = reader
    const { transport } = engine
    // What waits in the engine goes first.
    if (engine.writeBuffer.length > 0 || engine.readyState !== 'open' || engine.upgrading || listens(outlet)) return false
    if (reader.transport !== transport) {
      reader.transport = transport
      reader.line = lineOf(transport)
    }
    const { line } = reader
    if (!line || line.webSocket.readyState !== open || line.tcp.writableLength > this.#waitingBytes) return false
    corkUntilNextTurn(line.tcp)
    line.tcp.write(frame)
    return true
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
      if (socket) readers.push({ id, outlet: socket as unknown as Outlet, engine: socket.conn as unknown as Engine, transport: undefined, line: undefined })
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

/** The TCP stream of a plain WebSocket; compression takes its time, so that what is written past it would overtake. */
function lineOf ({ name, socket: webSocket }: Transport): Line | undefined {
  if (name !== 'websocket' || !webSocket || webSocket.extensions !== '' || typeof webSocket._sender?.sendFrame !== 'function') return undefined
  const tcp = webSocket._socket
  return tcp instanceof Tcp ? { webSocket, tcp } : undefined
}

function listens ({ _anyOutgoingListeners: listeners }: Outlet): boolean {
  return listeners !== undefined && listeners.length > 0
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
