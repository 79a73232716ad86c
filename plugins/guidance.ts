import fp from 'fastify-plugin'
import type { User } from '../lib/core/access.ts'
import type { Core } from '../lib/core/core.ts'
import type { Emit } from '../lib/core/emit.ts'
import { Analysis } from '../lib/guidance/analysis.ts'
import { createAnnouncer } from '../lib/guidance/announce.ts'
import type { GuidanceArea } from '../lib/guidance/area.ts'
import { guidance as contract, rooms } from '../lib/guidance/contract.ts'
import { createEngine, type Guidance, type Topic } from '../lib/guidance/engine.ts'
import type { Gates, GateSettings } from '../lib/guidance/gates.ts'
import { createMemoryDecisions, type Decisions } from '../lib/guidance/gates-memory.ts'
import { createRedisGates } from '../lib/guidance/gates-redis.ts'
import { guidanceHandlers } from '../lib/guidance/handlers.ts'
import type { GuidanceOptions } from '../lib/guidance/options.ts'
import { createMemoryGuidanceStore } from '../lib/guidance/store-memory.ts'
import { createRedisGuidanceStore } from '../lib/guidance/store-redis.ts'
import { createTeacherGuidance } from '../lib/guidance/teacher.ts'
import { Ticker } from '../lib/guidance/ticker.ts'
import { Work } from '../lib/guidance/work.ts'
import type { SessionsArea } from '../lib/sessions/area.ts'
import type { Session } from '../lib/sessions/schema.ts'

declare module 'fastify' {
  interface FastifyInstance {
    /** The guidance engine and its gates. */
    guidance: Guidance
  }
}

interface Registration { core: Core, options: GuidanceOptions, ttlSeconds: number, sessions: SessionsArea, ready: (area: GuidanceArea) => void }

/** The guidance area: chooses the gates and the store, builds the engine, serves `/guidance`, meets the sessions area. */
export default fp<Registration>(async (fastify, { core, options, ttlSeconds, sessions: { sessions, rights, seams }, ready }) => {
  const { redis, metrics, tracing, log, now } = core
  const gates = counted(buildGates(core, options, ttlSeconds), core)
  const store = redis
    ? createRedisGuidanceStore({ redis: () => redis, ttlSeconds })
    : createMemoryGuidanceStore({ ttlSeconds })
  const analysis = new Analysis(options.analyzer, log, tier => metrics.analyzerFailures.inc({ tier: String(tier) }))

  let emit: Emit<typeof contract>
  const work = new Work({
    gates,
    analysis,
    announcer: createAnnouncer(() => emit, gates),
    settings: { ...options, promptExpiryMs: options.promptExpiryMinutes * 60_000 },
    countPrompt: result => metrics.prompts.inc({ result }),
    onTold: (event, cause) => {
      // What two processes know of the time may differ by a little.
      if (cause?.cameAt !== undefined) metrics.guidanceDelay.observe({ event }, Math.max(0, now() - cause.cameAt) / 1000)
    }
  })
  const guidance = createEngine({ store, gates, work, analysis, timing: options, onAction: action => metrics.promptActions.inc({ action }), tracing, log })
  const ticker = new Ticker(options.evaluateEveryMs, async sessionId => {
    const session = await sessions.find(sessionId)
    if (session?.status === 'active') await guidance.tick(topicOf(session))
    return session?.status === 'active' || session?.status === 'paused'
  }, log)
  const teacher = createTeacherGuidance(guidance, {
    open: async (user, sessionId) => {
      const session = await rights.session(user, 'guidance:read', sessionId)
      ticker.watch(sessionId) // also where no talk comes in: the process that had it may be gone
      return session
    },
    live: async user => await liveSessions(user),
    newest: async (teacherId, limit) => {
      const page = await sessions.list({ ...(teacherId !== undefined && { teacherId }), limit })
      return { sessionIds: page.sessions.map(one => one.sessionId), complete: page.nextCursor === null }
    }
  })
  emit = core.serve(contract, guidanceHandlers(teacher, core.backend), { socketsPerUser: core.limits.guidanceSocketsPerUser })

  fastify.addHook('preClose', async () => {
    ticker.stop()
    analysis.close()
  })

  seams.onSlices = async (session, slices, cameAt) => {
    if (session.status !== 'active') return
    ticker.watch(session.sessionId)
    const trace = tracing?.carry()
    try {
      await guidance.feed(topicOf(session), slices.map(({ seq, groupId, text, startedAt, endedAt, speaker, confidence }) => ({
        seq, groupId, text, startedAt: Date.parse(startedAt), endedAt: Date.parse(endedAt), speaker: speaker ?? null, ...(confidence !== undefined && { confidence })
      })), { cameAt, ...(trace !== undefined && { trace }) })
    } catch (error) {
      log.error({ err: error, sessionId: session.sessionId }, 'guidance did not follow this talk; the talk itself is kept')
    }
  }
  seams.onTransition = async ({ sessionId, status }) => {
    try {
      await (status === 'active' ? guidance.resumed(sessionId) : guidance.paused(sessionId))
    } catch (error) {
      log.warn({ err: error, sessionId, status }, 'guidance did not follow a transition')
    }
  }
  seams.summarise = async session => ({ groups: await guidance.summarise(topicOf(session)) })

  fastify.decorate('guidance', guidance)
  ready({
    guidance,
    teacher,
    emit,
    homeRooms: async (session, user) => await core.authorize(user, 'guidance:read', { session }) === true
      ? [{ namespace: contract.namespace, room: rooms.session(session) }]
      : []
  })

  async function liveSessions (user: User): Promise<Session[]> {
    const own = { teacherId: user.userId, limit: 20 }
    const pages = await Promise.all((['active', 'paused'] as const).map(async status => await sessions.list({ ...own, status })))
    return pages.flatMap(page => page.sessions)
  }
}, { name: 'fastify-classwaves-guidance' })

function topicOf ({ sessionId, topic, goal, groups, participants }: Session): Topic {
  return {
    sessionId,
    topic,
    goals: goal === null ? [] : goal.split(/[\n;]+|(?<=[.!?])\s+/).map(part => part.trim()).filter(part => part !== ''),
    groups: groups.map(({ groupId, memberIds }) => ({
      groupId,
      naming: [memberIds, participants.filter(one => one.groupId === groupId).map(one => one.displayName)]
    }))
  }
}

function buildGates ({ redis, metrics, now }: Core, options: GuidanceOptions, ttlSeconds: number): Gates | Decisions {
  const settings: GateSettings = {
    ttlSeconds,
    attention: { minScoreDelta: options.minScoreDelta, minTimeDeltaMs: options.minTimeDeltaMs, halfLifeMs: options.halfLifeMs },
    cooldownMs: options.cooldownMs,
    promptStatsHalfLifeMs: options.promptStatsHalfLifeMs,
    tier2ShiftThrottleMs: options.tier2ShiftThrottleMs
  }
  if (!redis) return createMemoryDecisions(settings)
  return createRedisGates(settings, () => redis, {
    now,
    onUnavailable: gate => {
      metrics.gateUnavailable.inc({ gate })
      if (gate === 'attention') metrics.attentionUnavailable.inc()
    }
  })
}

type Awaitable<T> = T | Promise<T>

/** The same gates, each decision counted by its reason, traced and, when Redis makes it, timed. */
function counted (gates: Gates | Decisions, { metrics, tracing, redis }: Core): Gates {
  const wrapped = Object.entries(gates).map(([gate, given]) => {
    const decide = given as (input: never) => Awaitable<{ reason: string }>
    const traced = tracing
      ? async (input: never) => await tracing.span(`gate ${gate}`, {}, async note => {
        const decided = await decide(input)
        note('classwaves.reason', decided.reason)
        return decided
      })
      : decide
    const timed = redis
      ? async (input: never) => {
        const began = performance.now()
        const decision = await traced(input)
        metrics.gateSeconds.observe({ gate }, (performance.now() - began) / 1000)
        return decision
      }
      : traced
    return [gate, async (input: never) => {
      const made = timed(input)
      // What is there is not waited for.
      const decision = made instanceof Promise ? await made : made
      metrics.decisions.add(gate, decision.reason)
      return decision
    }]
  })
  return Object.fromEntries(wrapped) as unknown as Gates
}
