import type { FastifyBaseLogger } from 'fastify'
import type { Socket } from 'socket.io'
import { Comparison } from './comparison.ts'
import { toWireError } from './errors.ts'
import type { Journal } from './journal.ts'
import type { Feed } from './recovery.ts'

/**
 * Who hears of many home rooms in this process. A room that came into being while the process heard nothing is not known
 * to it, so nothing tells of what was said in it: after each new connection the feeds are asked which rooms there are.
 */

export interface FeedsDependencies {
  journal: Journal
  log: FastifyBaseLogger
  /** Whether this process has delivered a home room from its beginning. */
  isWhole: (namespace: string, home: string) => boolean
}

interface Reader { socket: Socket, feed: Feed, known: ReadonlySet<string> }

export class Feeds {
  readonly #use: FeedsDependencies
  readonly #readers = new Map<string, Reader>()
  readonly #comparison = new Comparison(async id => await this.#isCurrent(id))

  constructor (use: FeedsDependencies) { this.#use = use }

  /** A socket follows a feed, and has places for the home rooms that are known. */
  add (socket: Socket, feed: Feed, known: readonly string[]): void {
    if (!socket.connected) return // gone while it was asked for, and will not say so again
    if (!this.#readers.has(socket.id)) socket.once('disconnect', () => this.#readers.delete(socket.id))
    this.#readers.set(socket.id, { socket, feed, known: new Set(known) })
  }

  compare (): void {
    for (const id of this.#readers.keys()) this.#comparison.ask(id)
  }

  stop (): void { this.#comparison.stop() }

  /** Whoever has missed a room comes back: with its places it is told what is lost, without them it begins anew. */
  async #isCurrent (id: string): Promise<boolean> {
    const reader = this.#readers.get(id)
    if (!reader?.feed.rooms.some(room => reader.socket.rooms.has(room))) return true
    const { socket, feed, known } = reader
    try {
      const { rooms } = await feed.homes()
      // The newest first: what comes after the last that is known is older than it, and was never in its places.
      const last = rooms.findLastIndex(room => known.has(room))
      const strange = rooms.slice(0, last < 0 ? rooms.length : last).filter(room => !known.has(room) && !this.#use.isWhole(socket.nsp.name, room))
      const places = await Promise.all(strange.map(async room => await this.#use.journal.position(socket.nsp.name, room)))
      if (places.some(({ offset }) => offset > 0)) socket.conn.close()
      return true
    } catch (error) {
      if (toWireError(error).code !== 'UNAVAILABLE') this.#use.log.error({ err: error }, 'a feed could not be compared with the sessions that there are')
      return false // Redis is away or late, and says so elsewhere
    }
  }
}
