import type { Group, GroupPlan, GroupStatus, Participant, Session, SessionStatus, Slice, SliceInput } from './schema.ts'
import type { Move } from './transitions.ts'

/**
 * What must be remembered about sessions. Each call is atomic against every other call on the same session, from
 * any process. A session lives `ttlSeconds` after the last accepted write; a refused write changes nothing and
 * extends nothing. Times are taken from the backend's own clock.
 *
 * Calls reject with `UNAVAILABLE` when the backend cannot be reached; then nothing happened, or it happened once.
 */
export interface SessionStore {
  /** Stores a new session (status `created`, version 1) under its code. `code-taken` when a live session has that code. */
  create (session: NewSession): Promise<Session | 'code-taken'>

  get (sessionId: string): Promise<Session | null>

  /** The session that a code opens, unless it has ended. */
  byCode (code: string): Promise<Session | null>

  /** Sessions of one teacher, or of all teachers, newest first. `cursor` is what the page before returned. */
  list (filter: { teacherId?: string, status?: SessionStatus, limit: number, cursor?: string }): Promise<{ sessions: Session[], nextCursor: string | null }>

  /** Compare-and-set of the status after `transitions.ts`. Of two racing moves one wins. */
  transition (sessionId: string, move: Move): Promise<TransitionResult>

  /**
   * Replaces the groups. A group that keeps its `groupId` keeps status and readiness; participants whose group went
   * away are left without one; a participant listed in `memberIds` (or as leader) of a group is moved to it.
   */
  setGroups (sessionId: string, groups: (GroupPlan & { groupId: string })[]): Promise<WriteResult>

  /** Changes what is said of one group. `changed` is false when everything was already so. */
  updateGroup (sessionId: string, groupId: string, change: GroupChange): Promise<GroupResult>

  /**
   * Enrols a user, or returns them as they are when they are enrolled already. `groupId: undefined` puts them into
   * the group that plans them, else into the smallest one. They become one of its `memberIds`.
   */
  enrol (sessionId: string, participant: { userId: string, displayName: string, role: string, groupId?: string }): Promise<EnrolResult>

  /** Appends slices in order; one whose `id` is known is a duplicate and changes nothing. Slices come in while the session is active, paused or ending. */
  append (sessionId: string, slices: (SliceInput & { id: string })[]): Promise<AppendResult>

  /** Slices in `seq` order, after `after`, at most `limit`. */
  slices (sessionId: string, page: { groupId?: string, after?: number, limit: number }): Promise<{ slices: Slice[], nextAfter: number | null }>
}

/** What `create` needs; ids and code are made by the caller, times by the backend. */
export interface NewSession {
  sessionId: string
  code: string
  teacherId: string
  topic: string
  goal: string | null
  subject: string | null
  plannedDurationMinutes: number | null
  requireGroupsReady: boolean
  groups: (GroupPlan & { groupId: string })[]
}

export interface GroupChange { status?: GroupStatus, isReady?: boolean, issueReason?: string | null }

/** `endingSince` (ms) is set while the session is `ending`, so that whoever touches a stale one may finish it. */
export type TransitionResult =
  | { ok: true, session: Session, from: SessionStatus }
  | { ok: false, reason: 'not-found' }
  | { ok: false, reason: 'invalid', from: SessionStatus, to: SessionStatus, session: Session }
  | { ok: false, reason: 'groups-not-ready', session: Session }

export type WriteResult = { ok: true, session: Session, before: Session } | { ok: false, reason: 'not-found' | 'ended' }

export type GroupResult =
  | { ok: true, changed: boolean, group: Group }
  | { ok: false, reason: 'not-found' | 'group-not-found' | 'ended' }

export type EnrolResult =
  | { ok: true, created: boolean, participant: Participant, session: Session }
  | { ok: false, reason: 'not-found' | 'group-not-found' | 'ended' }

export type AppendResult =
  | { ok: true, accepted: Slice[], duplicates: number }
  | { ok: false, reason: 'not-found' }
  | { ok: false, reason: 'group-not-found', groupId: string }
  | { ok: false, reason: 'not-active', status: SessionStatus }

/** The room that a session has in memory: bounds that keep one class from filling the store. */
export const storeBounds = { participants: 500, slices: 20_000 } as const
