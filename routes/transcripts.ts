import Type from 'typebox'
import { groupOf, relationTo, teachers } from '../lib/core/access.ts'
import { Closed, Id, Nullable } from '../lib/core/schema.ts'
import { Slice, SliceInput } from '../lib/sessions/schema.ts'
import type { SessionsArea } from '../lib/sessions/area.ts'
import { callerOf, type Scope } from './scope.ts'

const tags = ['transcripts']
const params = Closed({ sessionId: Id })

/** Talk in, from workers and teachers; talk out, page by page. */
export function transcriptRoutes (scope: Scope, { sessions, rights }: Pick<SessionsArea, 'sessions' | 'rights'>): void {
  scope.post('/sessions/:sessionId/transcripts', {
    config: { who: [...teachers, 'worker'] },
    schema: {
      tags,
      operationId: 'addTranscripts',
      summary: 'Adds pieces of talk; one whose id is known is counted as a duplicate.',
      params,
      body: Closed({ slices: Type.Array(SliceInput, { minItems: 1, maxItems: 500 }) }),
      response: { 202: Type.Object({ accepted: Type.Integer(), duplicates: Type.Integer() }) }
    }
  }, async (request, reply) => {
    const { sessionId } = request.params
    await rights.session(callerOf(request), 'session:transcribe', sessionId)
    return await reply.code(202).send(await sessions.transcribe(sessionId, request.body.slices))
  })

  scope.get('/sessions/:sessionId/transcripts', {
    config: { who: [...teachers, 'student'] },
    schema: {
      tags,
      operationId: 'getTranscripts',
      summary: 'Reads talk in order; a student reads that of their own group.',
      params,
      querystring: Closed({
        groupId: Type.Optional(Id),
        after: Type.Integer({ minimum: 0, default: 0, description: 'nextAfter of the page before' }),
        limit: Type.Integer({ minimum: 1, maximum: 1000, default: 100 })
      }),
      response: { 200: Type.Object({ slices: Type.Array(Slice), nextAfter: Nullable(Type.Integer()) }) }
    }
  }, async request => {
    const user = callerOf(request)
    const { sessionId } = request.params
    const session = await rights.session(user, 'session:read', sessionId)
    const { after, limit, groupId = relationTo(user, session) === 'member' ? groupOf(user, session) ?? undefined : undefined } = request.query
    if (groupId !== undefined) await rights.session(user, 'group:read', sessionId, groupId)
    else if (user.role === 'student') return { slices: [], nextAfter: null }
    return await sessions.transcripts(sessionId, { after, limit, ...(groupId !== undefined && { groupId }) })
  })
}
