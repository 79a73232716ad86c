import { Redis, type Cluster } from 'ioredis'
import { answerLifeMs } from './once.ts'
import { isFunction, isObject } from './options.ts'

export type RedisClient = Redis | Cluster

/** Tells a client of ioredis from connection settings, from node-redis, and from the namespaces of @fastify/redis. */
export function isRedisClient (value: unknown): value is RedisClient {
  return isObject(value) && ['once', 'duplicate', 'evalsha'].every(name => isFunction((value as Record<string, unknown>)[name]))
}

/**
 * A command that was sent longer ago than this (ms) is not sent again. ioredis would, however long the connection was
 * away, and once its answer is no longer kept Redis would do it a second time. Half of that life, since what is sent
 * again may be on its way for a while too; no caller waits nearly as long.
 */
const resendForMs = answerLifeMs / 2

/**
 * On a command, or on the pipeline that it is part of: when it was sent first. A property, since every command gets it:
 * a WeakMap made each a quarter dearer.
 */
const sentAt = Symbol('sent at')

function isTooOld (sent: object & { [sentAt]?: number }): boolean {
  const now = timeOfTurn()
  sent[sentAt] ??= now
  return now - sent[sentAt] > resendForMs
}

let turnAt: number | undefined

/** One time for all that is sent in a turn of the event loop: ioredis sends a pipeline again as a whole or never. */
function timeOfTurn (): number {
  if (turnAt === undefined) {
    turnAt = performance.now()
    setImmediate(() => { turnAt = undefined })
  }
  return turnAt
}

/** So much does not wait for the end of the turn: Redis does it meanwhile. */
const muchBytes = 1024

/**
 * All that is asked in one turn of the event loop leaves in one system call; order and answers are as they were. A publish
 * does not stay behind: nobody waits for its answer, and what its sender says next, elsewhere, must not overtake it.
 * What ioredis sends again after it has lost the connection comes this way as well.
 */
class JoinedRedis extends Redis {
  override sendCommand (...parameters: Parameters<Redis['sendCommand']>): unknown {
    const [command, pipeline] = parameters
    if (isTooOld(pipeline ?? command)) {
      command.reject(new Error('The connection was away for too long to send the command again'))
      return command.promise
    }
    const { stream } = this as { stream: Redis['stream'] | undefined } // none before it has connected
    if (stream?.writableCorked === 0) {
      stream.cork()
      setImmediate(() => stream.uncork())
    }
    const answer = super.sendCommand(...parameters)
    if (stream && (command.name === 'publish' || stream.writableLength > muchBytes)) stream.uncork()
    return answer
  }
}

/** A connection on which nothing has come for so long after a command is dead, whatever TCP thinks of it (ms). */
const deadAfterMs = 5_000
/** How often a connection that only listens is spoken to, which shows whether it lives (ms). */
const pingMs = 2_500

/** How soon one that was still reading its data is asked again (ms); a class waits, and ioredis would for a second at least. */
const loadingMs = 100

/**
 * A client for a URL that comes back by itself: it tries again every 50 to 250 ms for ever, gives up a connection that
 * has died without a word, and a command that is given while the connection is away fails at once instead of waiting in
 * a queue without a bound.
 */
export function connect (url: string): Redis {
  return new JoinedRedis(url, {
    connectTimeout: 2_000,
    socketTimeout: deadAfterMs,
    enableOfflineQueue: false,
    maxLoadingRetryTime: loadingMs,
    maxRetriesPerRequest: null,
    retryStrategy: attempt => Math.min(250, 50 + attempt * 10) + Math.random() * 20
  })
}

/** A second connection to the same place, for subscriptions; these wait in the queue until the connection stands. */
export function subscriber (client: RedisClient): RedisClient {
  if (!(client instanceof Redis)) return (client as Cluster).duplicate()
  const own = client.duplicate({ enableOfflineQueue: true, maxRetriesPerRequest: null, lazyConnect: false, socketTimeout: deadAfterMs })
  const timer = setInterval(() => {
    if (own.status === 'ready') own.ping().catch(() => {}) // the connection itself says what became of it
  }, pingMs).unref()
  return own.once('end', () => clearInterval(timer))
}

/** A second connection follows the first, which says in the log what happens; without a listener Redis' errors would end up on the console. */
export function quiet<C extends RedisClient> (client: C): C {
  return client.on('error', () => {}) as C
}

/** Resolves when the client is ready, or after `ms`: late is not gone, the process serves degraded until then. */
export async function readyWithin (client: RedisClient, ms: number): Promise<boolean> {
  if (client.status === 'ready') return true
  return await new Promise(resolve => {
    const ready = (): void => { clearTimeout(timer); resolve(true) }
    const timer = setTimeout(() => { client.off('ready', ready); resolve(false) }, ms)
    client.once('ready', ready)
  })
}
