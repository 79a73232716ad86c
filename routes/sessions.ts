import Type from 'typebox'
import { admins, teachers, type Role } from '../lib/core/access.ts'
import { Closed, Id, Nullable } from '../lib/core/schema.ts'
import { Group, GroupPlan, MoveWords, Session, SessionPlan, SessionStatus } from '../lib/sessions/schema.ts'
import { readinessOf, viewOf } from '../lib/sessions/view.ts'
import type { SessionsArea } from '../lib/sessions/area.ts'
import { callerOf, type Scope } from './scope.ts'

const tags = ['sessions']
const params = Closed({ sessionId: Id })
const Move = Type.Optional(Nullable(MoveWords))
const moves = {
  start: 'Starts a session, or lets a paused one go on.',
  pause: 'Pauses an active session.',
  resume: 'Lets a paused session go on.',
  end: 'Ends a session; its results follow as analytics:finalized.'
} as const
const Readiness = Type.Object({
  groups: Type.Array(Type.Object({ ...Group.properties, memberCount: Type.Integer() })),
  summary: Type.Object({
    totalGroups: Type.Integer(), readyGroups: Type.Integer(), issueGroups: Type.Integer(), canStartSession: Type.Boolean()
  })
})

/** Creating sessions and carrying them through their life. */
export function sessionRoutes (scope: Scope, { sessions, rights }: Pick<SessionsArea, 'sessions' | 'rights'>): void {
  scope.post('/sessions', {
    config: { who: teachers },
    schema: { tags, operationId: 'createSession', summary: 'Creates a session.', body: SessionPlan, response: { 201: Session } }
  }, async (request, reply) => {
    const user = callerOf(request)
    await rights.create(user)
    return await reply.code(201).send(await sessions.create(request.body, user.userId))
  })

  scope.get('/sessions', {
    config: { who: teachers },
    schema: {
      tags,
      operationId: 'listSessions',
      summary: 'Lists own sessions, newest first; admins see all.',
      querystring: Closed({
        status: Type.Optional(SessionStatus),
        limit: Type.Integer({ minimum: 1, maximum: 100, default: 50 }),
        cursor: Type.Optional(Type.String({ maxLength: 200 }))
      }),
      response: { 200: Type.Object({ sessions: Type.Array(Session), nextCursor: Nullable(Type.String()) }) }
    }
  }, async request => {
    const user = callerOf(request)
    const everything = (admins as readonly Role[]).includes(user.role)
    return await sessions.list({ ...request.query, ...(!everything && { teacherId: user.userId }) })
  })

  scope.get('/sessions/:sessionId', {
    config: { who: [...teachers, 'student'] },
    schema: { tags, operationId: 'getSession', summary: 'Reads a session, as its reader may see it.', params, response: { 200: Session } }
  }, async request => {
    const user = callerOf(request)
    return viewOf(await rights.session(user, 'session:read', request.params.sessionId), user)
  })

  scope.put('/sessions/:sessionId/groups', {
    config: { who: teachers },
    schema: {
      tags,
      operationId: 'setGroups',
      summary: 'Replaces the groups; a group that keeps its id keeps its status.',
      params,
      body: Closed({ groups: Type.Array(GroupPlan, { maxItems: 60 }) }),
      response: { 200: Session }
    }
  }, async request => {
    const { sessionId } = request.params
    await rights.session(callerOf(request), 'session:manage', sessionId)
    return await sessions.setGroups(sessionId, request.body.groups)
  })

  for (const [move, summary] of Object.entries(moves) as [keyof typeof moves, string][]) {
    scope.post(`/sessions/:sessionId/${move}`, {
      config: { who: teachers },
      schema: { tags, operationId: `${move}Session`, summary, params, body: Move, response: { 200: Session } }
    }, async request => {
      const { sessionId } = request.params as { sessionId: string }
      await rights.session(callerOf(request), 'session:manage', sessionId)
      return await sessions[move](sessionId, request.body ?? {})
    })
  }

  scope.get('/sessions/:sessionId/groups/status', {
    config: { who: teachers },
    schema: { tags, operationId: 'getGroupsStatus', summary: 'How far the groups are.', params, response: { 200: Readiness } }
  }, async request => readinessOf(await rights.session(callerOf(request), 'session:manage', request.params.sessionId)))
}
