import Type from 'typebox'
import { teachers } from '../lib/core/access.ts'
import { ClasswavesError } from '../lib/core/errors.ts'
import type { Journal } from '../lib/core/journal.ts'
import { Place } from '../lib/core/recovery.ts'
import { Closed, Id, Nullable } from '../lib/core/schema.ts'
import type { SessionsArea } from '../lib/sessions/area.ts'
import { audibleRooms } from '../lib/sessions/view.ts'
import { callerOf, type Scope } from './scope.ts'

const KeptEvent = Type.Object({
  event: Type.String(),
  payload: Type.Unknown(),
  meta: Type.Object({ id: Type.String(), room: Type.String(), at: Type.String(), traceId: Type.Optional(Type.String()), ...Place.properties })
})

/** Which namespace a home room is of, for those that a user may hear in it. */
export type HomeRooms = (session: Parameters<typeof audibleRooms>[0], user: Parameters<typeof audibleRooms>[1]) => Promise<{ namespace: string, room: string }[]>

/** Kept events for those who were away, or who do not listen at all. */
export function eventRoutes (scope: Scope, { rights }: Pick<SessionsArea, 'rights'>, journal: Journal, roomsOf: HomeRooms): void {
  scope.get('/sessions/:sessionId/events', {
    config: { who: [...teachers, 'student'] },
    schema: {
      tags: ['events'],
      operationId: 'getEvents',
      summary: 'Kept events of a home room, in order, after a position.',
      params: Closed({ sessionId: Id }),
      querystring: Closed({
        room: Type.Optional(Type.String({ maxLength: 200, description: 'the home room; session:<sessionId> unless said' })),
        epoch: Type.Optional(Place.properties.epoch),
        after: Type.Integer({ minimum: 0, default: 0, description: 'offset of the last event that is known; goes with epoch' }),
        limit: Type.Integer({ minimum: 1, maximum: 1000, default: 100 })
      }),
      response: {
        200: Type.Object({
          room: Type.String(),
          ...Place.properties,
          lost: Type.Boolean({ description: 'events after the position are not there any more; `events` begins with the oldest that is' }),
          events: Type.Array(KeptEvent),
          nextAfter: Nullable(Type.Integer())
        })
      }
    }
  }, async request => {
    const user = callerOf(request)
    const { sessionId } = request.params
    const { room = `session:${sessionId}`, epoch, after, limit } = request.query
    const session = await rights.session(user, 'session:read', sessionId)
    const home = (await roomsOf(session, user)).find(one => one.room === room)
    if (!home) throw new ClasswavesError('FORBIDDEN', 'You may not hear this room, or it is not a room of this session.')
    const stands = await journal.position(home.namespace, room)
    const asked = await journal.read(home.namespace, room, { epoch: epoch ?? stands.epoch, offset: after }, limit)
    const page = asked.lost ? await journal.oldest(home.namespace, room, limit) : asked
    const events = page.events.map(({ event, payload, meta }) => ({ event, payload, meta }))
    const last = events.at(-1)?.meta.offset
    return {
      room,
      ...page.position,
      lost: asked.lost,
      events,
      nextAfter: last !== undefined && last < page.position.offset ? last : null
    }
  })
}
