import Type from 'typebox'
import { teachers } from '../lib/core/access.ts'
import { ClasswavesError } from '../lib/core/errors.ts'
import { Closed, Id } from '../lib/core/schema.ts'
import type { ClassroomArea } from '../lib/classroom/area.ts'
import { ChatMode, HistoryPage, Person } from '../lib/classroom/schema.ts'
import type { SessionsArea } from '../lib/sessions/area.ts'
import { callerOf, type Scope } from './scope.ts'

const tags = ['classroom']
const params = Closed({ sessionId: Id })
const readers = [...teachers, 'student'] as const

/** Who is present, what was said, and who may write. */
export function classroomRoutes (scope: Scope, { rights }: Pick<SessionsArea, 'rights'>, { classroom }: Pick<ClassroomArea, 'classroom'>): void {
  scope.get('/sessions/:sessionId/presence', {
    config: { who: readers },
    schema: {
      tags,
      operationId: 'getPresence',
      summary: 'Who is present in the class, each user once.',
      params,
      response: { 200: Type.Object({ count: Type.Integer(), people: Type.Array(Person) }) }
    }
  }, async request => {
    const { sessionId } = await rights.session(callerOf(request), 'session:read', request.params.sessionId)
    return await classroom.people(sessionId)
  })

  scope.get('/sessions/:sessionId/messages', {
    config: { who: readers },
    schema: {
      tags,
      operationId: 'getMessages',
      summary: 'A page of what was said, oldest first; the newest page unless asked otherwise.',
      params,
      querystring: Closed({
        lane: Type.Enum(['main', 'direct', 'held'], { type: 'string', default: 'main', description: 'to the class; to and by the reader alone, or all of that for the teacher; or what waits for approval' }),
        before: Type.Optional(Type.Integer({ minimum: 1, description: 'older than this seq' })),
        after: Type.Optional(Type.Integer({ minimum: 0, description: 'newer than this seq' })),
        limit: Type.Integer({ minimum: 1, maximum: 200, default: 50 })
      }),
      response: { 200: HistoryPage }
    }
  }, async request => {
    const user = callerOf(request)
    const { lane, ...page } = request.query
    const session = await rights.session(user, 'session:read', request.params.sessionId)
    const { sessionId } = session
    if (lane === 'main') return await classroom.history(sessionId, lane, page)
    if (lane === 'held') {
      await rights.session(user, 'session:manage', sessionId)
      return await classroom.history(sessionId, lane, page)
    }
    const manages = await rights.session(user, 'session:manage', sessionId).then(() => true, (error: unknown) => {
      if (error instanceof ClasswavesError && error.code === 'FORBIDDEN') return false
      throw error
    })
    return await classroom.history(sessionId, manages ? 'direct' : `direct:${user.userId}`, page)
  })

  scope.get('/sessions/:sessionId/chat', {
    config: { who: readers },
    schema: { tags, operationId: 'getChat', summary: 'Who may write to the class.', params, response: { 200: Type.Object({ mode: ChatMode }) } }
  }, async request => {
    const { sessionId } = await rights.session(callerOf(request), 'session:read', request.params.sessionId)
    return { mode: await classroom.mode(sessionId) }
  })

  scope.put('/sessions/:sessionId/chat', {
    config: { who: teachers },
    schema: {
      tags,
      operationId: 'setChat',
      summary: 'Says who may write to the class; everybody is told.',
      params,
      body: Closed({ mode: ChatMode }),
      response: { 200: Type.Object({ mode: ChatMode, changed: Type.Boolean() }) }
    }
  }, async request => {
    const { sessionId } = await rights.session(callerOf(request), 'session:manage', request.params.sessionId)
    return await classroom.setMode(sessionId, request.body.mode)
  })
}
