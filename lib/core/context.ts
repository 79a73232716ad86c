import type { FastifyBaseLogger } from 'fastify'
import type { Socket } from 'socket.io'
import { randomUUID } from 'node:crypto'
import type { User } from './access.ts'
import { addressOfSocket } from './admit.ts'
import type { AckOf, Contract, Meta, PayloadOf } from './contract.ts'
import type { Delivery } from './delivery.ts'
import type { Emit } from './emit.ts'
import { ClasswavesError } from './errors.ts'
import { followAll, followFeed, type Feed, type Positions, type Recovery } from './recovery.ts'

/** What a handler may touch. There is no socket in it, so a handler can be tested as a function. */
export interface Context<C extends Contract = Contract> {
  readonly user: User
  /** The id of the socket: unique, and gone with it. */
  readonly id: string
  /** The client's address, as `addressOf` says it. */
  readonly address: string
  readonly log: FastifyBaseLogger
  /** Milliseconds since 1970, the same on every process; rates go by `performance.now()`. */
  now (): number
  /** @throws ClasswavesError RATE_LIMITED when the socket is in too many rooms */
  join (...rooms: string[]): Promise<void>
  leave (...rooms: string[]): Promise<void>
  /**
   * Joins home rooms of kept events. With `since` the sender first gets what it missed, room by room and in order;
   * rooms of which that is not there any more are `lost`, and want a fresh snapshot.
   */
  follow (rooms: readonly string[], since?: Positions): Promise<Recovery>
  /** The same for rooms that are no home rooms, but hear of many. Places are those of the home rooms. */
  followFeed (feed: Feed, since?: Positions): Promise<Recovery>
  joined (room: string): boolean
  /** The rooms that were joined, without the socket's own. */
  rooms (): string[]
  /** To rooms. */
  readonly emit: Emit<C>
  /** To the sender alone. */
  reply<E extends keyof C['sends'] & string> (event: E, payload: PayloadOf<C['sends'][E]>): void
}

/** One function for each received event; a missing one does not compile. It returns what the acknowledgement carries. */
export type Handlers<C extends Contract> = {
  [E in keyof C['receives']]: (
    context: Context<C>, payload: PayloadOf<C['receives'][E]>
  ) => AckOf<C['receives'][E]> | Promise<AckOf<C['receives'][E]>> | (Record<never, never> extends AckOf<C['receives'][E]> ? void | Promise<void> : never)
}

/** What a namespace wants to know of its sockets beside their events. */
export interface Hooks<C extends Contract> {
  /** The socket has gone; `rooms` are those that it was in. */
  disconnected? (context: Context<C>, rooms: readonly string[]): void | Promise<void>
}

export function replyMeta (socketId: string, now: number): Meta {
  return { id: randomUUID(), room: socketId, at: new Date(now).toISOString() }
}

export interface ContextDependencies<C extends Contract> {
  emit: Emit<C>
  delivery: Delivery
  log: FastifyBaseLogger
  now: () => number
  /** Rooms that one socket may be in. */
  roomLimit: number
}

export function createContext<C extends Contract> (
  socket: Socket, user: () => User, { emit, delivery, log, now, roomLimit }: ContextDependencies<C>
): Context<C> {
  /** What is left to join of these rooms, if the socket is there and they are not too many. */
  function fresh (rooms: readonly string[]): string[] {
    // A client may go while its event waits; whatever the handler would note of it then, nobody would take back.
    if (!socket.connected) throw new ClasswavesError('UNAVAILABLE', 'The connection has gone.')
    const missing = rooms.filter(room => !socket.rooms.has(room))
    if (socket.rooms.size - 1 + missing.length > roomLimit) {
      throw new ClasswavesError('RATE_LIMITED', `A socket may be in ${roomLimit} rooms at most.`, { retryAfterMs: 0 })
    }
    return missing
  }

  return {
    get user () { return user() },
    id: socket.id,
    address: addressOfSocket.get(socket) ?? socket.handshake.address,
    log,
    now,
    async join (...rooms) { await socket.join(fresh(rooms)) },
    async leave (...rooms) {
      for (const room of rooms) await socket.leave(room)
    },
    async follow (rooms, since) {
      fresh(rooms)
      return await followAll(delivery, socket, rooms, since)
    },
    async followFeed (feed, since) {
      fresh(feed.rooms)
      return await followFeed(delivery, socket, feed, since)
    },
    joined: room => socket.rooms.has(room),
    rooms: () => [...socket.rooms].filter(room => room !== socket.id),
    emit,
    reply: (event, payload) => { socket.emit(event, payload, replyMeta(socket.id, now())) }
  }
}
