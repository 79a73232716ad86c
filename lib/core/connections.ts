import type { Server, Socket } from 'socket.io'
import { Bucket } from './limit.ts'
import type { Meta } from './contract.ts'
import type { Limits } from './limits.ts'

/** What a Socket.IO connection is to us: the engine's socket, of which only documented events and fields are used. */
export interface Connection {
  readonly id: string
  readyState: string
  readonly transport: { name: string, writable: boolean, socket?: { close (code: number, reason: string): void, terminate (): void } }
  on (event: string, listener: (argument: { type: string, data?: unknown }) => void): unknown
  once (event: string, listener: () => void): unknown
  close (discard?: boolean): void
}

interface Reader {
  connection: Connection
  /** Bytes that wait to be handed to the transport, and that were handed to it last. */
  queued: number
  handed: number
  frames: Bucket
  /** Newest-wins events held back while the reader is slow, by what they are the newest of. */
  held: Map<string, () => void>
  slow: boolean
}

export interface ConnectionsDependencies {
  limits: Limits
  onSlow: () => void
  onFlood: () => void
}

/** Frames of one connection a second, and saved up: events, acknowledgements, connects and pings alike. */
const framesPerSecond = 500
const frameBurst = 2_000
/** How often slow readers are looked at (ms). */
const lookMs = 100
/** A reader that cannot even take the closing frame is cut off after this (ms). */
const cutMs = 1_000
/** WebSocket close code of `SLOW_CONSUMER`. */
export const slowConsumerCode = 4008

/**
 * Watches what waits for each reader. Past a quarter of the limit a reader is slow: of newest-wins events it gets only
 * the newest, once it has caught up. Past the limit its connection is closed with SLOW_CONSUMER; it can resume.
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
    reader?.held.set(`${socket.nsp.name} ${event} ${thing}`, () => { socket.emit(event, payload, meta) })
  }

  #watch (connection: Connection): void {
    const { onFlood } = this.#deps
    const reader: Reader = { connection, queued: 0, handed: 0, frames: new Bucket(framesPerSecond, frameBurst, Date.now()), held: new Map(), slow: false }
    this.#readers.set(connection, reader)
    connection.on('packetCreate', packet => {
      reader.queued += sizeOf(packet.data)
      if (!reader.slow && waiting(reader) > this.#deps.limits.waitingBytes / 4) this.#slowDown(reader)
    })
    connection.on('flush', () => {
      reader.handed = reader.queued
      reader.queued = 0
    })
    connection.on('packet', () => {
      if (reader.frames.take(Date.now()) === 0) return
      onFlood()
      connection.close(true)
    })
    connection.once('close', () => {
      this.#readers.delete(connection)
      this.#slow.delete(reader)
    })
  }

  #slowDown (reader: Reader): void {
    reader.slow = true
    this.#slow.add(reader)
  }

  #look (): void {
    const { waitingBytes } = this.#deps.limits
    for (const reader of this.#slow) {
      const bytes = waiting(reader)
      if (bytes > waitingBytes) this.#close(reader)
      else if (bytes < waitingBytes / 8) {
        reader.slow = false
        this.#slow.delete(reader)
        for (const send of reader.held.values()) send()
        reader.held.clear()
      }
    }
  }

  #close (reader: Reader): void {
    const { connection } = reader
    this.#slow.delete(reader)
    reader.held.clear()
    this.#deps.onSlow()
    connection.transport.socket?.close(slowConsumerCode, 'SLOW_CONSUMER')
    setTimeout(() => {
      if (connection.readyState !== 'closed') connection.close(true)
      connection.transport.socket?.terminate() // what waits for a stalled reader would stay in memory for half a minute
    }, cutMs).unref()
  }
}

function waiting ({ queued, handed, connection }: Reader): number {
  return queued + (connection.transport.writable ? 0 : handed)
}

function sizeOf (data: unknown): number {
  if (typeof data === 'string') return data.length
  return data instanceof Uint8Array ? data.byteLength : 0
}
