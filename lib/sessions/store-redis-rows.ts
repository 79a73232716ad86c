import type { Group, GroupPlan, GroupStatus, MoveWords, Participant, Session, SessionStatus, Slice, SliceInput } from './schema.ts'
import { seating, stampSlice, type Card } from './store-rules.ts'

/**
 * How a session lies in its hash, one field for each thing that changes alone, so that scripts stay small:
 *
 * - `card`: JSON of what never changes. `status`, `version`, `createdAt`, `startedAt`, `pausedAt`, `endingAt`,
 *   `endedAt` (ms), `needsReady` (1 or 0), `order` (group ids with spaces between), `reason`, `notes` as JSON
 * - `g:<groupId>` name as JSON, `l:` leader, `s:` status, `r:` 1 when ready, `i:` issue reason as JSON
 * - `u:<userId>` `<place> <groupId>`: sits in that group; `p:<userId>` `<place> <ms> <op> <JSON>`: takes part
 * - `places`, `people`, `seq`: counters; `renewed`: when the keys of other slots were last renewed (ms);
 *   `moves`, `o:<groupId>`: which calls were answered, for a client that repeats one
 *
 * What people wrote is JSON that no script decodes: Lua would mix up empty lists and objects and refuse half a
 * surrogate pair.
 */
export type Fields = ReadonlyMap<string, string>

export function readCard (card: string): Card { return JSON.parse(card) as Card }

export function planOf (groups: readonly (GroupPlan & { groupId: string })[]): string {
  return JSON.stringify({
    groups: groups.map(({ groupId, name, leaderId }) => [groupId, JSON.stringify(name), leaderId ?? '']),
    seats: seating(groups).map(({ userId, groupId, as }) => [userId, groupId, as])
  })
}

/** A hash as a script returns it: names and values in turn. */
export function fieldsOf (flat: unknown): Fields {
  const list = flat as string[]
  const fields = new Map<string, string>()
  for (let i = 0; i < list.length; i += 2) fields.set(list[i] as string, list[i + 1] as string)
  return fields
}

export function sessionOf (fields: Fields): Session {
  const seats = new Map<string, string>()
  const members = new Map<string, string[]>()
  for (const { id, rest: groupId } of placed(fields, 'u:')) {
    seats.set(id, groupId)
    members.set(groupId, [...members.get(groupId) ?? [], id])
  }
  const order = must(fields, 'order')
  return {
    ...readCard(must(fields, 'card')),
    status: must(fields, 'status') as SessionStatus,
    version: Number(must(fields, 'version')),
    groups: order === '' ? [] : order.split(' ').map(groupId => groupOf(fields, groupId, members.get(groupId) ?? [])),
    participants: placed(fields, 'p:').map(({ id, rest }) => participantOf(id, rest, seats.get(id) ?? null)),
    createdAt: iso(must(fields, 'createdAt')),
    startedAt: isoOrNull(fields.get('startedAt')),
    pausedAt: isoOrNull(fields.get('pausedAt')),
    endedAt: isoOrNull(fields.get('endedAt')),
    reason: JSON.parse(fields.get('reason') ?? 'null') as string | null,
    teacherNotes: JSON.parse(fields.get('notes') ?? 'null') as string | null
  }
}

function groupOf (fields: Fields, groupId: string, memberIds: string[]): Group {
  return {
    groupId,
    name: JSON.parse(must(fields, `g:${groupId}`)) as string,
    leaderId: fields.get(`l:${groupId}`) ?? null,
    memberIds,
    status: must(fields, `s:${groupId}`) as GroupStatus,
    isReady: must(fields, `r:${groupId}`) === '1',
    issueReason: JSON.parse(fields.get(`i:${groupId}`) ?? 'null') as string | null
  }
}

function participantOf (userId: string, row: string, groupId: string | null): Participant {
  const [joinedAt, , person] = words(row, 3) as [string, string, string]
  const { displayName, role } = JSON.parse(person) as { displayName: string, role: string }
  return { userId, displayName, role, groupId, joinedAt: iso(joinedAt) }
}

/** The fields with a prefix whose values open with a place, in the order of the places. */
function placed (fields: Fields, prefix: string): { id: string, rest: string }[] {
  const found: { place: number, id: string, rest: string }[] = []
  for (const [name, value] of fields) {
    if (!name.startsWith(prefix)) continue
    const [place, rest] = words(value, 2) as [string, string]
    found.push({ place: Number(place), id: name.slice(prefix.length), rest })
  }
  return found.sort((a, b) => a.place - b.place)
}

/** What a teacher says with a transition; empty for what is not said. */
export function wordsOf ({ reason, teacherNotes }: MoveWords): { reason: string, notes: string } {
  return { reason: reason === undefined ? '' : JSON.stringify(reason), notes: teacherNotes === undefined ? '' : JSON.stringify(teacherNotes) }
}

/** A slice on its way in: `[groupId, id, JSON]`. */
export function sliceRow ({ id, groupId, text, startedAt, endedAt, speaker, confidence }: SliceInput & { id: string }): [string, string, string] {
  return [groupId, id, JSON.stringify({ id, groupId, text, startedAt, endedAt, speaker, confidence })]
}

/** A slice as it is kept, from `seq now op groupId JSON`. */
export function sliceOf (row: string): Slice {
  const [seq, now, , , slice] = words(row, 5) as [string, string, string, string, string]
  return stampSlice(JSON.parse(slice) as SliceInput & { id: string }, Number(seq), Number(now))
}

/** Splits at the first spaces; the last piece keeps its own. */
function words (text: string, count: number): string[] {
  const pieces: string[] = []
  let at = 0
  while (pieces.length < count - 1) {
    const end = text.indexOf(' ', at)
    pieces.push(text.slice(at, end))
    at = end + 1
  }
  return [...pieces, text.slice(at)]
}

function must (fields: Fields, name: string): string {
  const value = fields.get(name)
  if (value === undefined) throw new TypeError(`the stored session has no ${name}`)
  return value
}

function iso (ms: string): string { return new Date(Number(ms)).toISOString() }

function isoOrNull (ms: string | undefined): string | null { return ms === undefined ? null : iso(ms) }
