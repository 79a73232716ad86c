import type { ScriptClient } from '../core/script.ts'
import { askStore } from '../core/ask.ts'
import { newCall } from '../core/once.ts'
import type { MoveWords, Session } from './schema.ts'
import { overdueAfterMs, retellMs, storeBounds, type SessionStore, type TransitionResult } from './store.ts'
import { enlist, indexesOf, page, type ListClient } from './store-redis-list.ts'
import { planOf, readCard, sessionOf, sliceOf, sliceRow, wordsOf } from './store-redis-rows.ts'
import { scripts, sessionKeys } from './store-redis-scripts.ts'
import { cardOf, idInUse, stampSlice } from './store-rules.ts'
import { transitions, type Move } from './transitions.ts'

export { sessionKeys, sessionScripts } from './store-redis-scripts.ts'

/** What the store needs of an ioredis client; a `Redis` and a `Cluster` both have it. */
export interface SessionRedis extends ScriptClient, ListClient {
  readonly status: string
  readonly isCluster: boolean
  get (key: string): Promise<string | null>
  del (key: string): Promise<number>
}

export interface RedisSessionStoreOptions {
  /** Asked with each call, so that the store is never tied to a connection that has died. */
  redis: () => SessionRedis
  ttlSeconds: number
  /**
   * Told when a write was stored but the keys of other slots could not be renewed or freed after it. The write
   * stands and is answered as such; the next write renews them, and whoever wants the code takes it over.
   */
  onSideFailure?: (error: unknown) => void
}

/** Keys of other slots live this much longer, so that renewing them once a second is enough. */
const slackMs = 1000

/** Sessions in Redis, shared by every process. */
export function createRedisSessionStore ({ redis, ttlSeconds, onSideFailure = warn }: RedisSessionStoreOptions): SessionStore {
  const ttlMs = Math.round(ttlSeconds * 1000)
  const sideTtlMs = ttlMs + slackMs

  return {
    create: plan => askStore(redis, async client => {
      const keys = { session: sessionKeys.session(plan, client.isCluster) }
      const made = await scripts.create(client, keys, {
        card: JSON.stringify(cardOf(plan)), needsReady: plan.requireGroupsReady ? 1 : 0, plan: planOf(plan.groups), ttlMs
      })
      if (made.verdict === 'in-use') throw idInUse()
      const session = sessionOf(made.fields)
      if (session.status === 'ended') return session
      // The hash comes first: while a code has a holder, that holder can be looked at. The lists come last: what is
      // listed can be joined. A process that dies in between leaves a session that nobody was told of.
      if (!await claimCode(client, session)) {
        if (made.verdict === 'made') await client.del(keys.session)
        return 'code-taken'
      }
      await enlist(client, session, sideTtlMs)
      return session
    }),

    get: sessionId => askStore(redis, client => read(client, sessionId)),

    byCode: code => askStore(redis, async client => {
      const sessionId = await client.get(sessionKeys.code({ code }))
      const session = sessionId === null ? null : await read(client, sessionId)
      return session?.status === 'ended' ? null : session
    }),

    list: filter => askStore(redis, client => page(client, filter)),

    transition: (sessionId, move, words) => askStore(redis, client => transition(client, sessionId, move, 0, words)),

    finishOverdue: sessionId => askStore(redis, client => transition(client, sessionId, 'finish', overdueAfterMs)),

    setGroups: (sessionId, groups) => askStore(redis, async client => {
      const written = await scripts.setGroups(client, keysOf(client, sessionId), { plan: planOf(groups), ttlMs })
      if (written.verdict !== 'ok') return { ok: false, reason: written.verdict }
      renew(client, written.card)
      return { ok: true, session: sessionOf(written.fields), before: sessionOf(written.before) }
    }),

    updateGroup: (sessionId, groupId, { status = '', isReady, issueReason }) => askStore(redis, async client => {
      const written = await scripts.updateGroup(client, keysOf(client, sessionId), {
        groupId,
        status,
        isReady: isReady === undefined ? '' : Number(isReady),
        issueReason: issueReason === undefined ? '' : JSON.stringify(issueReason),
        op: newCall(),
        ttlMs
      })
      if (written.verdict !== 'ok') return { ok: false, reason: written.verdict }
      renew(client, written.card)
      const group = must(sessionOf(written.fields).groups.find(one => one.groupId === groupId))
      return { ok: true, changed: written.changed, group }
    }),

    enrol: (sessionId, { userId, displayName, role, groupId = '' }) => askStore(redis, async client => {
      const written = await scripts.enrol(client, keysOf(client, sessionId), {
        userId, groupId, person: JSON.stringify({ displayName, role }), bound: storeBounds.participants, op: newCall(), ttlMs
      })
      if (written.verdict !== 'ok') return { ok: false, reason: written.verdict }
      renew(client, written.card)
      const session = sessionOf(written.fields)
      const participant = must(session.participants.find(one => one.userId === userId))
      return { ok: true, created: written.created, participant, session }
    }),

    append: (sessionId, slices) => askStore(redis, async client => {
      const written = await scripts.append(client, keysOf(client, sessionId), {
        batch: JSON.stringify(slices.map(sliceRow)), bound: storeBounds.slices, op: newCall(), retellMs, ttlMs
      })
      if (written.verdict === 'group-not-found') return { ok: false, reason: written.verdict, groupId: written.groupId }
      if (written.verdict === 'not-active') return { ok: false, reason: written.verdict, status: written.status }
      if (written.verdict === 'not-found') return { ok: false, reason: written.verdict }
      renew(client, written.card)
      const accepted = slices.flatMap((slice, i) => {
        const stamp = written.stamps[i]
        return stamp ? [stampSlice(slice, stamp.seq, stamp.now)] : []
      })
      return { ok: true, accepted, known: written.known.map(sliceOf), duplicates: slices.length - accepted.length }
    }),

    slices: (sessionId, { groupId = '', after = 0, limit }) => askStore(redis, async client => {
      const { more, rows } = await scripts.slices(client, keysOf(client, sessionId), { groupId, after: Math.min(after, Number.MAX_SAFE_INTEGER), limit })
      const slices = rows.map(sliceOf)
      return { slices, nextAfter: more ? slices.at(-1)?.seq ?? null : null }
    })
  }

  async function transition (client: SessionRedis, sessionId: string, move: Move, minAgeMs: number, words: MoveWords = {}): Promise<TransitionResult> {
    const { from, to } = transitions[move]
    const moved = await scripts.transition(client, keysOf(client, sessionId), { from: from.join(' '), to, minAgeMs, ...wordsOf(words), op: newCall(), ttlMs })
    if (moved.verdict === 'not-found') return { ok: false, reason: moved.verdict }
    const session = sessionOf(moved.fields)
    if (moved.verdict === 'groups-not-ready') return { ok: false, reason: moved.verdict, session }
    if (moved.verdict === 'invalid') return { ok: false, reason: moved.verdict, from: moved.from, to, session }
    if (to === 'ended') aside(scripts.releaseCode(client, { code: sessionKeys.code(session) }, { sessionId }))
    renew(client, moved.card)
    // An answer that is given again tells of the move itself, not of what came after it.
    return { ok: true, from: moved.from, session: { ...session, status: to, version: moved.version } }
  }

  /** True when the session has its code now. A holder that has ended or expired is pushed aside, but only if it still holds it. */
  async function claimCode (client: SessionRedis, { sessionId, code }: Session): Promise<boolean> {
    const claim = (gone: string): Promise<string> => scripts.claimCode(client, { code: sessionKeys.code({ code }) }, { sessionId, gone, ttlMs: sideTtlMs })
    const holder = await claim('')
    if (holder === sessionId) return true
    const held = await read(client, holder)
    if (held !== null && held.status !== 'ended') return false
    return await claim(holder) === sessionId
  }

  /** Renews the keys that lie in other slots, when the script says that it is time. */
  function renew (client: SessionRedis, card: string): void {
    if (card === '') return
    const { code, teacherId } = readCard(card)
    for (const key of [sessionKeys.code({ code }), ...indexesOf(teacherId)]) aside(client.pexpire(key, sideTtlMs))
  }

  /** The write is stored and its caller must hear so, whatever becomes of what follows; so nobody waits for that. */
  function aside (work: Promise<unknown>): void {
    work.catch(onSideFailure)
  }
}

function warn (error: unknown): void {
  process.emitWarning(error instanceof Error ? error : String(error))
}

async function read (client: SessionRedis, sessionId: string): Promise<Session | null> {
  const row = await client.hgetall(sessionKeys.session({ sessionId }, client.isCluster))
  return row.card === undefined ? null : sessionOf(new Map(Object.entries(row)))
}

function keysOf ({ isCluster }: SessionRedis, sessionId: string): Record<'session' | 'slices' | 'sliceIndex', string> {
  return {
    session: sessionKeys.session({ sessionId }, isCluster),
    slices: sessionKeys.slices({ sessionId }, isCluster),
    sliceIndex: sessionKeys.sliceIndex({ sessionId }, isCluster)
  }
}

function must<T> (part: T | undefined): T {
  if (part === undefined) throw new TypeError('the stored session lacks what has just been written into it')
  return part
}
