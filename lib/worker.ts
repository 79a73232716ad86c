import { createRedisClock } from './core/clock.ts'
import { createEmit, newestOf, type Emit, type Lookup, type Transport } from './core/emit.ts'
import { ClasswavesError } from './core/errors.ts'
import { createRedisJournal } from './core/journal-redis.ts'
import { createRedisLive } from './core/live.ts'
import { connect, readyWithin, type RedisClient } from './core/redis.ts'
import { createTracing, tracedTransport, type TraceApi } from './core/tracing.ts'
import { guidance } from './guidance/contract.ts'
import { sessions } from './sessions/contract.ts'
import { version } from './version.ts'
import { createRedisSessionStore } from './sessions/store-redis.ts'

export interface WorkerEmitter {
  /** `emitter.sessions.to({ sessionId, groupId }).emit(event, payload)`; the declaration chooses the rooms. */
  sessions: Emit<typeof sessions>
  guidance: Emit<typeof guidance>
  /** Closes the connection, if it was opened here. */
  close (): Promise<void>
}

export interface WorkerOptions {
  /** The Redis of the servers: a URL, or an ioredis client, which stays the caller's to close. */
  redis: string | RedisClient
  /** How long an emit may wait for a connection that is being made (ms). */
  timeoutMs?: number
  /** The session TTL of the servers (`sessions.ttlSeconds`), for kept events. */
  ttlSeconds?: number
  /** The module `@opentelemetry/api`: what is sent inside a trace carries its id. */
  tracing?: TraceApi
}

/**
 * The same typed emit as on a server, from any process: checked and stamped here, carried by Redis to every server.
 * @throws ClasswavesError INVALID_PAYLOAD from `emit`, with the path of the fault; UNAVAILABLE when Redis is away
 */
export function createEmitter ({ redis, timeoutMs = 2_000, ttlSeconds = 3600, tracing: api }: WorkerOptions): WorkerEmitter {
  if (!redis) throw new TypeError('createEmitter needs redis: the URL of the Redis that the servers use, or an ioredis client')
  const client = typeof redis === 'string' ? connect(redis) : redis
  if (typeof redis === 'string') client.on('error', () => {}) // each emit says it with UNAVAILABLE

  const clock = createRedisClock(client)
  async function now (): Promise<number> {
    if (await readyWithin(client, timeoutMs)) await clock.settled(timeoutMs)
    return clock.now()
  }
  const tracing = api && createTracing(api, version)
  const untraced: Transport = {
    async send (namespace, rooms, event, payload, meta, declaration) {
      if (!await readyWithin(client, timeoutMs)) throw new ClasswavesError('UNAVAILABLE')
      if (declaration.kept) await journal.append({ namespace, rooms, event, payload, meta })
      else await live.publish({ namespace, rooms, event, payload, meta, thing: newestOf(declaration, event, payload) })
    }
  }
  const live = createRedisLive({ redis: client, onFailure: () => {} })
  const journal = createRedisJournal({ client: () => client, ttlSeconds })
  const store = createRedisSessionStore({ redis: () => client, ttlSeconds })
  const lookup: Lookup = async ({ sessionId }, missing) => {
    if (!missing.includes('teacherId') || sessionId === undefined) return {}
    if (!await readyWithin(client, timeoutMs)) throw new ClasswavesError('UNAVAILABLE')
    const session = await store.get(sessionId)
    if (!session) throw new ClasswavesError('SESSION_NOT_FOUND')
    return { teacherId: session.teacherId }
  }

  const through = { transport: tracing ? tracedTransport(untraced, tracing) : untraced, lookup, now, ...(tracing && { traceId: tracing.traceId }) }
  return {
    sessions: createEmit(sessions, through),
    guidance: createEmit(guidance, through),
    async close () {
      clock.stop()
      if (typeof redis === 'string') client.disconnect()
    }
  }
}
