import fp from 'fastify-plugin'
import type { Core } from '../lib/core/core.ts'
import type { Emit } from '../lib/core/emit.ts'
import { ClasswavesError } from '../lib/core/errors.ts'
import type { SessionsArea, SessionsSeams } from '../lib/sessions/area.ts'
import { Audio } from '../lib/sessions/audio.ts'
import { sessions as contract, type Summary } from '../lib/sessions/contract.ts'
import { createGuesses } from '../lib/sessions/guesses.ts'
import { sessionsHandlers } from '../lib/sessions/handlers.ts'
import { Lifecycle } from '../lib/sessions/lifecycle.ts'
import type { SessionsOptions } from '../lib/sessions/options.ts'
import { createPresence } from '../lib/sessions/presence.ts'
import { createRights } from '../lib/sessions/rights.ts'
import type { Session } from '../lib/sessions/schema.ts'
import { createSessions, type Sessions } from '../lib/sessions/service.ts'
import { audibleRooms } from '../lib/sessions/view.ts'
import { createMemorySessionStore } from '../lib/sessions/store-memory.ts'
import { createRedisSessionStore } from '../lib/sessions/store-redis.ts'

declare module 'fastify' {
  interface FastifyInstance {
    /** The life of class sessions. */
    sessions: Sessions
  }
}

interface Registration { core: Core, options: SessionsOptions, ready: (area: SessionsArea) => void }

/** The sessions area: chooses the store, builds the service, serves `/sessions`. */
export default fp<Registration>(async (fastify, { core, options, ready }) => {
  const { redis, metrics, log, limits, backend, now } = core
  const store = redis
    ? createRedisSessionStore({
      redis: () => redis,
      ttlSeconds: options.ttlSeconds,
      onSideFailure: error => log.warn({ err: error }, 'a code or a list of sessions was not renewed')
    })
    : createMemorySessionStore({ ttlSeconds: options.ttlSeconds })
  const seams: SessionsSeams = {
    onSlices: async () => {},
    onTransition: async () => {},
    summarise: async session => await countSlices(session, sessions)
  }

  // The service, its handlers and the door out need each other; the door is open before anybody can call.
  let emit: Emit<typeof contract>
  const lifecycle = new Lifecycle({
    store,
    emit: () => emit,
    log,
    now,
    onTransition: async session => {
      metrics.transitions.inc({ status: session.status })
      await seams.onTransition(session)
    },
    flush: async sessionId => await audio.flush(sessionId),
    summarise: async session => await seams.summarise(session)
  })
  const sessions = createSessions({
    store,
    lifecycle,
    emit: () => emit,
    codeLength: options.codeLength,
    now,
    move: (of, rooms) => core.move(contract.namespace, of, rooms),
    onSlices: async (session, slices, cameAt) => await seams.onSlices(session, slices, cameAt),
    count: (result, slices) => metrics.slices.inc({ result }, slices),
    onUntold: (error, sessionId) => log.error({ err: error, sessionId }, 'talk that is stored was not sent to its group')
  })
  const rights = createRights(core.authorize, sessions.find)
  const audio = new Audio({
    rights,
    ...(options.transcriber && { transcriber: options.transcriber }),
    transcribe: sessions.transcribe,
    limits,
    log,
    count: result => metrics.audio.inc({ result })
  })
  const presence = createPresence(core.leases, () => emit, log)
  const { handlers, hooks } = sessionsHandlers({ sessions, rights, presence, audio, backend })
  emit = core.serve(contract, handlers, { hooks, socketsPerUser: limits.sessionsSocketsPerUser })

  core.lookups.push(async ({ sessionId }, missing) => {
    if (!missing.includes('teacherId') || sessionId === undefined) return {}
    const session = await store.get(sessionId)
    if (!session) throw new ClasswavesError('SESSION_NOT_FOUND')
    return { teacherId: session.teacherId }
  })

  fastify.decorate('sessions', sessions)
  ready({ sessions, rights, guesses: createGuesses(core), emit, seams, homeRooms: (session, user) => audibleRooms(session, user).map(room => ({ namespace: contract.namespace, room })) })
}, { name: 'fastify-classwaves-sessions' })

/** Results without guidance: how much each group said. */
async function countSlices (session: Session, sessions: Sessions): Promise<Summary> {
  const counts = new Map(session.groups.map(({ groupId }) => [groupId, 0]))
  let after: number | null = 0
  while (after !== null) {
    const page = await sessions.transcripts(session.sessionId, { after, limit: 1000 })
    for (const { groupId } of page.slices) counts.set(groupId, (counts.get(groupId) ?? 0) + 1)
    after = page.nextAfter
  }
  return { groups: [...counts].map(([groupId, slices]) => ({ groupId, slices, meanAttention: null, maxAttention: null, prompts: 0 })) }
}
