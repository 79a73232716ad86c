import type { FastifyBaseLogger } from 'fastify'
import type { Server, Socket } from 'socket.io'
import type { Followed } from '../../../lib/core/cursor.ts'
import { Delivery } from '../../../lib/core/delivery.ts'
import type { Heard, Journal, Position } from '../../../lib/core/journal.ts'
import { noOthers } from '../../../lib/core/live.ts'
import type { Meta } from '../../../lib/core/contract.ts'

/** Processes and readers without a network between them, so that a test decides what comes when. */

export const namespace = '/sessions'
export const home = 'session:s1'

export interface Got { event: string, payload: unknown, meta: Meta & Position }

/** A reader as a process sees it. */
export class Reader {
  readonly id: string
  readonly got: Got[] = []
  readonly #process: Process

  constructor (process: Process, id: string) {
    this.#process = process
    this.id = id
  }

  get offsets (): number[] { return this.got.map(({ meta }) => meta.offset) }
  get numbers (): unknown[] { return this.got.map(({ payload }) => payload) }

  async follow (since?: Position, room = home): Promise<Followed> {
    return await this.#process.delivery.follow(this.socket, room, since)
  }

  enter (room: string): void { this.#process.enter(this, room) }
  leave (room = home): void { this.#process.leave(this, room) }

  /** What Delivery needs of a socket. */
  get socket (): Socket {
    return {
      id: this.id,
      nsp: { name: namespace },
      connected: true,
      once: () => {},
      emit: (event: string, payload: unknown, meta: Got['meta']) => this.got.push({ event, payload, meta }),
      rooms: this.#process.roomsOf(this),
      join: (rooms: string[]) => { for (const room of rooms) this.enter(room) },
      leave: (room: string) => { this.leave(room) }
    } as unknown as Socket
  }
}

/** One process: its rooms and its delivery. */
export class Process {
  readonly delivery: Delivery
  readonly warnings: string[] = []
  readonly made: string[] = []
  readonly #rooms = new Map<string, Set<Reader>>()

  constructor (journal: Journal) {
    const note = (_: object, message: string): void => { this.warnings.push(message) }
    const log = { warn: note, error: note } as unknown as FastifyBaseLogger
    this.delivery = new Delivery({ io: this.#server(), journal, live: noOthers, connections: undefined, log, watch: { replayed () {}, filled () {} } })
  }

  enter (reader: Reader, room: string): void {
    this.#rooms.set(room, (this.#rooms.get(room) ?? new Set()).add(reader))
  }

  roomsOf (reader: Reader): ReadonlySet<string> {
    return new Set([...this.#rooms].filter(([, readers]) => readers.has(reader)).map(([room]) => room))
  }

  leave (reader: Reader, room: string): void {
    const readers = this.#rooms.get(room)
    readers?.delete(reader)
    if (readers?.size === 0) this.#rooms.delete(room)
  }

  /** What Delivery needs of a Socket.IO server. */
  #server (): Server {
    const emit = (rooms: string[], except: string[]) => (event: string, payload: unknown, meta: Got['meta']): void => {
      const readers = new Set(rooms.flatMap(room => [...this.#rooms.get(room) ?? []]))
      for (const reader of readers) if (!except.includes(reader.id)) reader.got.push({ event, payload, meta })
    }
    return {
      _nsps: new Map([[namespace, { adapter: { rooms: this.#rooms } }]]),
      of: (name: string) => {
        this.made.push(name)
        return { local: { to: (rooms: string[]) => ({ except: (ids: string[]) => ({ emit: emit(rooms, ids) }) }) } }
      }
    } as unknown as Server
  }
}

/** A journal whose wire and answers are in the test's hands. */
export class Wire implements Journal {
  readonly #journal: Journal
  hear: (event: Heard) => void = () => {}
  reconnected: () => void = () => {}
  /** What becomes of a message; by default it comes at once. */
  carry: (event: Heard) => void = event => this.hear(event)
  /** Stands before each answer. */
  before: (what: 'append' | 'position' | 'read') => Promise<void> = async () => {}
  reads = 0

  constructor (journal: Journal) {
    this.#journal = journal
    journal.listen(event => this.carry(event), () => {})
  }

  async append (event: Parameters<Journal['append']>[0]): Promise<Position> {
    await this.before('append')
    return await this.#journal.append(event)
  }

  async position (...where: Parameters<Journal['position']>): Promise<Position> {
    const answer = await this.#journal.position(...where)
    await this.before('position')
    return answer
  }

  async read (...where: Parameters<Journal['read']>): ReturnType<Journal['read']> {
    this.reads++
    const answer = await this.#journal.read(...where)
    await this.before('read')
    return answer
  }

  async oldest (...where: Parameters<Journal['oldest']>): ReturnType<Journal['oldest']> { return await this.#journal.oldest(...where) }
  listen (hear: (event: Heard) => void, reconnected: () => void): void { Object.assign(this, { hear, reconnected }) }
  async close (): Promise<void> {}
}

/** A promise that the test keeps. */
export function gate (): { promise: Promise<void>, open: () => void } {
  let open = (): void => {}
  const promise = new Promise<void>(resolve => { open = resolve })
  return { promise, open }
}
