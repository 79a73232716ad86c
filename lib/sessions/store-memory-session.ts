import type { Group, GroupPlan, Participant, Session, Slice, SliceInput } from './schema.ts'
import { cardOf, seating, stampSlice } from './store-rules.ts'
import { retellMs, storeBounds, type NewSession } from './store.ts'

type Kept = Omit<Session, 'groups' | 'participants' | 'createdAt' | 'startedAt' | 'pausedAt' | 'endedAt'> & {
  createdAt: number
  startedAt: number | null
  pausedAt: number | null
  endingAt: number | null
  endedAt: number | null
}

/** One session in memory. Where users sit is kept once, apart from groups and participants, so that they cannot disagree. */
export interface MemorySession {
  kept: Kept
  /** In the order of the plan. */
  groups: Map<string, Omit<Group, 'memberIds'>>
  /** User to group, in the order in which they sat down. */
  seats: Map<string, string>
  /** In the order in which they joined. */
  participants: Map<string, Omit<Participant, 'groupId'>>
  slices: Slice[]
  /** By the id of a slice that is there: it, and when it came in (ms). */
  sliceIds: Map<string, { slice: Slice, cameAt: number }>
  lastSeq: number
  expiresAt: number
}

export function newSession (plan: NewSession, now: number): MemorySession {
  const session: MemorySession = {
    kept: { ...cardOf(plan), status: 'created', version: 1, reason: null, teacherNotes: null, createdAt: now, startedAt: null, pausedAt: null, endingAt: null, endedAt: null },
    groups: new Map(),
    seats: new Map(),
    participants: new Map(),
    slices: [],
    sliceIds: new Map(),
    lastSeq: 0,
    expiresAt: 0
  }
  regroup(session, plan.groups)
  return session
}

/** A copy that its reader may change. */
export function sessionOf ({ kept, groups, seats, participants }: MemorySession): Session {
  const { endingAt, ...rest } = kept
  return {
    ...rest,
    groups: [...groups.keys()].map(groupId => groupOf({ groups, seats }, groupId)),
    participants: [...participants.values()].map(one => ({ ...one, groupId: seats.get(one.userId) ?? null })),
    createdAt: iso(kept.createdAt),
    startedAt: isoOrNull(kept.startedAt),
    pausedAt: isoOrNull(kept.pausedAt),
    endedAt: isoOrNull(kept.endedAt)
  }
}

export function groupOf ({ groups, seats }: Pick<MemorySession, 'groups' | 'seats'>, groupId: string): Group {
  const group = groups.get(groupId)
  if (group === undefined) throw new TypeError(`there is no group ${groupId}`)
  const memberIds = [...seats].filter(([, at]) => at === groupId).map(([userId]) => userId)
  const { name, leaderId, ...said } = group
  return { groupId, name, leaderId, memberIds, status: said.status, isReady: said.isReady, issueReason: said.issueReason }
}

export function regroup (session: MemorySession, plan: readonly (GroupPlan & { groupId: string })[]): void {
  const seats = seating(plan).filter(seat => seat.as === 'member' || session.participants.has(seat.userId))
  const known = session.groups
  session.groups = new Map(plan.map(({ groupId, name, leaderId = null }) => [groupId, {
    ...known.get(groupId) ?? { status: 'waiting', isReady: false, issueReason: null },
    groupId,
    name,
    leaderId
  }]))
  for (const [userId, groupId] of session.seats) {
    if (!session.participants.has(userId) || !session.groups.has(groupId)) session.seats.delete(userId)
  }
  for (const { userId, groupId } of seats) sit(session, userId, groupId)
}

/** Who moves sits down last. */
export function sit (session: MemorySession, userId: string, groupId: string): void {
  session.seats.delete(userId)
  session.seats.set(userId, groupId)
}

/** The group that plans a user, else the first of the smallest ones, else none. */
export function groupFor ({ groups, seats }: MemorySession, userId: string): string | null {
  const planned = seats.get(userId) ?? [...groups.values()].find(group => group.leaderId === userId)?.groupId
  if (planned !== undefined) return planned
  const sizes = new Map([...groups.keys()].map(groupId => [groupId, 0]))
  for (const groupId of seats.values()) sizes.set(groupId, (sizes.get(groupId) ?? 0) + 1)
  // The sort is stable, so that the first of equals comes first.
  return [...sizes].sort(([, a], [, b]) => a - b)[0]?.[0] ?? null
}

export function addSlices (session: MemorySession, slices: readonly (SliceInput & { id: string })[], now: number): { accepted: Slice[], known: Slice[] } {
  const accepted: Slice[] = []
  const known: Slice[] = []
  const seen = new Set<string>()
  for (const slice of slices) {
    if (seen.has(slice.id)) continue
    seen.add(slice.id)
    const held = session.sliceIds.get(slice.id)
    if (held) {
      if (now - held.cameAt < retellMs) known.push({ ...held.slice })
      continue
    }
    const stamped = stampSlice(slice, ++session.lastSeq, now)
    session.sliceIds.set(slice.id, { slice: stamped, cameAt: now })
    session.slices.push(stamped)
    accepted.push({ ...stamped })
  }
  const over = Math.max(0, session.slices.length - storeBounds.slices)
  for (const { id } of session.slices.splice(0, over)) session.sliceIds.delete(id)
  return { accepted, known }
}

/** The slices that follow `after`; they have no holes, so their place is known. */
export function pageOfSlices (
  { slices }: MemorySession,
  { groupId, after = 0, limit }: { groupId?: string, after?: number, limit: number }
): { slices: Slice[], nextAfter: number | null } {
  const found: Slice[] = []
  const first = Math.max(0, after + 1 - (slices[0]?.seq ?? 1))
  for (let at = first; at < slices.length && found.length <= limit; at++) {
    const slice = slices[at] as Slice
    if (groupId === undefined || slice.groupId === groupId) found.push({ ...slice })
  }
  const page = found.slice(0, limit)
  return { slices: page, nextAfter: found.length > limit ? page.at(-1)?.seq ?? null : null }
}

function iso (ms: number): string { return new Date(ms).toISOString() }

function isoOrNull (ms: number | null): string | null { return ms === null ? null : iso(ms) }
