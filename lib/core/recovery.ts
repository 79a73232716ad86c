import type { Socket } from 'socket.io'
import Type, { type Static } from 'typebox'
import type { Followed } from './cursor.ts'
import type { Delivery } from './delivery.ts'
import { isOf, type Room } from './room.ts'
import { Closed } from './schema.ts'

/** What a subscription says of places: where the reader was, where it is, and what could not be made up for. */

export const Place = Closed({ epoch: Type.String({ minLength: 1, maxLength: 64 }), offset: Type.Integer({ minimum: 0 }) })

/** By home room. */
export const Positions = Type.Record(Type.String(), Place, { maxProperties: 100 })
export type Positions = Static<typeof Positions>

/** The part of an acknowledgement that every subscription has. */
export const recoveryProperties = {
  positions: Type.Record(Type.String(), Place),
  lost: Type.Array(Type.String(), { description: 'rooms whose missed events are not there any more; the snapshot stands in for them' }),
  recovered: Type.Boolean({ description: 'nothing was lost' })
}
export interface Recovery { positions: Positions, lost: string[], recovered: boolean }

/** Rooms that hear of many home rooms, as those of a teacher hear of all own sessions. */
export interface Feed {
  rooms: readonly string[]
  /** The home rooms that there are by now; `complete` unless there are more. */
  homes: () => Promise<{ rooms: readonly string[], complete: boolean }>
  home: Room
}

/** Home rooms that a feed has places for, the newest: fewer than a subscription may name, as more come while it is heard. */
export const feedHomes = 50

/**
 * Follows rooms, each from where the reader was. A reader that names some rooms but not this one was away when the
 * room came into being: if anything was said in it, that is lost to the reader.
 */
export async function followAll (delivery: Delivery, socket: Socket, rooms: readonly string[], since?: Positions): Promise<Recovery> {
  const followed = await Promise.all(rooms.map(room => delivery.follow(socket, room, since?.[room])))
  return judge(rooms, followed, since)
}

/**
 * Follows a feed: what was missed comes home room by home room, of each only what goes to the feed. Of a home room that
 * is not there any more nobody knows what it said, and where there are more than can be named neither: both are lost.
 */
export async function followFeed (delivery: Delivery, socket: Socket, { rooms, homes, home }: Feed, since?: Positions): Promise<Recovery> {
  const { rooms: known, complete } = await homes()
  const followed = await delivery.followAs(socket, rooms, known, since)
  // What came into being before the socket was in the rooms.
  const later = since ? (await homes()).rooms.filter(room => !known.includes(room)) : []
  followed.push(...await delivery.followAs(socket, rooms, later))
  const recovery = judge([...known, ...later], followed, since)
  const gone = Object.keys(since ?? {}).filter(room => isOf(home, room) && !(room in recovery.positions))
  delivery.feeds.add(socket, { rooms, homes, home }, Object.keys(recovery.positions))
  const lost = [...recovery.lost, ...gone, ...(since && !complete ? rooms : [])]
  return { ...recovery, lost, recovered: lost.length === 0 }
}

function judge (rooms: readonly string[], followed: readonly Followed[], since: Positions | undefined): Recovery {
  const places = followed.map((one, i) => ({ ...one, room: rooms[i] as string }))
  const lost = places.filter(({ room, recovered, position }) => !recovered || (since !== undefined && !(room in since) && position.offset > 0))
  return {
    positions: Object.fromEntries(places.map(({ room, position }) => [room, position])),
    lost: lost.map(({ room }) => room),
    recovered: lost.length === 0
  }
}
