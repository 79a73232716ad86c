import { key } from '../core/key.ts'
import { script } from '../core/script.ts'
import type { SessionStatus } from './schema.ts'
import { fieldsOf, type Fields } from './store-redis-rows.ts'

/** Every key of the area. Those with `{sessionId}` share a slot in a cluster; the others are renewed in steps of their own. */
export const sessionKeys = {
  session: key('sessions:session:{sessionId}', { ttl: 'session TTL', purpose: 'the session: status, groups, participants, what the teacher noted (hash)', holds: 'words' }),
  slices: key('sessions:slices:{sessionId}', { ttl: 'session TTL', purpose: 'transcript slices by id (hash)', holds: 'words' }),
  sliceIndex: key('sessions:slice-index:{sessionId}', { ttl: 'session TTL', purpose: 'order of the slices, of the session and of each group (sorted set)' }),
  code: key('sessions:code:{code}', { ttl: 'session TTL + 1 s; deleted when the session ends', purpose: 'the session that a join code opens (string)' }),
  teacher: key('sessions:teacher:{teacherId}', { ttl: 'session TTL + 1 s, of the newest write', purpose: 'sessions of a teacher by creation (sorted set)' }),
  all: key('sessions:all', { ttl: 'session TTL + 1 s, of the newest write', purpose: 'all sessions by creation (sorted set)' })
} as const

/** What a write returns besides its outcome; `card` is there when the keys of other slots want renewal. */
interface Written { card: string, fields: Fields }

type Refused<R extends string> = { verdict: R }

const own = ['session', 'slices', 'sliceIndex'] as const

const create = script('sessions_create', ['session'], ['card', 'needsReady', 'plan', 'ttlMs'],
  (reply): Refused<'in-use'> | { verdict: 'made' | 'repeated', fields: Fields } => {
    const [verdict, fields] = reply as ['made' | 'repeated', unknown] | ['in-use']
    return verdict === 'in-use' ? { verdict } : { verdict, fields: fieldsOf(fields) }
  }, { once: true })

type Moved =
  | Refused<'not-found'>
  | { verdict: 'ok', from: SessionStatus, version: number } & Written
  | { verdict: 'invalid', from: SessionStatus, fields: Fields }
  | { verdict: 'groups-not-ready', fields: Fields }

const transition = script('sessions_transition', own, ['from', 'to', 'minAgeMs', 'reason', 'notes', 'op', 'ttlMs'], (reply): Moved => {
  const [verdict, ...rest] = reply as [Moved['verdict'], ...unknown[]]
  if (verdict === 'not-found') return { verdict }
  const fields = fieldsOf(rest.at(-1))
  if (verdict === 'groups-not-ready') return { verdict, fields }
  const from = rest[0] as SessionStatus
  if (verdict === 'invalid') return { verdict, from, fields }
  return { verdict, from, version: Number(rest[1]), card: rest[2] as string, fields }
})

const setGroups = script('sessions_groups', own, ['plan', 'ttlMs'],
  (reply): Refused<'not-found' | 'ended'> | { verdict: 'ok', before: Fields } & Written => {
    const [verdict, card, before, after] = reply as ['ok', string, unknown, unknown] | ['not-found' | 'ended']
    return verdict === 'ok' ? { verdict, card, before: fieldsOf(before), fields: fieldsOf(after) } : { verdict }
  }, { once: true })

const updateGroup = script('sessions_group', own, ['groupId', 'status', 'isReady', 'issueReason', 'op', 'ttlMs'],
  (reply): Refused<'not-found' | 'ended' | 'group-not-found'> | { verdict: 'ok', changed: boolean } & Written => {
    const [verdict, changed, card, fields] = reply as ['ok', number, string, unknown] | ['not-found' | 'ended' | 'group-not-found']
    return verdict === 'ok' ? { verdict, changed: changed === 1, card, fields: fieldsOf(fields) } : { verdict }
  })

const enrol = script('sessions_enrol', own, ['userId', 'groupId', 'person', 'bound', 'op', 'ttlMs'],
  (reply): Refused<'not-found' | 'ended' | 'group-not-found' | 'full'> | { verdict: 'ok', created: boolean } & Written => {
    const [verdict, created, card, fields] = reply as ['ok', number, string, unknown] | ['not-found' | 'ended' | 'group-not-found' | 'full']
    return verdict === 'ok' ? { verdict, created: created === 1, card, fields: fieldsOf(fields) } : { verdict }
  })

type Appended =
  | Refused<'not-found'>
  | { verdict: 'not-active', status: SessionStatus }
  | { verdict: 'group-not-found', groupId: string }
  /** For each slice its seq and the time it came, or null for one that was known; and the rows of those that came in lately. */
  | { verdict: 'ok', card: string, stamps: ({ seq: number, now: number } | null)[], known: string[] }

const append = script('sessions_append', own, ['batch', 'bound', 'op', 'retellMs', 'ttlMs'], (reply): Appended => {
  const [verdict, detail, stamps, known] = reply as [Appended['verdict'], string, string[], string[]]
  if (verdict === 'not-found') return { verdict }
  if (verdict === 'not-active') return { verdict, status: detail as SessionStatus }
  if (verdict === 'group-not-found') return { verdict, groupId: detail }
  return { verdict, card: detail, stamps: stamps.map(stampOf), known }
})

function stampOf (stamp: string): { seq: number, now: number } | null {
  if (stamp === '') return null
  const [seq, now] = stamp.split(' ').map(Number) as [number, number]
  return { seq, now }
}

const slices = script('sessions_slices', ['slices', 'sliceIndex'], ['groupId', 'after', 'limit'], reply => {
  const [more, rows] = reply as [number, string[]]
  return { more: more === 1, rows }
})

const claimCode = script('sessions_code_claim', ['code'], ['sessionId', 'gone', 'ttlMs'], reply => reply as string)

const releaseCode = script('sessions_code_release', ['code'], ['sessionId'], reply => reply === 1)

export const scripts = { create, transition, setGroups, updateGroup, enrol, append, slices, claimCode, releaseCode }

export const sessionScripts = Object.values(scripts)
