import type { FastifyBaseLogger } from 'fastify'
import type { Server, Socket } from 'socket.io'
import { catchUp, pageSize, type Source } from './catch-up.ts'
import { Comparison } from './comparison.ts'
import type { Connections } from './connections.ts'
import { at, cursorAt, enter, leaveAll, move, movedPast, type Cursor, type Followed } from './cursor.ts'
import { toWireError } from './errors.ts'
import { Feeds } from './feeds.ts'
import type { DeliveryWatch, Heard, Journal, Position } from './journal.ts'
import type { Live, LiveEvent } from './live.ts'
import { hasReaders, stockBroadcast, type Broadcast } from './broadcast.ts'

/**
 * Events on their way to the sockets of this process. Kept ones go out in the order of their places, each once, without
 * a hole: what the wire lost is read from the journal first. Of newest-wins events a slow reader gets the newest.
 */

export interface DeliveryDependencies {
  io: Server
  journal: Journal
  live: Live
  /** Absent for a Socket.IO server that is the host's. */
  connections: Connections | undefined
  /** Socket.IO's own unless said. */
  broadcast?: Broadcast
  log: FastifyBaseLogger
  watch: DeliveryWatch
}

/** How often rooms with readers are compared with the journal, for an event that was lost and had no successor (ms). */
const compareMs = 5_000
/** How long a reader that caught up with the journal waits for this process to catch up too (ms). */
const catchUpMs = 300

export class Delivery {
  readonly #io: Server
  readonly #journal: Journal
  readonly #live: Live
  readonly #connections: Connections | undefined
  readonly #broadcast: Broadcast
  readonly #log: FastifyBaseLogger
  readonly #watch: DeliveryWatch
  readonly #cursors = new Map<string, Cursor>()
  readonly #source: Source
  readonly #timer: NodeJS.Timeout
  readonly #comparison = new Comparison(async key => await this.#isCurrent(key))
  readonly feeds: Feeds

  constructor ({ io, journal, live, connections, broadcast = stockBroadcast, log, watch }: DeliveryDependencies) {
    this.#io = io
    this.#journal = journal
    this.#live = live
    this.#connections = connections
    this.#broadcast = broadcast
    this.#log = log
    this.#watch = watch
    this.#source = { journal, connections, watch, until: (...place) => this.#until(...place) }
    this.feeds = new Feeds({ journal, log, isWhole: (namespace, home) => this.#cursors.get(keyOf(namespace, home))?.whole === true })
    live.listen(event => this.#spread(event))
    journal.listen(event => this.#hear(event), () => this.#compare(true))
    this.#timer = setInterval(() => this.#compare(false), compareMs).unref()
  }

  stop (): void {
    clearInterval(this.#timer)
    this.#comparison.stop()
    this.feeds.stop()
  }

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
    const [followed] = await this.followAs(socket, [room], [room], since && { [room]: since })
    return followed as Followed
  }

  /** The same for rooms that hear of several home rooms. With `since` they are left if one of these cannot be read. */
  async followAs (socket: Socket, rooms: readonly string[], homes: readonly string[], since: Readonly<Record<string, Position>> = {}): Promise<Followed[]> {
    const readers = homes.map(home => ({ home, cursor: this.#cursorOf(socket.nsp.name, home), place: since[home] }))
    const returns = readers.some(({ place }) => place)
    for (const { cursor, place } of readers) {
      cursor.entering++
      for (const room of rooms) cursor.rooms.add(room)
      if (place) cursor.behind.add(socket.id)
    }
    try {
      // Before anything else runs: the first home that is made up for brings the socket back.
      if (returns) await leaveAll(socket, rooms)
      const ends = await Promise.allSettled(readers.map(async ({ home, cursor, place }) => {
        await cursor.placed
        if (place) return await catchUp({ socket, rooms, home, cursor }, place, this.#source)
        return { position: await enter(socket, rooms, cursor), recovered: true }
      }))
      const failed = ends.find(end => end.status === 'rejected')
      if (failed && returns) await leaveAll(socket, rooms)
      if (failed) throw failed.reason
      await socket.join([...rooms])
      return ends.map(end => (end as PromiseFulfilledResult<Followed>).value)
    } finally {
      for (const { cursor } of readers) {
        cursor.behind.delete(socket.id)
        cursor.entering--
      }
    }
  }

  #hear (event: Heard): void {
    const { namespace, rooms, position } = event
    const [home = ''] = rooms
    const key = keyOf(namespace, home)
    let cursor = this.#cursors.get(key)
    if (!cursor) {
      if (!hasReaders(this.#io, namespace, rooms)) return
      cursor = cursorAt({ epoch: position.epoch, offset: position.offset - 1 }, namespace, rooms)
      this.#cursors.set(key, cursor)
    }
    if (cursor.waiting) cursor.waiting.push(event)
    else if (position.epoch === cursor.epoch && position.offset === cursor.offset + 1) this.#deliver(cursor, event)
    // Where there is a hole the journal is asked; it has this event too, if anybody ever appended it.
    else if (position.epoch !== cursor.epoch || position.offset > cursor.offset) void this.#fill(namespace, home, cursor)
  }

  /** Delivers what the journal has and the wire has not brought, then goes on with what came meanwhile. */
  #fill (namespace: string, home: string, cursor: Cursor): Promise<boolean> {
    cursor.filling ??= this.#readOn(namespace, home, cursor)
    return cursor.filling
  }

  async #readOn (namespace: string, home: string, cursor: Cursor): Promise<boolean> {
    cursor.waiting = []
    try {
      for (;;) {
        const page = await this.#journal.read(namespace, home, at(cursor), pageSize)
        if (page.events.length > 0) this.#watch.filled(namespace, page.events.length)
        for (const kept of page.events) {
          const { epoch, offset } = kept.meta
          this.#deliver(cursor, { namespace, rooms: kept.rooms, position: { epoch, offset }, open: () => kept })
        }
        if (page.lost) {
          // Another epoch, or too far behind: readers see it by the epoch or the offset, and ask again.
          const { epoch, offset } = page.position
          move(cursor, { epoch, offset: epoch === cursor.epoch ? offset : 0 })
        }
        if (cursor.offset >= page.position.offset) break
      }
      cursor.filling = null
      this.#goOn(cursor)
      return true
    } catch (error) {
      // What waits is in the journal too; it is read with the next event or comparison.
      Object.assign(cursor, { filling: null, waiting: null })
      this.#log.warn({ err: error, room: home }, 'missed events could not be read; the next comparison tries again')
      return false
    }
  }

  #goOn (cursor: Cursor): void {
    const { waiting } = cursor
    cursor.waiting = null
    for (const event of waiting ?? []) {
      try {
        this.#hear(event)
      } catch (error) {
        this.#log.warn({ err: error, room: cursor.room }, 'a message on the channel was not one of ours')
      }
    }
  }

  #deliver (cursor: Cursor, event: Heard): void {
    const kept = hasReaders(this.#io, event.namespace, event.rooms) ? event.open() : undefined
    move(cursor, event.position)
    if (!kept) return
    for (const room of event.rooms) cursor.rooms.add(room)
    this.#broadcast(this.#io.of(event.namespace), event.rooms, cursor.behind, kept.event, kept.payload, kept.meta)
  }

  /** To the readers of this process; those who lag behind get the newest when they have caught up. */
  #spread ({ namespace, rooms, event, payload, meta, thing }: LiveEvent): void {
    if (!hasReaders(this.#io, namespace, rooms)) return
    const nsp = this.#io.of(namespace)
    const slow = this.#connections?.slow ? [...nsp.sockets.values()].filter(socket => this.#connections?.isSlow(socket) && rooms.some(room => socket.rooms.has(room))) : []
    this.#broadcast(nsp, rooms, slow.map(socket => socket.id), event, payload, meta)
    for (const socket of slow) this.#connections?.hold(socket, thing, event, payload, meta)
  }

  /** What comes before the position is known waits for it. */
  #cursorOf (namespace: string, room: string): Cursor {
    const key = keyOf(namespace, room)
    let cursor = this.#cursors.get(key)
    if (cursor) return cursor
    cursor = cursorAt({ epoch: '', offset: 0 }, namespace, [room])
    cursor.waiting = []
    this.#cursors.set(key, cursor)
    cursor.placed = this.#place(namespace, room, cursor)
    return cursor
  }

  async #place (namespace: string, room: string, cursor: Cursor): Promise<void> {
    try {
      move(cursor, await this.#journal.position(namespace, room))
      cursor.whole = cursor.offset === 0
    } catch (error) {
      this.#cursors.delete(keyOf(namespace, room))
      throw error
    }
    this.#goOn(cursor)
  }

  /** Waits for the cursor to come to a place; if the wire has lost it, reads it. */
  async #until (namespace: string, room: string, cursor: Cursor, place: Position): Promise<void> {
    const isBehind = (): boolean => cursor.epoch === place.epoch && cursor.offset < place.offset
    if (isBehind()) await movedPast(cursor, isBehind, catchUpMs)
    while (isBehind()) if (!await this.#fill(namespace, room, cursor)) return
  }

  /** For events that were lost without a later one to tell of them; forgets rooms that nobody reads. */
  #compare (withFeeds: boolean): void {
    if (withFeeds) this.feeds.compare()
    for (const [key, cursor] of this.#cursors) {
      if (!cursor.waiting && cursor.entering === 0 && !hasReaders(this.#io, cursor.namespace, cursor.rooms)) this.#cursors.delete(key)
      // Of most rooms only feeds hear, and most of these say nothing any more: they wait for a new connection to Redis.
      else if (withFeeds || hasReaders(this.#io, cursor.namespace, [cursor.room])) this.#comparison.ask(key)
    }
  }

  /** Whether the room stands where the journal does, or could be brought there. */
  async #isCurrent (key: string): Promise<boolean> {
    const cursor = this.#cursors.get(key)
    if (!cursor) return true
    const { namespace, room } = cursor
    try {
      await cursor.placed
      const { epoch, offset } = await this.#journal.position(namespace, room)
      return (cursor.epoch === epoch && cursor.offset >= offset) || await this.#fill(namespace, room, cursor)
    } catch (error) {
      if (toWireError(error).code !== 'UNAVAILABLE') this.#log.error({ err: error, room }, 'a room could not be compared with the journal')
      return false // Redis is away or late, and says so elsewhere
    }
  }
}

const keyOf = (namespace: string, room: string): string => `${namespace} ${room}`
