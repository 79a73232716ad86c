import type { Socket } from 'socket.io'
import type { Heard, Position } from './journal.ts'

/** How far this process has delivered a home room. */
export interface Cursor extends Position {
  readonly namespace: string
  /** The home room. */
  readonly room: string
  /** Events that come while the journal is read. */
  waiting: Heard[] | null
  /** The reading that is going on; true when it came to the end of the journal. */
  filling: Promise<boolean> | null
  /** It began where the room did: whoever heard of the room here heard all of it. */
  whole: boolean
  /** Told when the cursor moves. */
  moved: Set<() => void>
  /** Settles when the position is known. */
  placed: Promise<void>
  /** The home room, and rooms that hear of it: as long as one of them has a reader, the cursor is needed. */
  rooms: Set<string>
  /** Readers on their way in; a cursor that somebody needs is not forgotten. */
  entering: number
  /** Sockets that are getting what they missed: what goes out meanwhile they read from the journal. */
  behind: Set<string>
}

/** What became of a reader that said where it was. */
export interface Followed { position: Position, recovered: boolean }

/** Into the rooms, and where the home room stands: one step, between which and the next nothing is delivered. */
export async function enter (socket: Socket, rooms: readonly string[], cursor: Cursor): Promise<Position> {
  cursor.behind.delete(socket.id)
  const joined = socket.join([...rooms])
  const position = at(cursor)
  await joined
  return position
}

/** Out of all rooms in one step. */
export async function leaveAll (socket: Socket, rooms: readonly string[]): Promise<void> {
  await Promise.all(rooms.map(room => socket.leave(room)))
}

/** @param rooms the home room first */
export function cursorAt (position: Position, namespace: string, rooms: readonly string[]): Cursor {
  return { ...position, namespace, room: rooms[0] as string, waiting: null, filling: null, whole: position.offset === 0, moved: new Set(), placed: Promise.resolve(), rooms: new Set(rooms), entering: 0, behind: new Set() }
}

export function move (cursor: Cursor, { epoch, offset }: Position): void {
  Object.assign(cursor, { epoch, offset })
  for (const moved of cursor.moved) moved()
}

/** Settles when the cursor has moved so far that it is behind no more, or after `ms`. */
export async function movedPast (cursor: Cursor, isBehind: () => boolean, ms: number): Promise<void> {
  await new Promise<void>(resolve => {
    const done = (): void => {
      clearTimeout(timer)
      cursor.moved.delete(look)
      resolve()
    }
    const look = (): void => { if (!isBehind()) done() }
    const timer = setTimeout(done, ms)
    cursor.moved.add(look)
  })
}

export function at ({ epoch, offset }: Position): Position { return { epoch, offset } }
export function isAt (cursor: Position, place: Position): boolean { return cursor.epoch === place.epoch && cursor.offset === place.offset }
