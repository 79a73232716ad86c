import type { Group, GroupPlan, GroupStatus, MoveWords, Participant, Session, SessionStatus, Slice, SliceInput } from './schema.ts'
import type { Move } from './transitions.ts'

/**
 * What must be remembered about sessions. Each call is atomic against every other call on the same session, from
 * any process. A session lives `ttlSeconds` after the last accepted write; a call that is refused, or that finds
 * everything as it was, changes nothing and extends nothing. Times are taken from the backend's own clock.
 *
 * Each user sits in one group at most: a participant's `groupId` and the `memberIds` of the groups never disagree.
 * `startedAt` is the first start and stays. `pausedAt` is the pause that is going on, or that the end found.
 *
 * Identifiers are those of the `Id` schema; limits are at least 1. Both are checked by the caller.
 * Calls reject with `UNAVAILABLE` when the backend cannot be reached; then nothing happened, or it happened once.
 */
export interface SessionStore {
  /**
   * Stores a new session (status `created`, version 1) under its code; its groups are `waiting`. `code-taken` when a
   * live session has that code. Repeating the call returns the stored session.
   * @throws ClasswavesError INVALID_PAYLOAD when another session has this id, or two groups share one
   */
  create (session: NewSession): Promise<Session | 'code-taken'>

  get (sessionId: string): Promise<Session | null>

  /** The session that a code opens, unless it has ended. */
  byCode (code: string): Promise<Session | null>

  /**
   * Sessions of one teacher, or of all teachers, newest first. `cursor` is what the page before returned; a page that
   * looks for a rare status may come back short, and then still has a `nextCursor`.
   */
  list (filter: { teacherId?: string, status?: SessionStatus, limit: number, cursor?: string }): Promise<{ sessions: Session[], nextCursor: string | null }>

  /**
   * Compare-and-set of the status after `transitions.ts`. Of two racing moves one wins. Where `requireGroupsReady` is
   * set, the first start waits for every group; a start out of a pause does not.
   */
  transition (sessionId: string, move: Move, words?: MoveWords): Promise<TransitionResult>

  /**
   * Moves a session that has been `ending` for more than `overdueAfterMs` to `ended`: for whoever meets one whose
   * process did not finish it. Of several that try, one is told `ok` and announces; one that is not overdue is `invalid`.
   */
  finishOverdue (sessionId: string): Promise<TransitionResult>

  /**
   * Replaces the groups. A group that keeps its `groupId` keeps status and readiness; participants whose group went
   * away are left without one; a participant listed in `memberIds` (or as leader) of a group is moved to it. A user
   * whom several groups list belongs to the first.
   * @throws ClasswavesError INVALID_PAYLOAD when two groups share an id
   */
  setGroups (sessionId: string, groups: (GroupPlan & { groupId: string })[]): Promise<WriteResult>

  /** Changes what is said of one group. `changed` is false when everything was already so. */
  updateGroup (sessionId: string, groupId: string, change: GroupChange): Promise<GroupResult>

  /**
   * Enrols a user, or returns them as they are when they are enrolled already. `groupId: undefined` puts them into
   * the group that plans them, else into the first of those with the fewest `memberIds`. They become one of them.
   */
  enrol (sessionId: string, participant: { userId: string, displayName: string, role: string, groupId?: string }): Promise<EnrolResult>

  /**
   * Appends slices in order, all or, when one names an unknown group, none; one whose `id` is known is a duplicate and
   * changes nothing. Slices come in while the session is active, paused or ending. A missing time is the other one, else now.
   * Of the duplicates, `known` has those that came in less than `retellMs` ago, as they are stored.
   */
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
  | { ok: false, reason: 'not-found' | 'group-not-found' | 'ended' | 'full' }

export type AppendResult =
  | { ok: true, accepted: Slice[], known: Slice[], duplicates: number }
  | { ok: false, reason: 'not-found' }
  | { ok: false, reason: 'group-not-found', groupId: string }
  | { ok: false, reason: 'not-active', status: SessionStatus }

/** How long a session may be `ending` before any process may finish it. */
export const overdueAfterMs = 10_000

/** For so long a slice that comes again is told again (ms): whoever had it first may have died over it. It is known by its id, and comes once. */
export const retellMs = 120_000

/** Bounds that keep one class from filling the store. Past `participants` enrolling is refused; of the slices the oldest fall out. */
export const storeBounds = { participants: 500, slices: 20_000 } as const
