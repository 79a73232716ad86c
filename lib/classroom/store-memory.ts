import { verdictOf } from './rules.ts'
import type { ChatMode } from './schema.ts'
import { heldBound, type ChatBounds, type ChatStore, type Lane, type Stored } from './store.ts'

interface Talk {
  mode?: ChatMode
  closed: boolean
  bytes: number
  seq: number
  messages: Map<string, Stored>
  lanes: Map<Lane, Set<string>>
  reads: Map<string, { seq: number, hidden: boolean }>
  files: Map<string, Uint8Array>
  until: number
}

/** The talk of one process, forgotten when nobody touched it for `ttlSeconds`. */
export function createMemoryChatStore (bounds: ChatBounds, now: () => number = Date.now): ChatStore {
  const talks = new Map<string, Talk>()

  function known (sessionId: string): Talk | undefined {
    const talk = talks.get(sessionId)
    return talk && talk.until > now() ? talk : undefined
  }

  function touched (sessionId: string): Talk {
    let talk = known(sessionId)
    if (!talk) {
      for (const [other, { until }] of talks) if (until <= now()) talks.delete(other)
      talk = { closed: false, bytes: 0, seq: 0, messages: new Map(), lanes: new Map(), reads: new Map(), files: new Map(), until: 0 }
      talks.set(sessionId, talk)
    }
    talk.until = now() + bounds.ttlSeconds * 1000
    return talk
  }

  function laneOf (talk: Talk, lane: Lane): Set<string> {
    const ids = talk.lanes.get(lane) ?? new Set<string>()
    talk.lanes.set(lane, ids)
    return ids
  }

  /** Lets the old and the surplus fall out. */
  function trim (talk: Talk, lane: Lane): void {
    const ids = laneOf(talk, lane)
    for (const id of ids) {
      const stored = talk.messages.get(id)
      if (stored && ids.size <= bounds.messages && stored.at > now() - bounds.ageMs) return
      ids.delete(id)
      talk.messages.delete(id)
    }
  }

  return {
    async post (sessionId, { messageId, content, rank, bytes }) {
      const before = known(sessionId)
      const mode = before?.mode ?? bounds.mode
      const repeated = before?.messages.get(messageId)
      if (repeated) return { verdict: 'repeated', mode, stored: structuredClone(repeated) }
      if (before?.closed) return { verdict: 'closed', mode }
      const verdict = verdictOf(mode, rank, content.to !== undefined)
      if (verdict === 'refused') return { verdict, mode }
      const full = bytes > 0 && (before?.bytes ?? 0) + bytes > bounds.bytes
      if (full || (verdict === 'held' && (before?.lanes.get('held')?.size ?? 0) >= heldBound)) return { verdict: 'full', mode }
      const talk = touched(sessionId)
      talk.bytes += bytes
      const stored: Stored = { ...structuredClone(content), ...(verdict === 'held' && { held: true }), messageId, seq: ++talk.seq, at: now() }
      talk.messages.set(messageId, stored)
      const lanes: Lane[] = verdict === 'held' ? ['held'] : content.to === undefined ? ['main'] : ['direct', `direct:${content.userId}`, `direct:${content.to}`]
      for (const lane of lanes) laneOf(talk, lane).add(messageId)
      if (verdict === 'published') trim(talk, lanes[0] as Lane)
      return { verdict, mode, stored: structuredClone(stored) }
    },

    async get (sessionId, messageId) { return structuredClone(known(sessionId)?.messages.get(messageId) ?? null) },

    async change (sessionId, messageId, update, place) {
      const stored = known(sessionId)?.messages.get(messageId)
      const content = stored && update(structuredClone(stored))
      if (!stored || !content) return null
      const talk = touched(sessionId)
      const changed: Stored = { ...structuredClone(content), messageId, seq: stored.seq, at: stored.at }
      if (place) laneOf(talk, 'held').delete(messageId)
      if (place === 'remove') {
        talk.messages.delete(messageId)
        return changed
      }
      if (place === 'publish') {
        Object.assign(changed, { seq: ++talk.seq, at: now() })
        laneOf(talk, 'main').add(messageId)
      }
      talk.messages.set(messageId, changed)
      if (place === 'publish') trim(talk, 'main')
      return structuredClone(changed)
    },

    async page (sessionId, lane, { before = Infinity, after, limit }) {
      const talk = known(sessionId)
      const all = [...talk?.lanes.get(lane) ?? []].flatMap(id => talk?.messages.get(id) ?? [])
        .filter(one => one.seq > (after ?? 0) && one.seq < before && one.at > now() - bounds.ageMs)
      const part = after === undefined ? all.slice(-limit) : all.slice(0, limit)
      return { messages: structuredClone(part), more: all.length > part.length }
    },

    async mode (sessionId) { return known(sessionId)?.mode ?? bounds.mode },

    async setMode (sessionId, mode) {
      const talk = touched(sessionId)
      const changed = (talk.mode ?? bounds.mode) !== mode
      talk.mode = mode
      return { changed }
    },

    async close (sessionId) { touched(sessionId).closed = true },

    async read (sessionId, userId, seq, hidden) {
      const talk = touched(sessionId)
      const before = talk.reads.get(userId)
      const upTo = Math.min(Math.max(seq, before?.seq ?? 0), talk.seq)
      talk.reads.set(userId, { seq: upTo, hidden })
      return { seq: upTo, changed: before?.seq !== upTo }
    },

    async readers (sessionId) {
      return Object.fromEntries([...known(sessionId)?.reads ?? []].filter(([, { hidden }]) => !hidden).map(([userId, { seq }]) => [userId, seq]))
    },

    async putFile (sessionId, attachmentId, data) { touched(sessionId).files.set(attachmentId, new Uint8Array(data)) },
    async file (sessionId, attachmentId) { return known(sessionId)?.files.get(attachmentId) ?? null },
    async dropFile (sessionId, attachmentId) { known(sessionId)?.files.delete(attachmentId) },
    async touch (sessionId) { if (known(sessionId)) touched(sessionId) }
  }
}
