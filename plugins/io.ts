import type { IncomingMessage, ServerResponse } from 'node:http'
import fp from 'fastify-plugin'
import { Server, type Namespace, type ServerOptions, type Socket } from 'socket.io'
import { Adapter } from 'socket.io-adapter'
import { clusterAdapter } from '../lib/core/adapter.ts'
import { stockBroadcast, type Broadcast } from '../lib/core/broadcast.ts'
import { Connections, type Connection } from '../lib/core/connections.ts'
import type { Counters } from '../lib/core/counters.ts'
import { createMemoryCounters } from '../lib/core/counters-memory.ts'
import { cut, drain } from '../lib/core/drain.ts'
import { ClasswavesError } from '../lib/core/errors.ts'
import { endIdle } from '../lib/core/idle.ts'
import type { Limits } from '../lib/core/limits.ts'
import { networkOf } from '../lib/core/network.ts'
import { originRule } from '../lib/core/origin.ts'
import { guardedParser } from '../lib/core/parser.ts'
import { PollOwners, type Foreign } from '../lib/core/poll-owner.ts'
import { quiet, subscriber, type RedisClient } from '../lib/core/redis.ts'
import { shareUpgrades, type Upgrades } from '../lib/core/upgrade.ts'
import { shortWay } from '../lib/core/wire.ts'

declare module 'fastify' {
  interface FastifyInstance {
    /** The Socket.IO server. */
    io: Server
  }
}

/** What the rest of the core needs of the Socket.IO server beside itself. */
export interface IoState {
  /** Absent when the server is the host's: then its connections are the host's to watch. */
  connections: Connections | undefined
  broadcast: Broadcast
  /** The connection on which the adapter listens; absent without Redis, or when the adapter is the host's. */
  subscription: RedisClient | undefined
  draining: boolean
}

interface IoOptions {
  io?: Record<string, unknown>
  origins: readonly string[]
  drainMs: number
  limits: Limits
  fastWire: boolean
  redis?: RedisClient
  now: () => number
  addressOf: (request: IncomingMessage) => string
  userOf: (authorization: string) => string | undefined
  onFailure: (what: 'publish' | 'slow' | 'flood' | 'origin' | Foreign, error?: unknown) => void
  use: (state: IoState) => void
}

type EngineRequest = IncomingMessage & { _query?: { sid?: string, transport?: string } }
type Decide = (reason: string | undefined, allowed: boolean) => void

/** A server of our own, and what of it could keep Fastify's close waiting. */
interface Own { io: Server, upgrades: Upgrades, endIdle: () => void }

/** How long a host has for closing a Socket.IO server of its own, once its clients were told (ms). */
const hostClosesMs = 2_000

/** What a program reads whose request for an open connection is refused. */
const refusals: Record<'origin' | Foreign, string> = {
  origin: 'The origin of this page is not allowed.',
  address: 'This connection was opened from another address.',
  owner: 'This connection is somebody else\'s.',
  unclaimed: 'Nothing shows whose this connection is: use WebSocket, or poll with withCredentials: true, so that the cookie of the handshake comes back.'
}

/**
 * `fastify.io`: a Socket.IO server on the Fastify server, or the host's if one is decorated. It closes in `preClose`,
 * because Fastify's own close waits for open connections; clients see a transport close and reconnect by themselves.
 */
export default fp<IoOptions>(async (fastify, { io: options, origins, drainMs, limits, fastWire, redis, now, addressOf, userOf, onFailure, use }) => {
  const state: IoState = { connections: undefined, broadcast: stockBroadcast, subscription: undefined, draining: false }
  const rule = originRule(origins)
  const own = fastify.hasDecorator('io') ? undefined : createServer()
  if (own) fastify.decorate('io', own.io)
  const { io } = fastify

  const subscription = redis && io.adapter() === Adapter ? quiet(subscriber(redis)) : undefined
  if (redis && subscription) io.adapter(clusterAdapter(redis, subscription, error => onFailure('publish', error)))
  state.subscription = subscription

  if (own) state.connections = new Connections(io, { limits, onSlow: () => onFailure('slow'), onFlood: () => onFailure('flood'), onError: error => fastify.log.error({ err: error }, 'an event that was held back could not be sent') })
  if (own && fastWire) {
    const way = shortWay(io, { waitingBytes: limits.waitingBytes / 16 })
    if ('broadcast' in way) state.broadcast = way.broadcast
    else fastify.log.info({ reason: way.unfit }, 'fastWire is not used with this Socket.IO')
  }
  use(state)

  const namespaces = new Set<Namespace>()
  const enter = (namespace: Namespace): void => {
    namespaces.add(namespace)
    // A stock client whose socket is refused stays away for good; one whose connection closes comes back by itself.
    if (own) namespace.use((socket, next) => { state.draining ? socket.conn.close() : next() })
  }
  for (const namespace of io._nsps.values()) enter(namespace)
  io.on('new_namespace', enter)

  const onError = (error: unknown): void => fastify.log.error({ err: error }, 'a listener failed while its client was sent away')
  let left: NodeJS.Timeout | undefined
  /** Fastify's close waits for every connection of its server, and the host's `onClose` for that. */
  function cutWhatIsLeft (): void {
    const connections = Object.values(clientsOf(io))
    if (connections.length > 0) fastify.log.warn({ connections: connections.length }, 'connections of the host\'s own Socket.IO server kept this server from closing and were cut; close it in a preClose hook')
    cut(connections, onError)
  }

  fastify.addHook('preClose', async () => {
    state.draining = true
    const sockets = [...namespaces].flatMap(namespace => [...namespace.sockets.values()])
    if (!own) {
      await drain(sockets, 0, { now, onError })
      if (io.httpServer === fastify.server) left = setTimeout(cutWhatIsLeft, hostClosesMs).unref()
      return
    }
    await drain(sockets, drainMs, { now, connections: Object.values(clientsOf(io)), onError })
    cut(Object.values(clientsOf(io)), onError)
    io.engine.close()
    await own.upgrades.end()
    own.endIdle()
  })
  fastify.addHook('onClose', async () => {
    clearTimeout(left)
    state.connections?.stop()
    if (own) for (const namespace of namespaces) await namespace.adapter.close()
    subscription?.disconnect()
  })

  function createServer (): Own {
    const given = options as Partial<ServerOptions> | undefined
    const handshakes = createMemoryCounters()
    const before = fastify.server.listeners('upgrade')
    const end = endIdle(fastify.server, { onCut: connections => fastify.log.warn({ connections }, 'requests that did not end were cut') })
    const io = new Server(fastify.server, {
      serveClient: false,
      connectTimeout: 10_000,
      maxHttpBufferSize: 2 * limits.packetBytes,
      parser: guardedParser(limits),
      cors: { origin: [...rule.origins], credentials: true },
      ...given,
      destroyUpgrade: false,
      allowRequest (request, decide: Decide) {
        refusal(request, handshakes).then(reason => {
          if (reason !== undefined) decide(reason, false)
          else if (given?.allowRequest) given.allowRequest(request, decide as Parameters<typeof given.allowRequest>[1])
          else decide(undefined, true)
        }).catch((error: unknown) => {
          fastify.log.error({ err: error }, 'allowRequest failed')
          decide('This server failed.', false)
        })
      }
    })
    const path = given?.addTrailingSlash === false ? io.path() : `${io.path()}/`
    const isOurs = (request: IncomingMessage): boolean => request.url?.startsWith(path) ?? false
    watchRequests(io)
    return { io, upgrades: shareUpgrades(fastify.server, isOurs, before), endIdle: end }
  }

  /** Why a new connection is refused, if it is. */
  async function refusal (request: IncomingMessage, handshakes: Counters): Promise<string | undefined> {
    if (!rule.allows(request)) {
      onFailure('origin')
      return refusals.origin
    }
    const address = addressOf(request)
    if (address === '') return 'This connection has gone.' // reset while it was read
    const { allowed } = await handshakes.take(networkOf(address), limits.handshakesPer10Seconds, 10_000)
    if (!allowed) onFailure('flood')
    if (state.draining) return 'This server is going away.'
    return allowed ? undefined : 'Too many connections from this address.'
  }

  /** Looks at every request of an open connection, as `allowRequest` does at its first. */
  function watchRequests (io: Server): void {
    const owners = new PollOwners({ addressOf, userOf, path: io.path() })
    io.engine.on('initial_headers', (headers: Record<string, string | string[]>, request: EngineRequest) => {
      const greeting = request._query?.transport === 'polling' ? owners.greeting(request) : undefined
      if (greeting !== undefined) headers['Set-Cookie'] = [headers['Set-Cookie'] ?? [], greeting].flat()
    })
    io.engine.on('connection', (connection: Connection & { request: IncomingMessage }) => {
      if (connection.transport.name === 'polling') {
        owners.opened(connection.id, connection.request)
        connection.once('close', () => owners.closed(connection.id))
      }
      if (state.draining) connection.close()
    })
    io.engine.use((request: EngineRequest, response: ServerResponse, next: () => void) => {
      const id = request._query?.sid
      const fault = id === undefined ? undefined : rule.allows(request) ? owners.fault(id, request) : 'origin'
      if (fault === undefined) return next()
      onFailure(fault)
      response.writeHead(403, { 'content-type': 'application/json' })
      response.end(JSON.stringify(new ClasswavesError('FORBIDDEN', refusals[fault]).toWire())) // of an upgrade it is a stand-in, and its end cuts the connection
    })
  }
}, { name: 'fastify-classwaves-io' })

/** Connections of the engine, also those that came to no namespace. */
function clientsOf (io: Server): Record<string, Socket['conn']> {
  return (io.engine as unknown as { clients: Record<string, Socket['conn']> }).clients
}
