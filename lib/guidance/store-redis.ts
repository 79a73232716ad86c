import { ClasswavesError } from '../core/errors.ts'
import { key } from '../core/key.ts'
import { askStore } from '../core/ask.ts'
import type { RedisClient } from '../core/redis.ts'
import { script } from '../core/script.ts'
import type { GroupPart, GuidanceRecord, SessionPart } from './record.ts'
import type { GuidanceStore } from './store.ts'

export const guidanceKeys = {
  state: key('guidance:state:{sessionId}', {
    ttl: 'session TTL',
    purpose: 'where the guidance of a session stands: features of each group, windows with their words, open prompts',
    holds: 'words'
  })
} as const

const swap = script('guidance_state_swap', ['state'], ['version', 'ttlSeconds', 'parts'], reply => reply === 1, { once: true })
export const guidanceScripts = [swap]

/** Of processes that work on one session at once, all but one read again; past this many times something is wrong. */
const attempts = 20
const prefix = 'group:'

/** Guidance in Redis: one hash a session, read whole, stored by parts with compare-and-set. */
export function createRedisGuidanceStore ({ redis, ttlSeconds }: { redis: () => RedisClient, ttlSeconds: number }): GuidanceStore {
  const keyOf = (client: RedisClient, sessionId: string): string => guidanceKeys.state({ sessionId }, client.isCluster)

  async function load (client: RedisClient, sessionId: string): Promise<{ version: string, record: GuidanceRecord | null, now: number }> {
    const [fields, [seconds, micros]] = await Promise.all([client.hgetall(keyOf(client, sessionId)), client.time()])
    const now = Number(seconds) * 1000 + Math.floor(Number(micros) / 1000)
    if (fields.session === undefined) return { version: '0', record: null, now }
    const groups: Record<string, GroupPart> = {}
    for (const name of Object.keys(fields).filter(name => name.startsWith(prefix))) {
      groups[name.slice(prefix.length)] = JSON.parse(fields[name] as string) as GroupPart
    }
    return { version: fields.version ?? '0', record: { session: JSON.parse(fields.session) as SessionPart, groups }, now }
  }

  return {
    async update (sessionId, change) {
      for (let attempt = 0; attempt < attempts; attempt++) {
        const { version, record: before, now } = await askStore(redis, async client => await load(client, sessionId))
        const { result, record, touched = [] } = change(before, now)
        if (!record) return result
        const parts = ['session', JSON.stringify(record.session)]
        for (const groupId of touched) parts.push(`${prefix}${groupId}`, JSON.stringify(record.groups[groupId]))
        const stored = await askStore(redis, async client =>
          await swap(client, { state: keyOf(client, sessionId) }, { version, ttlSeconds, parts: JSON.stringify(parts) }))
        if (stored) return result
      }
      throw new ClasswavesError('UNAVAILABLE', 'Too many processes work on this session at once.')
    },
    async read (sessionId) {
      const { record, now } = await askStore(redis, async client => await load(client, sessionId))
      return { record, now }
    }
  }
}
