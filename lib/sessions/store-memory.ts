import { isDeepStrictEqual } from 'node:util'
import type { MoveWords } from './schema.ts'
import { addSlices, groupFor, groupOf, newSession, pageOfSlices, regroup, sessionOf, sit, type MemorySession } from './store-memory-session.ts'
import { cardOf, idInUse, placeInList, seating } from './store-rules.ts'
import { overdueAfterMs, storeBounds, type SessionStore, type TransitionResult } from './store.ts'
import { allows, transitions, type Move } from './transitions.ts'

export interface MemorySessionStoreOptions {
  ttlSeconds: number
  /** Milliseconds since 1970; the process clock unless said. */
  now?: () => number
}

/**
 * Sessions in the memory of one process. Expired ones are forgotten when the store is next used: they are kept in the
 * order of their last write, so that looking at the oldest is enough and no timer is needed.
 */
export function createMemorySessionStore ({ ttlSeconds, now = Date.now }: MemorySessionStoreOptions): SessionStore {
  const ttlMs = Math.round(ttlSeconds * 1000)
  const sessions = new Map<string, MemorySession>()
  const codes = new Map<string, string>()

  function find (sessionId: string): MemorySession | undefined {
    for (const session of sessions.values()) {
      if (session.expiresAt > now()) break
      forget(session)
    }
    return sessions.get(sessionId)
  }

  function forget (session: MemorySession): void {
    sessions.delete(session.kept.sessionId)
    releaseCode(session)
  }

  function releaseCode ({ kept: { sessionId, code } }: MemorySession): void {
    if (codes.get(code) === sessionId) codes.delete(code)
  }

  /** An accepted write renews the session. */
  function renew (session: MemorySession): void {
    session.expiresAt = now() + ttlMs
    sessions.delete(session.kept.sessionId)
    sessions.set(session.kept.sessionId, session)
  }

  function move (sessionId: string, name: Move, minAgeMs: number, { reason, teacherNotes }: MoveWords = {}): TransitionResult {
    const session = find(sessionId)
    if (session === undefined) return { ok: false, reason: 'not-found' }
    const { kept } = session
    const { status: from, endingAt } = kept
    const { to } = transitions[name]
    const early = minAgeMs > 0 && endingAt !== null && now() - endingAt <= minAgeMs
    if (early || !allows(name, from)) return { ok: false, reason: 'invalid', from, to, session: sessionOf(session) }
    const waits = from === 'created' && to === 'active' && kept.requireGroupsReady
    if (waits && [...session.groups.values()].some(group => !group.isReady)) {
      return { ok: false, reason: 'groups-not-ready', session: sessionOf(session) }
    }
    kept.status = to
    kept.version++
    if (reason !== undefined) kept.reason = reason
    if (teacherNotes !== undefined) kept.teacherNotes = teacherNotes
    if (to === 'active') {
      kept.startedAt ??= now()
      kept.pausedAt = null
    }
    if (to === 'paused') kept.pausedAt = now()
    if (to === 'ending') kept.endingAt = now()
    if (to === 'ended') {
      kept.endedAt = now()
      releaseCode(session)
    }
    renew(session)
    return { ok: true, from, session: sessionOf(session) }
  }

  return {
    async create (plan) {
      seating(plan.groups)
      const known = find(plan.sessionId)
      if (known !== undefined) {
        if (!isDeepStrictEqual(cardOf(known.kept), cardOf(plan))) throw idInUse()
        return sessionOf(known)
      }
      if (codes.has(plan.code)) return 'code-taken'
      const session = newSession(plan, now())
      codes.set(plan.code, plan.sessionId)
      renew(session)
      return sessionOf(session)
    },

    async get (sessionId) {
      const session = find(sessionId)
      return session ? sessionOf(session) : null
    },

    async byCode (code) {
      const sessionId = codes.get(code)
      const session = sessionId === undefined ? undefined : find(sessionId)
      return session ? sessionOf(session) : null
    },

    async list ({ teacherId, status, limit, cursor }) {
      find('')
      const wanted = [...sessions.values()]
        .filter(({ kept }) => (teacherId === undefined || kept.teacherId === teacherId) && (status === undefined || kept.status === status))
        .map(session => ({ session, place: placeOf(session) }))
        .filter(({ place }) => cursor === undefined || place < cursor)
        .sort((a, b) => a.place < b.place ? 1 : -1)
      const page = wanted.slice(0, limit)
      return {
        sessions: page.map(({ session }) => sessionOf(session)),
        nextCursor: wanted.length > limit ? page.at(-1)?.place ?? null : null
      }
    },

    transition: async (sessionId, name, words) => move(sessionId, name, 0, words),

    finishOverdue: async sessionId => move(sessionId, 'finish', overdueAfterMs),

    async setGroups (sessionId, groups) {
      seating(groups)
      const session = find(sessionId)
      if (session === undefined) return { ok: false, reason: 'not-found' }
      if (session.kept.status === 'ended') return { ok: false, reason: 'ended' }
      const before = sessionOf(session)
      regroup(session, groups)
      renew(session)
      return { ok: true, session: sessionOf(session), before }
    },

    async updateGroup (sessionId, groupId, change) {
      const session = find(sessionId)
      if (session === undefined) return { ok: false, reason: 'not-found' }
      if (session.kept.status === 'ended') return { ok: false, reason: 'ended' }
      const group = session.groups.get(groupId)
      if (group === undefined) return { ok: false, reason: 'group-not-found' }
      const { status = group.status, isReady = group.isReady, issueReason = group.issueReason } = change
      const changed = status !== group.status || isReady !== group.isReady || issueReason !== group.issueReason
      if (changed) {
        Object.assign(group, { status, isReady, issueReason })
        renew(session)
      }
      return { ok: true, changed, group: groupOf(session, groupId) }
    },

    async enrol (sessionId, { userId, displayName, role, groupId }) {
      const session = find(sessionId)
      if (session === undefined) return { ok: false, reason: 'not-found' }
      if (session.kept.status === 'ended') return { ok: false, reason: 'ended' }
      const created = !session.participants.has(userId)
      if (created) {
        if (groupId !== undefined && !session.groups.has(groupId)) return { ok: false, reason: 'group-not-found' }
        if (session.participants.size >= storeBounds.participants) return { ok: false, reason: 'full' }
        const chosen = groupId ?? groupFor(session, userId)
        if (chosen !== null && session.seats.get(userId) !== chosen) sit(session, userId, chosen)
        session.participants.set(userId, { userId, displayName, role, joinedAt: new Date(now()).toISOString() })
        renew(session)
      }
      const whole = sessionOf(session)
      const participant = whole.participants.find(one => one.userId === userId)
      if (participant === undefined) throw new TypeError(`${userId} was not enrolled`)
      return { ok: true, created, participant, session: whole }
    },

    async append (sessionId, slices) {
      const session = find(sessionId)
      if (session === undefined) return { ok: false, reason: 'not-found' }
      const { status } = session.kept
      if (status === 'created' || status === 'ended') return { ok: false, reason: 'not-active', status }
      const stray = slices.find(slice => !session.groups.has(slice.groupId))
      if (stray) return { ok: false, reason: 'group-not-found', groupId: stray.groupId }
      const { accepted, known } = addSlices(session, slices, now())
      if (accepted.length > 0) renew(session)
      return { ok: true, accepted, known, duplicates: slices.length - accepted.length }
    },

    async slices (sessionId, page) {
      const session = find(sessionId)
      return session ? pageOfSlices(session, page) : { slices: [], nextAfter: null }
    }
  }
}

function placeOf ({ kept }: MemorySession): string {
  return placeInList({ sessionId: kept.sessionId, createdAt: new Date(kept.createdAt).toISOString() })
}
