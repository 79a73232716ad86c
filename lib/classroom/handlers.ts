import type { Context, Handlers, Hooks } from '../core/context.ts'
import type { PayloadOf } from '../core/contract.ts'
import type { Backend } from '../core/core.ts'
import { ClasswavesError } from '../core/errors.ts'
import { Bucket } from '../core/limit.ts'
import type { Attendance } from './attendance.ts'
import type { Chat } from './chat.ts'
import { rooms, type classroom as classroomContract } from './contract.ts'
import type { Directory } from './directory.ts'
import { Members, type Member } from './members.ts'
import type { ChatMode } from './schema.ts'
import type { Typing } from './typing.ts'

type ClassroomContext = Context<typeof classroomContract>
type Join = PayloadOf<typeof classroomContract['receives']['joinSession']>

export interface HandlerDependencies {
  chat: Chat
  attendance: Attendance
  typing: Typing
  directory: Directory
  mode: (sessionId: string) => Promise<ChatMode>
  backend: Backend
  bytesPerSecond: number
  /** Told how many are present when somebody has joined. */
  onJoin: (count: number) => void
}

/** What one socket may save up, so that one message of the largest size passes at once. */
const byteBurst = 2 * 1024 * 1024

/** One function for each event of `/`. Joining is where the right is asked; later only the membership counts. */
export function classroomHandlers (dependencies: HandlerDependencies): { handlers: Handlers<typeof classroomContract>, hooks: Hooks<typeof classroomContract> } {
  const { chat, attendance, typing, directory, mode, backend, bytesPerSecond, onJoin } = dependencies
  const members = new Members()

  const typed = (payload: string | { sessionCode: string }): string => directory.codeOf(typeof payload === 'string' ? payload : payload.sessionCode)
  const memberOf = (context: ClassroomContext, payload: string | { sessionCode: string }): Member => members.get(context.id, typed(payload))

  /** The member behind something that they do, which shows that they are there. */
  function active (context: ClassroomContext, payload: { sessionCode: string }): Member {
    const member = memberOf(context, payload)
    attendance.act(member.sessionId, member.seat)
    return member
  }

  function leading (context: ClassroomContext, payload: { sessionCode: string }): Member {
    const member = active(context, payload)
    if (!member.manages) throw new ClasswavesError('FORBIDDEN')
    return member
  }

  const roomsOf = ({ sessionId, user, manages }: Pick<Member, 'sessionId' | 'user' | 'manages'>): string[] =>
    [rooms.session({ sessionId }), rooms.user({ sessionId, readerId: user.userId }), ...(manages ? [rooms.teacher({ sessionId })] : [])]

  async function enter (context: ClassroomContext, payload: Join) {
    const { user, id: seat } = context
    const { sessionId, code, manages } = await directory.enter(user, context.address, typed(payload))
    // A code may come to stand for another session, once the one before has ended.
    const before = members.find(seat, code)
    if (before && before.sessionId !== sessionId) await exit(context, before)
    const names = roomsOf({ sessionId, user, manages })
    const recovery = await context.follow(names, typeof payload === 'string' ? undefined : payload.since)
    if (!names.every(name => context.joined(name))) throw new ClasswavesError('UNAVAILABLE', 'The connection has gone.')
    try {
      await attendance.arrive(sessionId, code, { userId: user.userId, seat, name: user.name ?? user.userId, role: user.role })
    } catch (error) {
      if (!before) await context.leave(...names)
      throw error
    }
    const now = performance.now()
    members.add({ sessionId, code, user, seat, manages, bytes: before?.bytes ?? new Bucket(bytesPerSecond, byteBurst, now) })
    const [{ people, count }, chatMode] = await Promise.all([attendance.people(sessionId), mode(sessionId)])
    onJoin(count)
    return { sessionCode: code, sessionId, participants: people, count, mode: chatMode, backend, ...recovery }
  }

  async function exit (context: ClassroomContext, member: Member): Promise<void> {
    members.remove(member)
    await context.leave(...roomsOf(member))
    await attendance.leave(member.sessionId, member.seat)
    await typing.stop(member)
  }

  return {
    handlers: {
      async joinSession (context, payload) {
        const joined = await enter(context, payload)
        context.reply('sessionJoined', joined)
        return joined
      },
      leaveSession: async (context, payload) => { await exit(context, memberOf(context, payload)) },
      async sendMessage (context, payload) {
        const member = active(context, payload)
        await typing.stop(member)
        return await chat.send(member, payload)
      },
      async updatePresence (context, payload) {
        const { sessionId, seat } = memberOf(context, payload)
        await attendance.say(sessionId, seat, payload.status)
      },
      sendDirectMessage: async (context, payload) => await chat.sendDirect(active(context, payload), payload),
      editMessage: async (context, payload) => { await chat.edit(active(context, payload), payload) },
      deleteMessage: async (context, payload) => { await chat.remove(active(context, payload), payload) },
      react: async (context, payload) => { await chat.react(active(context, payload), payload) },
      setTyping: async (context, payload) => { await typing.say(active(context, payload), payload.typing) },
      markRead: async (context, payload) => await chat.markRead(active(context, payload), payload),
      getHistory: async (context, { sessionCode, ...page }) => await chat.history(memberOf(context, { sessionCode }).sessionId, 'main', page),
      async getDirectHistory (context, { sessionCode, ...page }) {
        const { sessionId, user, manages } = memberOf(context, { sessionCode })
        return await chat.history(sessionId, manages ? 'direct' : `direct:${user.userId}`, page)
      },
      getAttachment: async (context, payload) => await chat.attachment(memberOf(context, payload), payload.messageId),
      async setChatMode (context, payload) {
        const { sessionId, code } = leading(context, payload)
        return await chat.setMode(sessionId, code, payload.mode)
      },
      getHeldMessages: async (context, { sessionCode, ...page }) => await chat.history(leading(context, { sessionCode }).sessionId, 'held', page),
      moderateMessage: async (context, payload) => { await chat.moderate(leading(context, payload), payload) }
    },

    hooks: {
      async disconnected (context) {
        // One class at a time, whatever becomes of the others: what fails here lapses with its lease.
        for (const member of members.take(context.id)) {
          try {
            await attendance.drop(member.sessionId, member.seat)
            await typing.stop(member)
          } catch (error) {
            context.log.warn({ err: error, sessionId: member.sessionId }, 'a socket that has gone was not taken out of its class')
          }
        }
      }
    }
  }
}
