import { admins, groupOf, type Role } from '../core/access.ts'
import type { Context, Handlers, Hooks } from '../core/context.ts'
import type { Backend } from '../core/core.ts'
import { ClasswavesError } from '../core/errors.ts'
import type { Audio } from './audio.ts'
import { rooms, type sessions as sessionsContract } from './contract.ts'
import type { Presence } from './presence.ts'
import type { Rights } from './rights.ts'
import type { Session } from './schema.ts'
import type { Sessions } from './service.ts'
import { impliedReadiness, viewOf } from './view.ts'

type SessionsContext = Context<typeof sessionsContract>
interface HandlerDependencies { sessions: Sessions, rights: Rights, presence: Presence, audio: Audio, backend: Backend }

/** One function for each event of `/sessions`. Joining a room is where the right is asked; later only the room counts. */
export function sessionsHandlers ({ sessions, rights, presence, audio, backend }: HandlerDependencies): { handlers: Handlers<typeof sessionsContract>, hooks: Hooks<typeof sessionsContract> } {
  /** A student whose token or group plan belongs to the session is enrolled by joining it. */
  async function enrolled (context: SessionsContext, sessionId: string): Promise<Session> {
    const { user } = context
    const session = await rights.session(user, 'session:read', sessionId)
    if (user.role !== 'student' || session.status === 'ended' || session.participants.some(one => one.userId === user.userId)) return session
    const groupId = groupOf(user, session) ?? undefined
    const result = await sessions.enrol(sessionId, { userId: user.userId, displayName: user.name ?? user.userId, ...(groupId && { groupId }) })
    return result.session
  }

  async function enter (context: SessionsContext, sessionId: string) {
    const session = await enrolled(context, sessionId)
    const { user } = context
    await context.join(rooms.session({ sessionId }), rooms.user({ sessionId, userId: user.userId }), ...audible(session, context))
    const first = await presence.arrive(sessionId, user.userId, context.id)
    return { session, first, answer: { snapshot: viewOf(session, user), backend } }
  }

  async function exit (context: SessionsContext, sessionId: string): Promise<void> {
    const home = rooms.session({ sessionId })
    if (!context.joined(home)) throw new ClasswavesError('NOT_IN_SESSION')
    await context.leave(...context.rooms().filter(room => room === home || room.startsWith(`${home}:`)))
    await presence.leave(sessionId, context.user.userId, context.id)
  }

  function inGroup (context: SessionsContext, place: { sessionId: string, groupId: string }): void {
    if (!context.joined(rooms.group(place))) throw new ClasswavesError('NOT_IN_SESSION')
  }

  const subscribe = async (context: SessionsContext, { sessionId }: { sessionId: string }) => (await enter(context, sessionId)).answer
  const unsubscribe = async (context: SessionsContext, { sessionId }: { sessionId: string }): Promise<void> => await exit(context, sessionId)

  return {
    handlers: {
      'session:guidance:subscribe': subscribe,
      'session:guidance:unsubscribe': unsubscribe,
      'session:join': subscribe,
      'session:leave': unsubscribe,

      async 'student:session:join' (context, { sessionId }) {
        const { session, first, answer } = await enter(context, sessionId)
        if (first) {
          const studentId = context.user.userId
          await context.emit.to({ sessionId }).emit('student:session:joined', { sessionId, studentId })
          const groupId = groupOf(context.user, session)
          if (groupId !== null) await context.emit.to({ sessionId, groupId }).emit('group:joined', { sessionId, groupId, studentId })
        }
        return answer
      },

      async 'group:join' (context, { sessionId, groupId }) {
        const session = await rights.session(context.user, 'group:read', sessionId, groupId)
        await context.join(rooms.group({ sessionId, groupId }))
        return { group: session.groups.find(group => group.groupId === groupId) as Session['groups'][number] }
      },

      async 'group:leave' (context, place) {
        inGroup(context, place)
        await context.leave(rooms.group(place))
      },

      async 'group:status_update' (context, { sessionId, groupId, status, isReady = impliedReadiness(status), issueReason }) {
        inGroup(context, { sessionId, groupId })
        return await sessions.updateGroup(sessionId, groupId, {
          status, ...(isReady !== undefined && { isReady }), issueReason: status === 'issue' ? issueReason ?? null : null
        })
      },

      async 'group:leader_ready' (context, { sessionId, groupId, ready }) {
        inGroup(context, { sessionId, groupId })
        await rights.session(context.user, 'group:lead', sessionId, groupId)
        return await sessions.updateGroup(sessionId, groupId, { isReady: ready, status: ready ? 'ready' : 'waiting' })
      },

      async 'analytics:subscribe' (context, { sessionId }) {
        const { userId } = context.user
        if (sessionId === undefined) await context.join(rooms.results({ teacherId: userId }))
        else {
          await rights.session(context.user, 'session:manage', sessionId)
          await context.join(rooms.teacher({ sessionId }))
        }
        return { deprecated: true, events: ['analytics:finalized', 'analytics:failed'], backend }
      },

      async 'audio:stream:start' (context, place) { await audio.admit(context, place) },
      async 'audio:chunk' (context, chunk) { await audio.take(context, chunk) },
      'audio:stream:end': inGroup,
      'audio:stream:ack': inGroup
    },

    hooks: {
      async disconnected (context, left) {
        audio.forget(context.id)
        for (const room of left) {
          const [, sessionId] = /^session:([^:]+)$/.exec(room) ?? []
          if (sessionId) await presence.leave(sessionId, context.user.userId, context.id)
        }
      }
    }
  }
}

/** The rooms of a session that a user may hear beside the session's own. */
function audible (session: Session, { user }: SessionsContext): string[] {
  const { sessionId } = session
  if (user.role === 'student') {
    const groupId = groupOf(user, session)
    return groupId === null ? [] : [rooms.group({ sessionId, groupId })]
  }
  const groups = session.groups.map(({ groupId }) => rooms.group({ sessionId, groupId }))
  const owner = session.teacherId === user.userId || (admins as readonly Role[]).includes(user.role)
  return owner ? [rooms.teacher({ sessionId }), ...groups] : groups
}
