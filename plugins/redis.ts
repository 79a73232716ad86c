import fp from 'fastify-plugin'
import type { Redis } from 'ioredis'
import { connect, readyWithin, type RedisClient } from '../lib/core/redis.ts'

/** As @fastify/redis has it, to the letter: two declarations of one property must agree. */
type Decorated = { [namespace: string]: Redis } & Redis

declare module 'fastify' {
  interface FastifyInstance {
    /** The Redis client, when the plugin was given a URL or the host registered @fastify/redis. */
    redis: Decorated
  }
}

interface RedisOptions {
  redis?: unknown
  timeoutMs: number
  /** Told once which client it is, if any. */
  use: (client: RedisClient | undefined) => void
}

/** Which Redis: the host's, the one passed in, or our own for a URL. Only our own is closed by us. */
export default fp<RedisOptions>(async (fastify, { redis, timeoutMs, use }) => {
  if (redis === false) return use(undefined)
  const log = fastify.log.child({ plugin: 'fastify-classwaves' })
  if (typeof redis === 'string') {
    const client = connect(redis)
    watch(client)
    if (!fastify.hasDecorator('redis')) fastify.decorate('redis', client as Decorated)
    fastify.addHook('onClose', async () => { client.disconnect() })
    if (!await readyWithin(client, timeoutMs)) log.warn('Redis is configured but does not answer yet; serving degraded until it does')
    return use(client)
  }
  const client = (redis ?? (fastify.hasDecorator('redis') ? fastify.redis : undefined)) as RedisClient | undefined
  if (client && !await readyWithin(client, timeoutMs)) log.warn('Redis does not answer yet; serving degraded until it does')
  use(client)

  /** Says each change of state once, not each attempt. */
  function watch (client: RedisClient): void {
    let away = false
    client.on('error', (error: Error) => {
      if (!away) log.warn({ reason: error.message }, 'Redis is away')
      away = true
    })
    client.on('ready', () => {
      if (away) log.info('Redis is back')
      away = false
    })
  }
}, { name: 'fastify-classwaves-redis' })
