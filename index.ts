import type { FastifyInstance } from 'fastify'
import fp from 'fastify-plugin'
import { asyncapi } from './lib/core/asyncapi.ts'
import type { Contract } from './lib/core/contract.ts'
import type { Handlers } from './lib/core/context.ts'
import type { Core, Health, ServeOptions } from './lib/core/core.ts'
import type { Emit } from './lib/core/emit.ts'
import { collectRoutes, openapi } from './lib/core/openapi.ts'
import { OptionsError } from './lib/core/options.ts'
import { root, type classroom as classroomContract, type guidance as guidanceContract, type sessions as sessionsContract } from './lib/contract.ts'
import { parseOptions, type ClasswavesOptions } from './lib/options.ts'
import type { ClassroomArea } from './lib/classroom/area.ts'
import type { GuidanceArea } from './lib/guidance/area.ts'
import type { SessionsArea } from './lib/sessions/area.ts'
import { version } from './lib/version.ts'
import classroomPlugin from './plugins/classroom.ts'
import { buildCore } from './plugins/core.ts'
import guidancePlugin from './plugins/guidance.ts'
import pagesPlugin from './plugins/pages.ts'
import sessionsPlugin from './plugins/sessions.ts'
import { classroomRoutes } from './routes/classroom.ts'
import { emitRoutes } from './routes/emit.ts'
import { eventRoutes } from './routes/events.ts'
import { guidanceRoutes } from './routes/guidance.ts'
import { withIdempotency } from './routes/idempotency.ts'
import { joinRoutes } from './routes/join.ts'
import { operationRoutes } from './routes/operations.ts'
import { useRestRules } from './routes/scope.ts'
import { sessionRoutes } from './routes/sessions.ts'
import { transcriptRoutes } from './routes/transcripts.ts'

declare module 'fastify' {
  interface FastifyInstance {
    classwaves: Classwaves
  }
}

/** `fastify.classwaves` */
export interface Classwaves {
  /** Serves a namespace of the host's own, through the same door as ours; returns its way out. */
  serve<C extends Contract> (contract: C, handlers: Handlers<C>, options?: ServeOptions<C>): Emit<C>
  /** The way out of our namespaces: `emit.sessions.to({ sessionId, groupId }).emit(event, payload)`. */
  emit: { sessions?: Emit<typeof sessionsContract>, guidance?: Emit<typeof guidanceContract>, classroom?: Emit<typeof classroomContract> }
  health (): Health
}

/** Turns a Fastify 5 server into a real-time classroom. */
async function classwaves (fastify: FastifyInstance, given: ClasswavesOptions): Promise<void> {
  const options = parseOptions(given)
  const core = await buildCore(fastify, options)

  let sessionsArea: SessionsArea | undefined
  let guidanceArea: GuidanceArea | undefined
  let classroomArea: ClassroomArea | undefined
  if (options.sessions) {
    await fastify.register(sessionsPlugin, { core, options: options.sessions, ready: area => { sessionsArea = area } })
  }
  if (options.guidance && sessionsArea) {
    await fastify.register(guidancePlugin, { core, options: options.guidance, sessions: sessionsArea, ttlSeconds: options.sessions ? options.sessions.ttlSeconds : 0, ready: area => { guidanceArea = area } })
  }
  if (options.classroom && options.sessions && sessionsArea) {
    const { ttlSeconds } = options.sessions
    await fastify.register(classroomPlugin, { core, options: options.classroom, ttlSeconds, sessions: sessionsArea, ready: area => { classroomArea = area } })
  } else core.serve(root, {})

  await registerRoutes(fastify, core, options, { sessionsArea, guidanceArea, classroomArea })

  if (options.pages) {
    if (options.routes.prefix === false || !options.sessions || !options.guidance) throw new OptionsError('fastify-classwaves: option pages needs routes.prefix, sessions and guidance')
    await fastify.register(pagesPlugin, {
      prefix: options.routes.prefix, socketPath: fastify.io.path(), microphone: options.sessions.transcriber !== undefined, classroom: classroomArea !== undefined
    })
  }

  fastify.decorate('classwaves', {
    serve: core.serve,
    emit: { ...(sessionsArea && { sessions: sessionsArea.emit }), ...(guidanceArea && { guidance: guidanceArea.emit }), ...(classroomArea && { classroom: classroomArea.emit }) },
    health: core.health
  })
}

interface Areas { sessionsArea: SessionsArea | undefined, guidanceArea: GuidanceArea | undefined, classroomArea: ClassroomArea | undefined }

async function registerRoutes (
  fastify: FastifyInstance, core: Core, options: ReturnType<typeof parseOptions>, { sessionsArea, guidanceArea, classroomArea }: Areas
): Promise<void> {
  await fastify.register(async child => {
    const routes = collectRoutes(child)
    const scope = useRestRules(child, core)
    withIdempotency(child, core.idempotency)
    const info = { title: 'fastify-classwaves', version }
    operationRoutes(scope, fastify, core, { asyncapi: () => asyncapi(core.contracts, info), openapi: () => openapi(routes, info) }, options.metrics.public)
    if (options.routes.prefix === false || !sessionsArea || !options.sessions) return
    const { studentTokenSeconds: tokenSeconds } = options.sessions
    const area = sessionsArea
    await child.register(async rest => {
      const prefixed = rest.withTypeProvider() as typeof scope
      sessionRoutes(prefixed, area)
      joinRoutes(prefixed, { ...area, now: core.now, tokenSeconds, sign: claims => fastify.jwt.sign(claims) })
      transcriptRoutes(prefixed, area)
      emitRoutes(prefixed, area, core.doors)
      eventRoutes(prefixed, area, core.journal, async (session, user) => [
        ...area.homeRooms(session, user), ...await guidanceArea?.homeRooms(session, user) ?? [], ...await classroomArea?.homeRooms(session, user) ?? []
      ])
      if (guidanceArea) guidanceRoutes(prefixed, guidanceArea)
      if (classroomArea) classroomRoutes(prefixed, area, classroomArea)
    }, { prefix: options.routes.prefix })
  })
}

// What the plugins decorate is known wherever the package is imported.
export type {} from '@fastify/jwt'
export type {} from './plugins/classroom.ts'
export type {} from './plugins/guidance.ts'
export type {} from './plugins/io.ts'
export type {} from './plugins/redis.ts'
export type {} from './plugins/sessions.ts'

export default fp(classwaves, { name: 'fastify-classwaves', fastify: '>=5.0.0 <7' })
export { classwaves }

export { optionsFromEnv, type ClasswavesOptions } from './lib/options.ts'
export { ClasswavesError, errorCodes, errorTable, type ErrorCode } from './lib/core/errors.ts'
export { actions, defaultAuthorize, roles, type Action, type Authorize, type Resource, type Role, type User } from './lib/core/access.ts'
export { confirms, contract, Payload, receives, sends, type Contract, type Meta } from './lib/core/contract.ts'
export { room } from './lib/core/room.ts'
export { Bytes, Closed, Id, Nullable, Timestamp, Unit } from './lib/core/schema.ts'
export type { Context, Handlers, Hooks } from './lib/core/context.ts'
export type { Emit } from './lib/core/emit.ts'
export type { Health, ServeOptions } from './lib/core/core.ts'
export type { Sessions } from './lib/sessions/service.ts'
export type { AudioChunk, Transcriber } from './lib/sessions/audio.ts'
export type { Guidance } from './lib/guidance/engine.ts'
export type { Gates } from './lib/guidance/gates.ts'
export type { Analyzer, AnalyzerCall, Assessment, GroupContext, Tier1Metrics, Utterance, Window } from './lib/guidance/analyzer.ts'
export { openaiAnalyzer, type OpenaiAnalyzerOptions } from './lib/guidance/remote/index.ts'
export * from './lib/sessions/schema.ts'
export * from './lib/guidance/schema.ts'
export type { Classroom } from './lib/classroom/area.ts'
export type { Archive, ArchiveEntry } from './lib/classroom/options.ts'
export * from './lib/classroom/schema.ts'
