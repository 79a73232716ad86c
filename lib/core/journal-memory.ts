import { journalBounds, seriesOf, type Heard, type Journal, type Kept, type Position } from './journal.ts'

interface Room {
  epoch: string
  offset: number
  events: Kept[]
  ids: Map<string, number>
  /** The highest number of each series. */
  highest: Map<string, number>
  /** When the events are forgotten, and when the room is (ms). */
  eventsUntil: number
  until: number
}

export interface MemoryJournalOptions {
  ttlSeconds: number
  /** Events that are kept of a room. */
  events?: number
  now?: () => number
}

/** Kept events of one process: a ring for each room. */
export function createMemoryJournal ({ ttlSeconds, events: bound = journalBounds.events, now = Date.now }: MemoryJournalOptions): Journal {
  const rooms = new Map<string, Room>()
  const listeners: ((event: Heard) => void)[] = []
  let lastEpoch = 0

  function roomOf (namespace: string, name: string): Room {
    const key = `${namespace} ${name}`
    let room = rooms.get(key)
    if (!room || room.until <= now()) {
      for (const [other, { until }] of rooms) if (until <= now()) rooms.delete(other)
      lastEpoch = Math.max(lastEpoch + 1, now())
      room = { epoch: String(lastEpoch), offset: 0, events: [], ids: new Map(), highest: new Map(), eventsUntil: 0, until: now() + ttlSeconds * 1000 }
      rooms.set(key, room)
    }
    if (room.eventsUntil <= now()) {
      room.events = []
      room.ids.clear()
    }
    return room
  }

  /** Whoever asks for a room keeps it. */
  function asked (namespace: string, name: string): Room {
    const room = roomOf(namespace, name)
    room.until = now() + ttlSeconds * 1000
    return room
  }

  return {
    async append (event) {
      const room = roomOf(event.namespace, event.rooms[0] as string)
      const { id } = event.meta
      const known = room.ids.get(id)
      if (known !== undefined) return { epoch: room.epoch, offset: known }
      const series = seriesOf(id)
      if (series && series.number <= (room.highest.get(series.name) ?? -1)) return at(room)
      room.offset++
      if (series) room.highest.set(series.name, series.number)
      const kept: Kept = { ...event, meta: { ...event.meta, ...at(room) } }
      room.events.push(kept)
      room.ids.set(id, room.offset)
      if (room.events.length > bound) room.ids.delete((room.events.shift() as Kept).meta.id)
      room.until = room.eventsUntil = now() + ttlSeconds * 1000
      const { namespace, rooms: names } = kept
      for (const hear of listeners) hear({ namespace, rooms: names, position: at(room), open: () => kept })
      return at(room)
    },
    async position (namespace, room) { return at(asked(namespace, room)) },
    async read (namespace, name, after, limit) {
      const room = asked(namespace, name)
      const oldest = room.offset - room.events.length
      const there = after.epoch === room.epoch && Number.isInteger(after.offset) && after.offset >= oldest && after.offset <= room.offset
      const from = after.offset - oldest
      return { events: there ? room.events.slice(from, from + limit) : [], position: at(room), lost: !there }
    },
    async oldest (namespace, name, limit) {
      const room = asked(namespace, name)
      return { events: room.events.slice(0, limit), position: at(room), lost: false }
    },
    listen (hear) { listeners.push(hear) },
    async close () { listeners.length = 0 }
  }
}

function at ({ epoch, offset }: Position): Position { return { epoch, offset } }
