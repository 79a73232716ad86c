import { ClasswavesError } from '../core/errors.ts'
import type { GroupPlan, Session, Slice, SliceInput } from './schema.ts'

/** What both backends decide alike. */

/** A user whom a plan names. A leader who is not listed as a member sits down only when they enrol. */
export interface Seat { userId: string, groupId: string, as: 'member' | 'leader' }

/**
 * Who sits where after a plan, in the order of naming: the first group that names a user has them.
 * @throws ClasswavesError INVALID_PAYLOAD when two groups share an id
 */
export function seating (groups: readonly (GroupPlan & { groupId: string })[]): Seat[] {
  const seats = new Map<string, Seat>()
  const groupIds = new Set<string>()
  for (const { groupId, leaderId, memberIds = [] } of groups) {
    if (groupIds.has(groupId)) throw new ClasswavesError('INVALID_PAYLOAD', `two groups have the id ${groupId}`)
    groupIds.add(groupId)
    for (const userId of memberIds) {
      if (!seats.has(userId)) seats.set(userId, { userId, groupId, as: 'member' })
    }
    if (leaderId && !seats.has(leaderId)) seats.set(leaderId, { userId: leaderId, groupId, as: 'leader' })
  }
  return [...seats.values()]
}

/** What the store adds to a slice: its place, and the times that were left out. */
export function stampSlice (slice: SliceInput & { id: string }, seq: number, now: number): Slice {
  const { id, groupId, text, startedAt, endedAt, speaker, confidence } = slice
  const known = endedAt ?? startedAt ?? new Date(now).toISOString()
  return {
    seq,
    id,
    groupId,
    text,
    startedAt: startedAt ?? known,
    endedAt: known,
    ...(speaker !== undefined && { speaker }),
    ...(confidence !== undefined && { confidence })
  }
}

/** What never changes of a session. */
export type Card = Pick<Session, 'sessionId' | 'code' | 'teacherId' | 'topic' | 'goal' | 'subject' | 'plannedDurationMinutes' | 'requireGroupsReady'>

export function cardOf ({ sessionId, code, teacherId, topic, goal, subject, plannedDurationMinutes, requireGroupsReady }: Card): Card {
  return { sessionId, code, teacherId, topic, goal, subject, plannedDurationMinutes, requireGroupsReady }
}

/** A session's place in a list, older ones sorting first: the entry of an index and the cursor of a page alike. */
export function placeInList ({ sessionId, createdAt }: { sessionId: string, createdAt: string }): string {
  return `${String(Date.parse(createdAt)).padStart(15, '0')}:${sessionId}`
}

/** The error for a `create` whose id belongs to another session. */
export function idInUse (): ClasswavesError {
  return new ClasswavesError('INVALID_PAYLOAD', 'another session has this sessionId')
}
