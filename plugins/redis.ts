import fp from 'fastify-plugin'
import type { Redis } from 'ioredis'
import { within } from '../lib/core/deadline.ts'
import { OptionsError } from '../lib/core/options.ts'
import { connect, isRedisClient, readyWithin, type RedisClient } from '../lib/core/redis.ts'

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
    if (await readyWithin(client, timeoutMs)) await refuseNode(client)
    else log.warn('Redis is configured but does not answer yet; serving degraded until it does')
    return use(client)
  }
  const client: unknown = redis ?? (fastify.hasDecorator('redis') ? fastify.redis : undefined)
  if (client === undefined) return use(undefined)
  if (!isRedisClient(client)) throw new OptionsError('fastify-classwaves: fastify.redis is not an ioredis client, perhaps because it has namespaces; put the client in option redis, or false')
  if (await readyWithin(client, timeoutMs)) await refuseNode(client)
  else log.warn('Redis does not answer yet; serving degraded until it does')
  use(client)

  /** Scripts touch several keys of a session, and only a client that knows of the cluster names them so that they lie together. */
  async function refuseNode (client: RedisClient): Promise<void> {
    if (client.isCluster) return
    const cluster = await within(timeoutMs, client.info('cluster'), () => '').catch((error: unknown) => {
      log.debug({ err: error }, 'Redis does not say whether it is a cluster')
      return ''
    })
    if (!cluster.includes('cluster_enabled:1')) return
    throw new OptionsError('fastify-classwaves: option redis leads to a node of a Redis Cluster; pass a client that knows the cluster, new Redis.Cluster([{ host, port }]) of ioredis')
  }

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
