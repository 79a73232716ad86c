import type { Cluster, Redis } from 'ioredis'
import type { SessionStore } from '../../lib/sessions/store.ts'
import { createMemorySessionStore } from '../../lib/sessions/store-memory.ts'
import { createRedisSessionStore } from '../../lib/sessions/store-redis.ts'

export interface SessionBackend {
  store: SessionStore
  /** Lets so much time pass for the backend. */
  pass (ms: number): Promise<void>
}

/** What the sessions of every backend live, in seconds. */
export const ttlSeconds = 60

export function memoryBackend (): SessionBackend {
  let now = Date.UTC(2026, 0, 5, 8)
  return {
    store: createMemorySessionStore({ ttlSeconds, now: () => now }),
    async pass (ms) { now += ms }
  }
}

export function redisBackend (client: Redis | Cluster): SessionBackend {
  return {
    store: createRedisSessionStore({ redis: () => client, ttlSeconds, onSideFailure: error => { throw error } }),
    pass: ms => age(client, ms)
  }
}

/** Makes every session in a test's Redis older, as if that time had passed, so that no test waits for it. */
async function age (redis: Redis | Cluster, ms: number): Promise<void> {
  for (const key of await redis.keys('sessions:*')) {
    const left = await redis.pttl(key)
    if (left < 0) throw new Error(`${key} would stay for ever`)
    if (left <= ms) {
      await redis.del(key)
      continue
    }
    await redis.pexpire(key, left - ms)
    if (!key.startsWith('sessions:session:')) continue
    for (const time of ['renewed', 'endingAt']) {
      if (await redis.hexists(key, time)) await redis.hincrby(key, time, -ms)
    }
  }
}
