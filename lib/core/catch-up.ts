import type { Socket } from 'socket.io'
import type { Connections } from './connections.ts'
import { at, enter, isAt, type Cursor, type Followed } from './cursor.ts'
import type { DeliveryWatch, Journal, Position } from './journal.ts'

/** What a reader missed of one home room, from the journal to its socket alone, until live events can take over. */

/** Events that are read at once. */
export const pageSize = 200

export interface Reader {
  socket: Socket
  /** Those that it comes back to. */
  rooms: readonly string[]
  home: string
  cursor: Cursor
}

export interface Source {
  journal: Journal
  connections: Connections | undefined
  watch: DeliveryWatch
  /** Waits for this process to come to a place. */
  until: (namespace: string, room: string, cursor: Cursor, place: Position) => Promise<void>
}

/** Of the home room's events it gets those that go to a room that it comes back to, or is in. */
export async function catchUp ({ socket, rooms, home, cursor }: Reader, since: Position, { journal, connections, watch, until }: Source): Promise<Followed> {
  const namespace = socket.nsp.name
  const hears = (room: string): boolean => rooms.includes(room) || socket.rooms.has(room)
  let place = since
  let events = 0
  for (;;) {
    const page = await journal.read(namespace, home, place, pageSize)
    const missed = page.events.filter(event => event.rooms.some(hears))
    events += missed.length
    if (page.lost) {
      watch.replayed(namespace, false, events)
      // What it got before the rest fell out is not to come again.
      if (place !== since) await until(namespace, home, cursor, place)
      return { position: await enter(socket, rooms, cursor), recovered: false }
    }
    for (const { event, payload, meta } of missed) {
      // All at once would be more than may wait for one connection.
      await connections?.caughtUp(socket)
      socket.emit(event, payload, meta)
    }
    const last = page.events.at(-1)
    if (last) place = at(last.meta)
    if (place.offset < page.position.offset) continue
    if (!isAt(cursor, place)) await until(namespace, home, cursor, place)
    // From the look at the cursor to the join nothing else runs, so nothing can come between.
    if (!isAt(cursor, place)) continue
    watch.replayed(namespace, true, events)
    return { position: await enter(socket, rooms, cursor), recovered: true }
  }
}
