import { groupOf } from '../core/access.ts'
import type { Context, Handlers, Hooks } from '../core/context.ts'
import type { PayloadOf } from '../core/contract.ts'
import type { Backend } from '../core/core.ts'
import { ClasswavesError } from '../core/errors.ts'
import { feedHomes, type Feed } from '../core/recovery.ts'
import type { Audio } from './audio.ts'
import { rooms, type sessions as sessionsContract } from './contract.ts'
import type { Presence } from './presence.ts'
import type { Rights } from './rights.ts'
import type { Session } from './schema.ts'
import type { Sessions } from './service.ts'
import { audibleRooms, impliedReadiness, viewOf } from './view.ts'

type SessionsContext = Context<typeof sessionsContract>
type Subscription = PayloadOf<typeof sessionsContract['receives']['session:join']>
interface HandlerDependencies { sessions: Sessions, rights: Rights, presence: Presence, audio: Audio, backend: Backend }

/** One function for each event of `/sessions`. Joining a room is where the right is asked; later only the room counts. */
export function sessionsHandlers ({ sessions, rights, presence, audio, backend }: HandlerDependencies): { handlers: Handlers<typeof sessionsContract>, hooks: Hooks<typeof sessionsContract> } {
  /** A student whose token or group plan belongs to the session is enrolled by joining it. */
  async function enrolled (context: SessionsContext, sessionId: string): Promise<Session> {
    const { user } = context
    const session = await rights.session(user, 'session:read', sessionId)
    if (user.role !== 'student' || session.status === 'ended' || session.participants.some(one => one.userId === user.userId)) return session
    const groupId = groupOf(user, session) ?? undefined
    const result = await sessions.enrol(sessionId, { userId: user.userId, displayName: (user.name ?? user.userId).slice(0, 100), ...(groupId && { groupId }) })
    return result.session
  }

  async function enter (context: SessionsContext, { sessionId, since }: Subscription) {
    const { user } = context
    const found = await enrolled(context, sessionId)
    await context.join(rooms.user({ sessionId, userId: user.userId }))
    const recovery = await context.follow(audibleRooms(found, user), since)
    // Read after the positions are known, so that the snapshot lacks nothing that came before them.
    const session = await sessions.get(sessionId)
    // Who has gone meanwhile is in no room, and would stay present for good: what they leave was cleaned up already.
    if (!context.joined(rooms.session({ sessionId }))) throw new ClasswavesError('UNAVAILABLE', 'The connection has gone.')
    await presence.arrive(sessionId, user.userId, context.id)
    return { session, answer: { snapshot: { ...viewOf(session, user), positions: recovery.positions }, backend, ...recovery } }
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

  const results = (teacherId: string): Feed => ({
    rooms: [rooms.results({ teacherId })],
    home: rooms.teacher,
    homes: async () => {
      const { sessions: own, nextCursor } = await sessions.list({ teacherId, limit: feedHomes })
      return { rooms: own.map(rooms.teacher), complete: nextCursor === null }
    }
  })

  const subscribe = async (context: SessionsContext, subscription: Subscription) => (await enter(context, subscription)).answer
  const unsubscribe = async (context: SessionsContext, { sessionId }: { sessionId: string }): Promise<void> => await exit(context, sessionId)

  return {
    handlers: {
      'session:guidance:subscribe': subscribe,
      'session:guidance:unsubscribe': unsubscribe,
      'session:join': subscribe,
      'session:leave': unsubscribe,

      async 'student:session:join' (context, subscription) {
        const { sessionId } = subscription
        const { session, answer } = await enter(context, subscription)
        const studentId = context.user.userId
        if (await presence.join(sessionId, studentId, context.id)) {
          await context.emit.to({ sessionId }).emit('student:session:joined', { sessionId, studentId })
          const groupId = groupOf(context.user, session)
          if (groupId !== null) await context.emit.to({ sessionId, groupId }).emit('group:joined', { sessionId, groupId, studentId })
        }
        return answer
      },

      async 'group:join' (context, { sessionId, groupId, since }) {
        await rights.session(context.user, 'group:read', sessionId, groupId)
        const recovery = await context.follow([rooms.group({ sessionId, groupId })], since)
        // Read after the position is known, so that the group lacks nothing that came before it.
        const session = await rights.session(context.user, 'group:read', sessionId, groupId)
        return { group: session.groups.find(group => group.groupId === groupId) as Session['groups'][number], backend, ...recovery }
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

      async 'analytics:subscribe' (context, { sessionId, since }) {
        if (sessionId !== undefined) await rights.session(context.user, 'session:manage', sessionId)
        const recovery = sessionId === undefined
          ? await context.followFeed(results(context.user.userId), since)
          : await context.follow([rooms.teacher({ sessionId })], since)
        return { deprecated: true, events: ['analytics:finalized', 'analytics:failed'], backend, ...recovery }
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
