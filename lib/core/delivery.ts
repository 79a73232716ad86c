import type { FastifyBaseLogger } from 'fastify'
import type { Server, Socket } from 'socket.io'
import type { Connections } from './connections.ts'
import type { Heard, Journal, Position } from './journal.ts'
import type { Live, LiveEvent } from './live.ts'

/**
 * Events on their way to the sockets of this process. Kept ones go out in the order of their places, each once, without
 * a hole: what the wire lost is read from the journal before what came after it. Of newest-wins events a slow reader
 * gets the newest.
 */

/** How far this process has delivered a home room. */
interface Cursor extends Position {
  /** Events that came while a hole is being filled. */
  waiting: Heard[] | null
  /** Told when the cursor moves. */
  moved: (() => void)[]
}

export interface DeliveryDependencies {
  io: Server
  journal: Journal
  live: Live
  /** Absent for a Socket.IO server that is the host's. */
  connections: Connections | undefined
  log: FastifyBaseLogger
}

/** What became of a reader that said where it was. */
export interface Followed { position: Position, recovered: boolean }

const pageSize = 200
/** How often rooms with readers are compared with the journal, for an event that was lost and had no successor (ms). */
const compareMs = 5_000
/** How long a reader that caught up with the journal waits for this process to catch up too (ms). */
const catchUpMs = 300

export class Delivery {
  readonly #io: Server
  readonly #journal: Journal
  readonly #live: Live
  readonly #connections: Connections | undefined
  readonly #log: FastifyBaseLogger
  readonly #cursors = new Map<string, Cursor>()
  readonly #timer: NodeJS.Timeout

  constructor ({ io, journal, live, connections, log }: DeliveryDependencies) {
    this.#io = io
    this.#journal = journal
    this.#live = live
    this.#connections = connections
    this.#log = log
    live.listen(event => this.#spread(event))
    journal.listen(event => this.#hear(event), () => { void this.#compare() })
    this.#timer = setInterval(() => { void this.#compare() }, compareMs).unref()
  }

  stop (): void { clearInterval(this.#timer) }

  /** Sends a newest-wins event to the readers of all processes. */
  send (event: LiveEvent): void {
    this.#spread(event)
    this.#live.send(event)
  }

  /**
   * Puts a socket into a home room. With `since` it first gets what it missed, in order; if that is not there any
   * more, it is not recovered. Live events begin right after `position`.
   */
  async follow (socket: Socket, room: string, since?: Position): Promise<Followed> {
    const namespace = socket.nsp.name
    const cursor = await this.#track(namespace, room)
    if (!since) {
      await socket.join(room)
      return { position: at(cursor), recovered: true }
    }
    await socket.leave(room)
    let place = since
    for (;;) {
      const page = await this.#journal.read(namespace, room, place, pageSize)
      if (page.lost) {
        await socket.join(room)
        return { position: at(cursor), recovered: false }
      }
      for (const { event, payload, meta } of page.events) {
        // All at once would be more than may wait for one connection.
        await this.#connections?.caughtUp(socket)
        socket.emit(event, payload, meta)
        place = { epoch: meta.epoch, offset: meta.offset }
      }
      if (place.offset < page.position.offset) continue
      if (!isAt(cursor, place)) await this.#until(namespace, room, cursor, place)
      // From the look at the cursor to the join nothing else runs, so nothing can come between.
      if (isAt(cursor, place)) {
        const joined = socket.join(room)
        const position = at(cursor)
        await joined
        return { position, recovered: true }
      }
    }
  }

  #hear (event: Heard): void {
    const { namespace, rooms, position } = event
    const home = rooms[0] as string
    const key = keyOf(namespace, home)
    let cursor = this.#cursors.get(key)
    if (!cursor) {
      if (!this.#hasReaders(namespace, rooms)) return
      cursor = { epoch: position.epoch, offset: position.offset - 1, waiting: null, moved: [] }
      this.#cursors.set(key, cursor)
    }
    if (cursor.waiting) cursor.waiting.push(event)
    else if (follows(cursor, position)) this.#deliver(cursor, event)
    else if (position.epoch !== cursor.epoch || position.offset > cursor.offset) {
      cursor.waiting = [event]
      void this.#fill(namespace, home, cursor)
    }
  }

  /** Reads what is missing, then goes on with what came meanwhile. */
  async #fill (namespace: string, home: string, cursor: Cursor): Promise<void> {
    cursor.waiting ??= []
    try {
      for (;;) {
        const page = await this.#journal.read(namespace, home, at(cursor), pageSize)
        if (page.lost) {
          // Another epoch, or too far behind: readers see it by the epoch or the offset, and ask again.
          const { epoch, offset } = page.position
          const oldest = epoch === cursor.epoch ? offset : 0
          Object.assign(cursor, { epoch, offset: oldest })
          if (oldest === offset) break
          continue
        }
        for (const kept of page.events) {
          const { epoch, offset } = kept.meta
          this.#deliver(cursor, { namespace, rooms: kept.rooms, position: { epoch, offset }, open: () => kept })
        }
        if (cursor.offset >= page.position.offset) break
      }
    } catch (error) {
      this.#log.warn({ err: error, room: home }, 'missed events could not be read; the next comparison tries again')
    }
    const waiting = cursor.waiting
    cursor.waiting = null
    for (const event of waiting) this.#hear(event)
  }

  #deliver (cursor: Cursor, event: Heard): void {
    Object.assign(cursor, event.position)
    for (const moved of cursor.moved.splice(0)) moved()
    if (!this.#hasReaders(event.namespace, event.rooms)) return
    const { event: name, payload, meta } = event.open()
    this.#io.of(event.namespace).local.to([...event.rooms]).emit(name, payload, meta)
  }

  /** To the readers of this process; those who lag behind get the newest when they have caught up. */
  #spread ({ namespace, rooms, event, payload, meta, thing }: LiveEvent): void {
    if (!this.#hasReaders(namespace, rooms)) return
    const nsp = this.#io.of(namespace)
    const slow = this.#connections?.slow ? [...nsp.sockets.values()].filter(socket => this.#connections?.isSlow(socket) && rooms.some(room => socket.rooms.has(room))) : []
    nsp.local.to([...rooms]).except(slow.map(socket => socket.id)).emit(event, payload, meta)
    for (const socket of slow) this.#connections?.hold(socket, thing, event, payload, meta)
  }

  #hasReaders (namespace: string, rooms: readonly string[]): boolean {
    const { adapter } = this.#io.of(namespace)
    return rooms.some(room => adapter.rooms.has(room))
  }

  async #track (namespace: string, room: string): Promise<Cursor> {
    const key = keyOf(namespace, room)
    if (!this.#cursors.has(key)) {
      const position = await this.#journal.position(namespace, room)
      if (!this.#cursors.has(key)) this.#cursors.set(key, { ...position, waiting: null, moved: [] })
    }
    return this.#cursors.get(key) as Cursor
  }

  /** Waits for the cursor to come to a place; if the wire has lost it, reads it. */
  async #until (namespace: string, room: string, cursor: Cursor, place: Position): Promise<void> {
    const deadline = Date.now() + catchUpMs
    while (cursor.epoch === place.epoch && cursor.offset < place.offset && Date.now() < deadline) {
      await new Promise<void>(resolve => {
        const timer = setTimeout(resolve, deadline - Date.now())
        cursor.moved.push(() => { clearTimeout(timer); resolve() })
      })
    }
    if (cursor.offset < place.offset && !cursor.waiting) await this.#fill(namespace, room, cursor)
  }

  /** For events that were lost without a later one to tell of them; forgets rooms that nobody reads. */
  async #compare (): Promise<void> {
    for (const [key, cursor] of [...this.#cursors]) {
      const [namespace, room] = key.split(' ') as [string, string]
      if (!this.#hasReaders(namespace, [room])) {
        if (!cursor.waiting && cursor.moved.length === 0) this.#cursors.delete(key)
        continue
      }
      try {
        const position = await this.#journal.position(namespace, room)
        if (!cursor.waiting && !isAt(cursor, position) && !(cursor.epoch === position.epoch && cursor.offset > position.offset)) {
          await this.#fill(namespace, room, cursor)
        }
      } catch {
        return // Redis is away; the client says so, and its return starts the next comparison
      }
    }
  }
}

const keyOf = (namespace: string, room: string): string => `${namespace} ${room}`
const at = ({ epoch, offset }: Position): Position => ({ epoch, offset })
const isAt = (cursor: Position, place: Position): boolean => cursor.epoch === place.epoch && cursor.offset === place.offset
/** The next of the same epoch, or the first of a new one. */
const follows = (cursor: Position, { epoch, offset }: Position): boolean =>
  epoch === cursor.epoch ? offset === cursor.offset + 1 : offset === 1
