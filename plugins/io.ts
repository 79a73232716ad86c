import fp from 'fastify-plugin'
import { Server, type Namespace, type ServerOptions } from 'socket.io'
import { Adapter } from 'socket.io-adapter'
import { clusterAdapter } from '../lib/core/adapter.ts'
import { replyMeta } from '../lib/core/context.ts'
import type { Limits } from '../lib/core/limits.ts'
import { guardedParser } from '../lib/core/parser.ts'
import { subscriber, type RedisClient } from '../lib/core/redis.ts'

declare module 'fastify' {
  interface FastifyInstance {
    /** The Socket.IO server. */
    io: Server
  }
}

interface IoOptions {
  io?: Record<string, unknown>
  limits: Limits
  redis?: RedisClient
  onPublishFailure: (error: unknown) => void
}

/** How long connections get to send what is on its way to them (ms). */
const flushMs = 500

/** How long a client waits before it reconnects, once it is told that the server goes away (ms). */
const retryAfterMs = 1_000

/**
 * `fastify.io`: a Socket.IO server on the Fastify server, or the host's if one is decorated. It closes in `preClose`,
 * because Fastify's own close waits for open connections; clients see a transport close and reconnect by themselves.
 */
export default fp<IoOptions>(async (fastify, { io: options, limits, redis, onPublishFailure }) => {
  const borrowed = fastify.hasDecorator('io')
  const io = borrowed
    ? fastify.io
    : new Server(fastify.server, {
      serveClient: false,
      connectTimeout: 10_000,
      maxHttpBufferSize: 2 * limits.packetBytes,
      parser: guardedParser(limits),
      ...options as Partial<ServerOptions>
    })
  if (!borrowed) fastify.decorate('io', io)

  const subscription = redis && io.adapter() === Adapter ? subscriber(redis) : undefined
  if (redis && subscription) {
    subscription.on('error', () => {}) // the client itself says so in the log; this connection follows it
    io.adapter(clusterAdapter(redis, subscription, onPublishFailure))
  }

  const namespaces = new Set<Namespace>(io._nsps.values())
  io.on('new_namespace', namespace => namespaces.add(namespace))

  fastify.addHook('preClose', async () => {
    for (const namespace of namespaces) {
      for (const socket of namespace.sockets.values()) socket.emit('server:draining', { retryAfterMs }, replyMeta(socket.id))
    }
    if (borrowed) return
    const open = new Set([...namespaces].flatMap(namespace => [...namespace.sockets.values()].map(socket => socket.conn)))
    const closed = Promise.all([...open].map(async connection => await new Promise<void>(resolve => { connection.once('close', () => resolve()); connection.close() })))
    await Promise.race([closed, new Promise<void>(resolve => setTimeout(resolve, flushMs).unref())])
    io.engine.close()
  })
  fastify.addHook('onClose', async () => {
    if (!borrowed) for (const namespace of namespaces) await namespace.adapter.close()
    subscription?.disconnect()
  })
}, { name: 'fastify-classwaves-io' })
