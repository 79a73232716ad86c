import type { IncomingMessage } from 'node:http'
import type { FastifyBaseLogger, FastifyInstance } from 'fastify'
import type { Namespace } from 'socket.io'
import type { Registry } from '@platformatic/prom-client'
import { defaultAuthorize, roles } from '../lib/core/access.ts'
import { guard, userOfSocket, type AdmitDependencies, type Admission } from '../lib/core/admit.ts'
import { watchRedis } from '../lib/core/ask.ts'
import { bind } from '../lib/core/bind.ts'
import { stockBroadcast } from '../lib/core/broadcast.ts'
import { createRedisClock, ownClock } from '../lib/core/clock.ts'
import type { Contract } from '../lib/core/contract.ts'
import type { Core } from '../lib/core/core.ts'
import { createMemoryCounters } from '../lib/core/counters-memory.ts'
import { createRedisCounters } from '../lib/core/counters-redis.ts'
import { Delivery } from '../lib/core/delivery.ts'
import { createEmit, newestOf, type Emit, type Lookup, type Target, type Transport } from '../lib/core/emit.ts'
import { createMemoryIdempotency } from '../lib/core/idempotency-memory.ts'
import { createRedisIdempotency } from '../lib/core/idempotency-redis.ts'
import { createMemoryJournal } from '../lib/core/journal-memory.ts'
import { createRedisJournal } from '../lib/core/journal-redis.ts'
import { createMemoryLeases } from '../lib/core/leases-memory.ts'
import { createRedisLeases } from '../lib/core/leases-redis.ts'
import { Admitted } from '../lib/core/lifetime.ts'
import { createRedisLive, noOthers } from '../lib/core/live.ts'
import { createMetrics, type Metrics } from '../lib/core/metrics.ts'
import { quiet, subscriber, type RedisClient } from '../lib/core/redis.ts'
import { version } from '../lib/version.ts'
import { createTracing, tracedHandlers, tracedTransport } from '../lib/core/tracing.ts'
import { bearerOf, createAuthenticator, verifierAt } from '../lib/core/token.ts'
import type { ParsedOptions } from '../lib/options.ts'
import auth from './auth.ts'
import io, { type IoState } from './io.ts'
import redisPlugin from './redis.ts'

/** How long boot waits for the time of a Redis that answers (ms). */
const clockMs = 500

/** Builds what the areas stand on: tokens, Redis or memory, Socket.IO, limits, metrics, the door out. */
export async function buildCore (fastify: FastifyInstance, options: ParsedOptions): Promise<Core> {
  const log = fastify.log.child({ plugin: 'fastify-classwaves' })
  let redis: RedisClient | undefined
  let subscription: RedisClient | undefined
  let state: IoState = { connections: undefined, broadcast: stockBroadcast, subscription: undefined, draining: false }
  const stands = (client: RedisClient): boolean => client.status === 'ready'
  const metrics = createMetrics(options.metrics.registry as Registry | undefined, {
    rooms: () => roomsOf(fastify, contracts),
    slowReaders: () => state.connections?.slow ?? 0,
    draining: () => state.draining,
    redis: function * () {
      if (redis) yield ['commands', stands(redis)]
      if (subscription) yield ['subscription', stands(subscription)]
      if (state.subscription) yield ['adapter', stands(state.subscription)]
    }
  })
  await fastify.register(auth, { jwt: options.jwt })
  await fastify.register(redisPlugin, { redis: options.redis, timeoutMs: options.redisTimeoutMs, use: client => { redis = client } })
  const clock = redis ? createRedisClock(redis) : ownClock
  const { now } = clock
  if (redis?.status === 'ready') await clock.settled(clockMs)
  const addressOf = (request: IncomingMessage): string =>
    options.addressOf?.(request.headers, request.socket.remoteAddress ?? '') ?? request.socket.remoteAddress ?? ''
  const authenticate = createAuthenticator(verifierAt(now, (token, options) => fastify.jwt.verify(token, options)), now)
  const { limits, origins, drainMs, fastWire } = options
  await fastify.register(io, {
    io: options.io,
    limits,
    origins,
    drainMs,
    fastWire,
    redis,
    now,
    addressOf,
    userOf: authorization => {
      try {
        return authenticate(bearerOf(authorization)).userId
      } catch {
        return undefined // a token that is not valid shows nobody
      }
    },
    onFailure: what => metrics.connectionFaults.inc({ what }),
    use: made => { state = made }
  })

  const ttlSeconds = options.sessions ? options.sessions.ttlSeconds : 3600
  if (redis) subscription = quiet(subscriber(redis))
  // Redis that goes away later is away for all processes: if each of them sent its clients off, there would be nowhere to go.
  let met = redis === undefined || stands(redis)
  redis?.once('ready', () => { met = true })
  const backends = redis && subscription ? onRedis(redis, subscription, ttlSeconds, log, metrics) : inMemory(ttlSeconds)
  const delivery = new Delivery({
    io: fastify.io,
    ...backends,
    connections: state.connections,
    broadcast: state.broadcast,
    log,
    watch: {
      replayed (namespace, recovered, events) {
        metrics.replays.inc({ namespace, result: recovered ? 'recovered' : 'lost' })
        metrics.replayed.inc({ namespace }, events)
      },
      filled: (namespace, events) => metrics.gaps.inc({ namespace }, events)
    }
  })
  const contracts: Contract[] = []
  const lookups: Lookup[] = []
  const doors = new Map<string, Emit<Contract>>()
  const admissions = new Map<string, Admission>()
  const door: AdmitDependencies = { ...backends, authenticate, limits, metrics, log, addressOf: options.addressOf, labelOf: name => admissions.has(name) ? name : 'other', isDraining: () => state.draining }

  // Namespaces that a host makes by itself get the same door, and their sockets end with their tokens as well.
  const watch = (namespace: Namespace): void => {
    guard(namespace, () => admissions.get(namespace.name) ?? { roles }, door)
    namespace.on('connection', socket => {
      const user = userOfSocket.get(socket)
      if (user && !admissions.has(namespace.name)) Admitted.of(socket, user, now)
    })
  }
  for (const namespace of fastify.io._nsps.values()) watch(namespace)
  fastify.io.on('new_namespace', watch)

  const tracing = options.tracing && createTracing(options.tracing, version)
  const untraced: Transport = {
    async send (namespace, rooms, event, payload, meta, declaration) {
      if (declaration.kept) {
        backends.live.flush()
        try {
          await backends.journal.append({ namespace, rooms, event, payload, meta })
        } catch (error) {
          metrics.sendFailures.inc({ namespace, event })
          throw error
        }
      } else delivery.send({ namespace, rooms, event, payload, meta, thing: newestOf(declaration, event, payload) })
    }
  }
  const transport = tracing ? tracedTransport(untraced, tracing) : untraced
  async function lookup (target: Target, missing: readonly string[]): Promise<Target> {
    const found = await Promise.all(lookups.map(async one => await one(target, missing)))
    return Object.assign({}, ...found) as Target
  }

  fastify.addHook('onClose', async () => {
    clock.stop()
    delivery.stop()
    await backends.journal.close()
    await backends.leases.close()
  })

  return {
    ...backends,
    ...(redis && { redis }),
    ...(tracing && { tracing }),
    log,
    limits,
    metrics,
    now,
    authenticate,
    authorize: options.authorize ?? defaultAuthorize,
    transport,
    lookups,
    contracts,
    doors,
    serve (contract, handlers, { hooks = {}, socketsPerUser } = {}) {
      if (admissions.has(contract.namespace)) throw new Error(`fastify-classwaves: ${contract.namespace} is served already`)
      admissions.set(contract.namespace, { roles: contract.admits, ...(socketsPerUser && { socketsPerUser }) })
      contracts.push(contract)
      const emit = createEmit(contract, { transport, lookup, now, ...(tracing && { traceId: tracing.traceId }), onEmit: (namespace, event) => metrics.sent.inc({ namespace, event }) })
      doors.set(contract.namespace, emit as unknown as Emit<Contract>)
      bind(fastify.io.of(contract.namespace), contract, tracing ? tracedHandlers(contract.namespace, handlers, tracing) : handlers, hooks, emit, { authenticate, delivery, limits, metrics, log, now })
      return emit
    },
    move (namespace, of, { into = [], out = [] }) {
      const sockets = fastify.io.of(namespace).in(of)
      if (out.length > 0) sockets.socketsLeave([...out])
      if (into.length > 0) sockets.socketsJoin([...into])
    },
    readiness: () => state.draining ? { ready: false, reason: 'draining' } : met ? { ready: true } : { ready: false, reason: 'redis' },
    health () {
      const state = redis ? (redis.status === 'ready' ? 'ready' : 'away') : 'none'
      return {
        status: state === 'away' ? 'degraded' : 'ok',
        backend: backends.backend,
        redis: state,
        uptimeSeconds: Math.round(process.uptime()),
        sockets: Object.fromEntries(contracts.map(({ namespace }) => [namespace, fastify.io.of(namespace).sockets.size]))
      }
    }
  }
}

function onRedis (redis: RedisClient, subscription: RedisClient, ttlSeconds: number, log: FastifyBaseLogger, metrics: Metrics) {
  watchRedis(redis, {
    answered: ms => metrics.redisSeconds.observe(ms / 1000),
    failed: why => metrics.redisFailures.inc({ why })
  })
  const client = (): RedisClient => redis
  return {
    backend: 'redis' as const,
    counters: createRedisCounters({ client }),
    leases: createRedisLeases({ client }),
    idempotency: createRedisIdempotency({ client }),
    journal: createRedisJournal({
      client,
      subscription,
      ttlSeconds,
      onForeign: error => log.warn({ err: error }, 'a message on our channel is not ours')
    }),
    live: createRedisLive({ redis, subscription, onFailure: () => metrics.publishFailures.inc() })
  }
}

/** The rooms of our own namespaces; each socket is also alone in a room of its own, which is not counted. */
function * roomsOf (fastify: FastifyInstance, contracts: readonly Contract[]): Iterable<readonly [string, number[]]> {
  for (const { namespace } of contracts) {
    const { rooms, sids } = fastify.io.of(namespace).adapter
    yield [namespace, [...rooms].filter(([room]) => !sids.has(room)).map(([, sockets]) => sockets.size)]
  }
}

function inMemory (ttlSeconds: number) {
  return {
    backend: 'memory' as const,
    counters: createMemoryCounters(),
    leases: createMemoryLeases(),
    idempotency: createMemoryIdempotency(),
    journal: createMemoryJournal({ ttlSeconds }),
    live: noOthers
  }
}
