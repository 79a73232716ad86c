import type { Cluster, Redis } from 'ioredis'
import type { Test } from 'tap'
import type { Session } from '../../lib/sessions/schema.ts'
import type { NewSession, SessionStore } from '../../lib/sessions/store.ts'
import { createMemorySessionStore } from '../../lib/sessions/store-memory.ts'
import { createRedisSessionStore } from '../../lib/sessions/store-redis.ts'
import type { Move } from '../../lib/sessions/transitions.ts'

export interface SessionBackend {
  store: SessionStore
  /** Lets so much time pass for the backend. */
  pass (ms: number): Promise<void>
}

export type OpenSessions = (t: Test) => Promise<SessionBackend>

/** How long sessions live in the tests unless said, in seconds. */
export const ttlSeconds = 60

export function memoryBackend (ttl = ttlSeconds): SessionBackend {
  let now = Date.UTC(2026, 0, 5, 8)
  return {
    store: createMemorySessionStore({ ttlSeconds: ttl, now: () => now }),
    async pass (ms) { now += ms }
  }
}

export function redisBackend (client: Redis | Cluster, ttl = ttlSeconds): SessionBackend {
  return {
    store: createRedisSessionStore({ redis: () => client, ttlSeconds: ttl, onSideFailure: error => { throw error } }),
    pass: ms => age(client, ms)
  }
}

/** Makes every session in a test's Redis older, as if that time had passed, so that no test waits for it. */
async function age (redis: Redis | Cluster, ms: number): Promise<void> {
  for (const key of await redis.keys('sessions:*')) {
    const left = await redis.pttl(key)
    if (left === -1) throw new Error(`${key} would stay for ever`)
    if (left <= ms) {
      await redis.del(key)
      continue
    }
    await redis.pexpire(key, left - ms)
    if (key.startsWith('sessions:slices:')) {
      for (const [id, row] of Object.entries(await redis.hgetall(key))) await redis.hset(key, id, row.replace(/ (\d+)/, (_, cameAt) => ` ${Number(cameAt) - ms}`))
    }
    if (!key.startsWith('sessions:session:')) continue
    for (const time of ['renewed', 'endingAt']) {
      if (await redis.hexists(key, time)) await redis.hincrby(key, time, -ms)
    }
  }
}

export function plan (sessionId: string, more: Partial<NewSession> = {}): NewSession {
  return {
    sessionId,
    code: `C-${sessionId}`,
    teacherId: 'teacher',
    topic: 'Rivers',
    goal: null,
    subject: null,
    plannedDurationMinutes: null,
    requireGroupsReady: false,
    groups: [],
    ...more
  }
}

/** Creates a session and takes it through these moves. */
export async function make (store: SessionStore, sessionId: string, more: Partial<NewSession> = {}, ...moves: Move[]): Promise<Session> {
  let session = await store.create(plan(sessionId, more))
  if (session === 'code-taken') throw new Error(`the code of ${sessionId} is taken`)
  for (const move of moves) {
    const moved = await store.transition(sessionId, move)
    if (!moved.ok) throw new Error(`${sessionId} could not ${move}: ${moved.reason}`)
    session = moved.session
  }
  return session
}
