import type { GuidanceRecord } from './record.ts'
import type { GuidanceStore } from './store.ts'

/** Guidance in one process. Records are forgotten when their time is over, looked at whenever another is written. */
export function createMemoryGuidanceStore ({ ttlSeconds, now = Date.now }: { ttlSeconds: number, now?: () => number }): GuidanceStore {
  const records = new Map<string, { json: string, until: number }>()

  function load (sessionId: string): GuidanceRecord | null {
    const entry = records.get(sessionId)
    return entry && entry.until > now() ? JSON.parse(entry.json) as GuidanceRecord : null
  }

  return {
    async update (sessionId, change) {
      const { result, record } = change(load(sessionId), now())
      if (record) {
        records.delete(sessionId)
        records.set(sessionId, { json: JSON.stringify(record), until: now() + ttlSeconds * 1000 })
        for (const [id, { until }] of records) {
          if (until > now()) break
          records.delete(id)
        }
      }
      return result
    },
    async read (sessionId) { return { record: load(sessionId), now: now() } }
  }
}
