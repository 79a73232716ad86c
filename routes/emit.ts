import Type from 'typebox'
import type { Contract } from '../lib/core/contract.ts'
import type { Emit } from '../lib/core/emit.ts'
import { ClasswavesError } from '../lib/core/errors.ts'
import { Closed, Id } from '../lib/core/schema.ts'
import type { SessionsArea } from '../lib/sessions/area.ts'
import { callerOf, type Scope } from './scope.ts'

/** For workers that cannot reach Redis: an event through the same door as everybody's. */
export function emitRoutes (scope: Scope, { rights }: Pick<SessionsArea, 'rights'>, doors: ReadonlyMap<string, Emit<Contract>>): void {
  scope.post('/sessions/:sessionId/emit', {
    config: { who: ['worker'] },
    schema: {
      tags: ['workers'],
      operationId: 'emit',
      summary: 'Emits a declared event to the rooms of a session.',
      params: Closed({ sessionId: Id }),
      body: Closed({
        namespace: Type.Enum([...doors.keys()]),
        event: Type.String({ minLength: 1, maxLength: 100 }),
        payload: Type.Union([Type.Record(Type.String(), Type.Unknown()), Type.Array(Type.Unknown(), { maxItems: 100 })])
      }),
      response: { 202: Type.Object({ emitted: Type.Literal(true) }) }
    }
  }, async (request, reply) => {
    const { sessionId } = request.params
    const { namespace, event, payload } = request.body
    await rights.session(callerOf(request), 'session:emit', sessionId)
    const door = doors.get(namespace)
    if (!door) throw new ClasswavesError('INVALID_PAYLOAD', `body/namespace ${namespace} is not served`)
    const groupId = (payload as { groupId?: unknown }).groupId
    await door.dynamic({ sessionId, ...(typeof groupId === 'string' && { groupId }) }, event, payload)
    return await reply.code(202).send({ emitted: true as const })
  })
}
