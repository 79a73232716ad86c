import { askStore } from '../core/ask.ts'
import { key } from '../core/key.ts'
import type { RedisClient } from '../core/redis.ts'
import { script } from '../core/script.ts'
import { byArrival, personOf, type Attendee, type Change, type PresenceStore, type PresenceTimes, type Settled, type Sign } from './presence.ts'

export const presenceKeys = {
  people: key('classroom:people:{sessionId}', { ttl: 'a minute after the last lease', purpose: 'who is in a class: name, role, status, leased seats (hash)', holds: 'names' }),
  due: key('classroom:due:{sessionId}', { ttl: 'a minute after the last lease', purpose: 'when something of each of them changes by itself (sorted set)' })
} as const

type Applied = Settled & { rows: [string, string][] }

const apply = script('classroom_presence', ['people', 'due'], ['signs', 'leaseMs', 'graceMs', 'idleAfterMs', 'awayAfterMs', 'late', 'list'], (reply): Applied => {
  const [count, at, changed, listed] = reply as [number, string, string[], string[]]
  const changes: Change[] = []
  for (let i = 0; i + 3 < changed.length; i += 4) {
    const [userId, status, name, role] = changed.slice(i) as [string, Change['status'], string, string]
    changes.push({ userId, status, name, role, at: Number(at) })
  }
  const rows: [string, string][] = []
  for (let i = 0; i + 1 < listed.length; i += 2) rows.push([listed[i] as string, listed[i + 1] as string])
  return { count, changes, rows }
}, { once: true })

export const presenceScripts = [apply] as const

/** Presence that all processes share. */
export function createRedisPresence (redis: () => RedisClient, times: PresenceTimes): PresenceStore {
  async function ask (sessionId: string, signs: readonly Sign[], late: boolean, list: boolean): Promise<Applied> {
    const rows = signs.map(sign => [sign.kind, sign.userId, sign.seat, ...sign.kind === 'say' ? [sign.status] : 'name' in sign ? [sign.name, sign.role] : []])
    return await askStore(redis, async client => await apply(client, {
      people: presenceKeys.people({ sessionId }, client.isCluster), due: presenceKeys.due({ sessionId }, client.isCluster)
    }, { signs: JSON.stringify(rows), ...times, late: Number(late), list: Number(list) }))
  }

  return {
    async apply (sessionId, signs, late = false) {
      const { changes, count } = await ask(sessionId, signs, late, false)
      return { changes, count }
    },
    async people (sessionId) {
      const { rows, changes, count } = await ask(sessionId, [], false, true)
      return { changes, count, people: rows.map(([userId, row]) => personOf(userId, JSON.parse(row) as Attendee)).sort(byArrival) }
    }
  }
}
