import type { Socket } from 'socket.io'
import Type, { type Static } from 'typebox'
import type { Delivery } from './delivery.ts'
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

/**
 * Follows rooms, each from where the reader was. A reader that names some rooms but not this one was away when the
 * room came into being: if anything was said in it, that is lost to the reader.
 */
export async function followAll (delivery: Delivery, socket: Socket, rooms: readonly string[], since?: Positions): Promise<Recovery> {
  const followed = await Promise.all(rooms.map(async room => {
    const { position, recovered } = await delivery.follow(socket, room, since?.[room])
    return { room, position, recovered: recovered && (since === undefined || room in since || position.offset === 0) }
  }))
  const lost = followed.filter(one => !one.recovered).map(one => one.room)
  return { positions: Object.fromEntries(followed.map(({ room, position }) => [room, position])), lost, recovered: lost.length === 0 }
}
