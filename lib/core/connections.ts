import type { Server, Socket } from 'socket.io'
import { Bucket } from './limit.ts'
import type { Meta } from './contract.ts'
import type { Limits } from './limits.ts'

/** What a Socket.IO connection is to us: the engine's socket. `closeTimeout` and `parser` are not documented; without the first polls linger. */
export interface Connection {
  readonly id: string
  readyState: string
  readonly transport: { name: string, writable: boolean, socket?: WebSocket, closeTimeout?: number, parser?: PollParser }
  on (event: string, listener: (argument: { type: string, data?: unknown }) => void): unknown
  once (event: string, listener: () => void): unknown
  close (discard?: boolean): void
}

interface PollParser { decodePayload (body: string, ...more: unknown[]): unknown[] }

interface WebSocket { close (code: number, reason: string): void, terminate (): void }

interface Reader {
  connection: Connection
  /** Bytes that wait to be handed to the transport, and that were handed to it last. */
  queued: number
  handed: number
  frames: Bucket
  bytes: Bucket
  /** Newest-wins events held back while the reader is slow, by what they are the newest of. */
  held: Map<string, () => void>
  slow: boolean
  /** Told when the reader is slow no more, or gone. */
  waiting: (() => void)[]
  /** Looks at which it was past the limit, and at which it was on its way out, in a row. */
  over: number
  closing: number
}

export interface ConnectionsDependencies {
  limits: Limits
  onSlow: () => void
  onFlood: () => void
  /** Hears why an event that was held back could not be sent: whoever gave it has gone on. */
  onError: (error: unknown) => void
}

/** Frames of one connection a second, and saved up: events, acknowledgements, connects and pings alike. */
const framesPerSecond = 500
const frameBurst = 2_000
/** Packets of the largest size that a connection may save up: each is parsed before anything else is known of it. */
const packetBurst = 8
/** How often readers are looked at (ms). */
const lookMs = 50
/** A process that was busy looks before it has written anything: whoever is past the limit gets a second look. */
const overLooks = 2
/** A reader that does not even take the closing frame is cut off after this (ms). */
const cutMs = 3_000
/** A poll that does not come for its goodbye is not waited for longer (ms); the engine's own is half a minute. */
const goodbyeMs = 1_000
/** WebSocket close code of `SLOW_CONSUMER`. */
export const slowConsumerCode = 4008

/**
 * Watches what waits for each reader. Past a quarter of the limit a reader is slow: of newest-wins events it gets only
 * the newest, once it has caught up. Whoever stays past the limit, or comes past twice as much at any time, is closed
 * with SLOW_CONSUMER; it can resume.
 */
export class Connections {
  readonly #readers = new Map<object, Reader>()
  readonly #slow = new Set<Reader>()
  readonly #deps: ConnectionsDependencies
  readonly #timer: NodeJS.Timeout

  constructor (io: Server, dependencies: ConnectionsDependencies) {
    this.#deps = dependencies
    io.engine.on('connection', (connection: Connection) => this.#watch(connection))
    this.#timer = setInterval(() => this.#look(), lookMs).unref()
  }

  stop (): void { clearInterval(this.#timer) }

  /** Readers that get no newest-wins events at the moment. */
  get slow (): number { return this.#slow.size }

  isSlow (socket: Socket): boolean { return this.#readers.get(socket.conn)?.slow ?? false }

  /** Holds an event back until the reader has caught up; a newer one of the same thing takes its place. */
  hold (socket: Socket, thing: string, event: string, payload: unknown, meta: Meta): void {
    const reader = this.#readers.get(socket.conn)
    reader?.held.set(`${socket.nsp.name} ${event} ${thing}`, () => { if (socket.connected) socket.emit(event, payload, meta) })
  }

  /** Until there is room for more; whoever has much to send to one reader waits for it in between. */
  async caughtUp (socket: Socket): Promise<void> {
    const reader = this.#readers.get(socket.conn)
    if (reader?.slow) await new Promise<void>(resolve => { reader.waiting.push(resolve) })
  }

  #watch (connection: Connection): void {
    const { limits, onFlood } = this.#deps
    const now = performance.now()
    const reader: Reader = {
      connection,
      queued: 0,
      handed: 0,
      frames: new Bucket(framesPerSecond, frameBurst, now),
      bytes: new Bucket(2 * Math.max(limits.packetBytes, limits.audioBytesPerSecond), packetBurst * limits.packetBytes, now),
      held: new Map(),
      slow: false,
      waiting: [],
      over: 0,
      closing: 0
    }
    this.#readers.set(connection, reader)
    const flood = (): void => {
      onFlood()
      connection.close(true)
      connection.transport.socket?.terminate() // there is nobody to say goodbye to, and all that is still coming costs
    }
    if (connection.transport.name === 'polling') {
      connection.transport.closeTimeout = goodbyeMs
      boundPackets(connection.transport, flood)
    }
    connection.on('packetCreate', packet => {
      reader.queued += sizeOf(packet.data)
      const bytes = waiting(reader)
      if (bytes > 2 * limits.waitingBytes) this.#close(reader)
      else if (!reader.slow && bytes > limits.waitingBytes / 4) this.#slowDown(reader)
    })
    connection.on('flush', () => {
      reader.handed = reader.queued
      reader.queued = 0
    })
    connection.on('packet', packet => {
      const now = performance.now()
      if (reader.frames.take(now) > 0 || reader.bytes.take(now, sizeOf(packet.data)) > 0) flood()
    })
    connection.once('close', () => {
      this.#readers.delete(connection)
      this.#speedUp(reader)
      // The engine lets go of a connection at once, its socket stays until the other side has said goodbye.
      const { socket } = connection.transport
      if (socket) setTimeout(() => socket.terminate(), cutMs).unref()
    })
  }

  #slowDown (reader: Reader): void {
    reader.slow = true
    this.#slow.add(reader)
  }

  #speedUp (reader: Reader): void {
    reader.slow = false
    this.#slow.delete(reader)
    for (const go of reader.waiting.splice(0)) go()
  }

  #look (): void {
    const { waitingBytes } = this.#deps.limits
    for (const reader of this.#slow) {
      const bytes = waiting(reader)
      reader.over = bytes > waitingBytes ? reader.over + 1 : 0
      if (reader.over >= overLooks) this.#close(reader)
      else if (bytes < waitingBytes / 8) this.#catchUp(reader)
    }
    for (const reader of this.#readers.values()) {
      // Stalled, it would be on its way out for half a minute.
      if (reader.connection.readyState === 'closing' && ++reader.closing * lookMs > cutMs) reader.connection.close(true)
    }
  }

  /** Sends what was held back, as much of it as may wait; the reader stays slow until all has gone. */
  #catchUp (reader: Reader): void {
    for (const [thing, send] of reader.held) {
      if (waiting(reader) > this.#deps.limits.waitingBytes / 4) return
      reader.held.delete(thing)
      try {
        send()
      } catch (error) {
        this.#deps.onError(error)
      }
    }
    this.#speedUp(reader)
  }

  /** What the transport has been given goes out before the closing frame; what waits behind it is freed. */
  #close ({ connection }: Reader): void {
    if (connection.readyState === 'closed') return
    this.#deps.onSlow()
    connection.transport.socket?.close(slowConsumerCode, 'SLOW_CONSUMER')
    connection.close(true)
  }
}

/** A polling reader asks for more when it has taken what it was given. */
function waiting ({ queued, handed, connection: { transport } }: Reader): number {
  return queued + (transport.writable || transport.name === 'polling' ? 0 : handed)
}

function sizeOf (data: unknown): number {
  if (typeof data === 'string') return Buffer.byteLength(data)
  return data instanceof Uint8Array ? data.byteLength : 0
}

/**
 * A request of a polling client may carry any number of packets, and the engine takes all of them apart before it shows
 * the first: two megabytes of the smallest, from a stranger without a token, would hold the process for seconds.
 */
function boundPackets (transport: Connection['transport'], onTooMany: () => void): void {
  const { parser } = transport
  if (!parser) return
  transport.parser = {
    ...parser,
    decodePayload (body, ...more) {
      if (!hasMorePackets(body, frameBurst)) return parser.decodePayload(body, ...more)
      onTooMany()
      return []
    }
  }
}

function hasMorePackets (body: string, most: number): boolean {
  let packets = 1
  for (let at = body.indexOf('\x1e'); at >= 0 && packets <= most; at = body.indexOf('\x1e', at + 1)) packets++
  return packets > most
}
