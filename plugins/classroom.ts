import fp from 'fastify-plugin'
import type { Resource, User } from '../lib/core/access.ts'
import { userOfSocket } from '../lib/core/admit.ts'
import type { Core } from '../lib/core/core.ts'
import type { Emit } from '../lib/core/emit.ts'
import { ClasswavesError, toWireError } from '../lib/core/errors.ts'
import { homeRoomsOf, type Classroom, type ClassroomArea } from '../lib/classroom/area.ts'
import { Attendance } from '../lib/classroom/attendance.ts'
import { Chat } from '../lib/classroom/chat.ts'
import { classroom as contract } from '../lib/classroom/contract.ts'
import type { ClassSession, Directory } from '../lib/classroom/directory.ts'
import { classroomHandlers } from '../lib/classroom/handlers.ts'
import { Later } from '../lib/classroom/later.ts'
import type { ClassroomOptions } from '../lib/classroom/options.ts'
import { createMemoryPresence } from '../lib/classroom/presence-memory.ts'
import { createRedisPresence } from '../lib/classroom/presence-redis.ts'
import { createMemoryChatStore } from '../lib/classroom/store-memory.ts'
import { createRedisChatStore } from '../lib/classroom/store-redis.ts'
import { Typing } from '../lib/classroom/typing.ts'
import type { SessionsArea } from '../lib/sessions/area.ts'
import { readCode } from '../lib/sessions/code.ts'
import type { Session } from '../lib/sessions/schema.ts'

declare module 'fastify' {
  interface FastifyInstance {
    /** Who is present and what is said in classes. */
    classroom: Classroom
  }
}

interface Registration { core: Core, options: ClassroomOptions, ttlSeconds: number, sessions: SessionsArea, ready: (area: ClassroomArea) => void }

/** The classroom area: chooses the stores, builds presence and chat, serves `/`, meets the sessions area. */
export default fp<Registration>(async (fastify, { core, options, ttlSeconds, sessions: area, ready }) => {
  const { redis, metrics, log, backend, now } = core
  const bounds = { mode: options.mode, messages: options.historyMessages, ageMs: options.historySeconds * 1000, bytes: options.attachmentBytes, ttlSeconds }
  const store = redis ? createRedisChatStore(() => redis, bounds) : createMemoryChatStore(bounds)
  const presence = redis ? createRedisPresence(() => redis, options) : createMemoryPresence(options)
  const directory = directoryOf(core, area)

  let emit: Emit<typeof contract>
  const later = new Later(error => log.warn({ err: error }, 'something of a class was not announced'))
  const attendance = new Attendance({
    store: presence,
    times: options,
    announce: async (sessionId, sessionCode, { userId, status, name, role, at }) => {
      await emit.to({ sessionId }).emit('presenceUpdated', { sessionCode, userId, status, displayName: name, role, timestamp: new Date(at).toISOString() })
    },
    touch: async sessionId => await store.touch(sessionId),
    log
  })
  const chat = new Chat({ store, directory, emit: () => emit, later, options, count: result => metrics.chatMessages.inc({ result }), log, now })
  const { handlers, hooks } = classroomHandlers({
    chat,
    attendance,
    typing: new Typing(() => emit, later, options.typingMs),
    directory,
    mode: async sessionId => await store.mode(sessionId),
    backend,
    bytesPerSecond: options.bytesPerSecond,
    onJoin: count => metrics.classSizes.observe(count)
  })
  emit = core.serve(contract, handlers, { hooks, socketsPerUser: core.limits.classroomSocketsPerUser })

  // A pupil's token that is bound to a session opens nothing when the store knows of no such session. What others mean
  // by the claim, a login for instance, is their affair.
  fastify.io.of(contract.namespace).use((socket, next) => {
    const user = userOfSocket.get(socket)
    if (user?.role !== 'student' || user.sessionId === undefined) return next()
    area.sessions.find(user.sessionId).then(session => {
      if (!session) throw new ClasswavesError('SESSION_NOT_FOUND')
      next()
    }).catch((error: unknown) => {
      const wire = toWireError(error)
      next(Object.assign(new Error(wire.message), { data: wire }))
    })
  })

  const { onTransition } = area.seams
  area.seams.onTransition = async session => {
    await onTransition(session)
    if (session.status === 'ended') await store.close(session.sessionId)
  }

  fastify.addHook('onClose', async () => {
    attendance.stop()
    later.stop()
  })

  const classroom: Classroom = {
    people: async sessionId => await attendance.people(sessionId),
    count: async sessionId => await attendance.count(sessionId),
    history: async (sessionId, lane, page) => await chat.history(sessionId, lane, page),
    mode: async sessionId => await store.mode(sessionId),
    async setMode (sessionId, mode) {
      const session = await area.sessions.get(sessionId)
      if (session.status === 'ended') throw new ClasswavesError('SESSION_NOT_ACTIVE')
      return await chat.setMode(sessionId, session.code, mode)
    }
  }
  fastify.decorate('classroom', classroom)
  ready({ classroom, emit, homeRooms: async ({ sessionId }, user) => homeRoomsOf(sessionId, user, await directory.manages(user, sessionId)) })
}, { name: 'fastify-classwaves-classroom' })

/** What the classroom may know of sessions, and how one is entered by its code. */
function directoryOf ({ authorize }: Core, { sessions, guesses }: SessionsArea): Directory {
  const may = async (user: User, action: 'session:read' | 'session:manage', session: NonNullable<Resource['session']>): Promise<boolean> => await authorize(user, action, { session }) === true

  /** Lets somebody in who takes no part yet: a student whom the host welcomes is enrolled. */
  async function welcomed (user: User, session: Session | null, allowed: boolean): Promise<Session> {
    if (!session || user.role !== 'student') throw new ClasswavesError('SESSION_NOT_FOUND')
    // Asked before enrolling, as if the student took part: the word of the host counts for those who come by a code, too.
    const joins = { ...session, participants: [...session.participants, { userId: user.userId, groupId: null }] }
    const welcome = allowed || (user.sessionId === undefined && await may(user, 'session:read', joins))
    if (!welcome) throw new ClasswavesError('SESSION_NOT_FOUND')
    return (await sessions.enrol(session.sessionId, { userId: user.userId, displayName: user.name ?? user.userId })).session
  }

  return {
    codeOf: typed => readCode(typed) ?? '',

    async enter (user, address, code) {
      const found = code === '' ? null : await sessions.byCode(code)
      const session = found?.status === 'ended' ? null : found
      const allowed = session !== null && await may(user, 'session:read', session)
      const takesPart = user.role !== 'student' || session?.participants.some(one => one.userId === user.userId)
      // They learn nothing by a code, and come back whatever others at their address have guessed.
      const opened = session && allowed && takesPart ? session : await guesses.look(address, async () => await welcomed(user, session, allowed))
      return { ...classOf(opened), manages: await may(user, 'session:manage', opened) }
    },

    async find (sessionId) {
      const session = await sessions.find(sessionId)
      return session && classOf(session)
    },

    async manages (user, sessionId) {
      const session = await sessions.find(sessionId)
      return session !== null && await may(user, 'session:manage', session)
    }
  }
}

function classOf ({ sessionId, code, status, teacherId, groups, participants }: Session): ClassSession {
  const planned = groups.flatMap(({ leaderId, memberIds }) => leaderId === null ? memberIds : [leaderId, ...memberIds])
  return { sessionId, code, status, teacherId, pupilIds: new Set([...planned, ...participants.map(one => one.userId)]) }
}
