import { randomUUID } from 'node:crypto'
import { journalBounds, type Heard, type Journal, type Kept, type Position } from './journal.ts'

interface Room { epoch: string, offset: number, events: Kept[], ids: Map<string, number>, until: number }

/** Kept events of one process: a ring for each room, forgotten when nothing was appended for `ttlSeconds`. */
export function createMemoryJournal ({ ttlSeconds, now = Date.now }: { ttlSeconds: number, now?: () => number }): Journal {
  const rooms = new Map<string, Room>()
  const listeners: ((event: Heard) => void)[] = []

  function roomOf (namespace: string, name: string): Room {
    const key = `${namespace} ${name}`
    let room = rooms.get(key)
    if (!room || room.until < now()) {
      for (const [other, { until }] of rooms) if (until < now()) rooms.delete(other)
      room = { epoch: randomUUID(), offset: 0, events: [], ids: new Map(), until: 0 }
      rooms.set(key, room)
    }
    room.until = now() + ttlSeconds * 1000
    return room
  }

  const positionOf = ({ epoch, offset }: Room): Position => ({ epoch, offset })

  return {
    async append (event) {
      const room = roomOf(event.namespace, event.rooms[0] as string)
      const known = room.ids.get(event.meta.id)
      if (known !== undefined) return { epoch: room.epoch, offset: known }
      room.offset++
      const kept: Kept = { ...event, meta: { ...event.meta, ...positionOf(room) } }
      room.events.push(kept)
      if (room.events.length > journalBounds.events) room.events.shift()
      room.ids.set(event.meta.id, room.offset)
      if (room.ids.size > journalBounds.ids) room.ids.delete(room.ids.keys().next().value as string)
      const { namespace, rooms: names } = kept
      for (const hear of listeners) hear({ namespace, rooms: names, position: positionOf(room), open: () => kept })
      return positionOf(room)
    },
    async position (namespace, room) { return positionOf(roomOf(namespace, room)) },
    async read (namespace, name, after, limit) {
      const room = roomOf(namespace, name)
      const oldest = room.offset - room.events.length
      const lost = after.epoch !== room.epoch || after.offset < oldest || after.offset > room.offset
      const from = after.offset - oldest
      return { events: lost ? [] : room.events.slice(from, from + limit), position: positionOf(room), lost }
    },
    async oldest (namespace, name, limit) {
      const room = roomOf(namespace, name)
      return { events: room.events.slice(0, limit), position: positionOf(room), lost: false }
    },
    listen (hear) { listeners.push(hear) },
    async close () { listeners.length = 0 }
  }
}
