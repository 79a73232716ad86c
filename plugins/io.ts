import type { IncomingMessage } from 'node:http'
import fp from 'fastify-plugin'
import { Server, type Namespace, type ServerOptions } from 'socket.io'
import { Adapter } from 'socket.io-adapter'
import { clusterAdapter } from '../lib/core/adapter.ts'
import { Connections, type Connection } from '../lib/core/connections.ts'
import { createMemoryCounters } from '../lib/core/counters-memory.ts'
import { drain } from '../lib/core/drain.ts'
import type { Limits } from '../lib/core/limits.ts'
import { originAllowed } from '../lib/core/origin.ts'
import { guardedParser } from '../lib/core/parser.ts'
import { quiet, subscriber, type RedisClient } from '../lib/core/redis.ts'
import { shareUpgrades } from '../lib/core/upgrade.ts'

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
  draining: boolean
}

interface IoOptions {
  io?: Record<string, unknown>
  origins: readonly string[]
  drainMs: number
  limits: Limits
  redis?: RedisClient
  addressOf: (request: IncomingMessage) => string
  onFailure: (what: 'publish' | 'slow' | 'flood' | 'origin', error?: unknown) => void
  use: (state: IoState) => void
}

/**
 * `fastify.io`: a Socket.IO server on the Fastify server, or the host's if one is decorated. It closes in `preClose`,
 * because Fastify's own close waits for open connections; clients see a transport close and reconnect by themselves.
 */
export default fp<IoOptions>(async (fastify, { io: options, origins, drainMs, limits, redis, addressOf, onFailure, use }) => {
  const state: IoState = { connections: undefined, draining: false }
  const borrowed = fastify.hasDecorator('io')
  const io = borrowed ? fastify.io : createServer()
  if (!borrowed) fastify.decorate('io', io)

  const subscription = redis && io.adapter() === Adapter ? quiet(subscriber(redis)) : undefined
  if (redis && subscription) io.adapter(clusterAdapter(redis, subscription, error => onFailure('publish', error)))

  if (!borrowed) state.connections = new Connections(io, { limits, onSlow: () => onFailure('slow'), onFlood: () => onFailure('flood') })
  use(state)

  const namespaces = new Set<Namespace>(io._nsps.values())
  io.on('new_namespace', namespace => namespaces.add(namespace))

  fastify.addHook('preClose', async () => {
    state.draining = true
    await drain([...namespaces].flatMap(namespace => [...namespace.sockets.values()]), borrowed ? 0 : drainMs, !borrowed)
    if (!borrowed) io.engine.close()
  })
  fastify.addHook('onClose', async () => {
    state.connections?.stop()
    if (!borrowed) for (const namespace of namespaces) await namespace.adapter.close()
    subscription?.disconnect()
  })

  function createServer (): Server {
    const handshakes = createMemoryCounters()
    const given = options as Partial<ServerOptions> | undefined
    const server = new Server(fastify.server, {
      serveClient: false,
      connectTimeout: 10_000,
      maxHttpBufferSize: 2 * limits.packetBytes,
      parser: guardedParser(limits),
      cors: { origin: [...origins] },
      ...given,
      destroyUpgrade: false,
      allowRequest (request, decide) {
        if (state.draining) return decide('This server is going away.', false)
        if (!originAllowed(request, origins)) {
          onFailure('origin')
          return decide('The origin of this page is not allowed.', false)
        }
        void handshakes.take(addressOf(request), limits.handshakesPer10Seconds, 10_000).then(({ allowed }) => {
          if (!allowed) {
            onFailure('flood')
            return decide('Too many connections from this address.', false)
          }
          if (given?.allowRequest) given.allowRequest(request, decide)
          else decide(undefined, true)
        })
      }
    })
    const path = server.path()
    shareUpgrades(fastify.server, request => request.url?.startsWith(path) ?? false)
    bindPolling(server)
    return server
  }

  /** The id of a polling connection stands in its URLs, so it counts only from where the connection was opened. */
  function bindPolling (server: Server): void {
    const owners = new Map<string, string>()
    server.engine.on('connection', (connection: Connection & { request: IncomingMessage }) => {
      owners.set(connection.id, addressOf(connection.request))
      connection.once('close', () => owners.delete(connection.id))
    })
    server.engine.use((request: IncomingMessage & { _query?: { sid?: string } }, response: { writeHead (status: number): void, end (): void }, next: () => void) => {
      const owner = request._query?.sid === undefined ? undefined : owners.get(request._query.sid)
      if (owner === undefined || owner === addressOf(request)) return next()
      response.writeHead(403)
      response.end()
    })
  }
}, { name: 'fastify-classwaves-io' })
