import Type, { type Static } from 'typebox'
import { Closed, Id, Nullable, Timestamp, Unit } from '../core/schema.ts'

/** The nouns of a class session, as they travel over REST, in snapshots and to the store. */

export const sessionStatuses = ['created', 'active', 'paused', 'ending', 'ended'] as const
export const SessionStatus = Type.Enum([...sessionStatuses])
export type SessionStatus = typeof sessionStatuses[number]

export const groupStatuses = ['connected', 'ready', 'recording', 'active', 'paused', 'issue', 'waiting'] as const
export const GroupStatus = Type.Enum([...groupStatuses])
export type GroupStatus = typeof groupStatuses[number]

const Name = Type.String({ minLength: 1, maxLength: 100 })

export const Group = Type.Object({
  groupId: Id,
  name: Name,
  leaderId: Nullable(Id),
  memberIds: Type.Array(Id),
  status: GroupStatus,
  isReady: Type.Boolean(),
  issueReason: Nullable(Type.String())
})
export type Group = Static<typeof Group>

export const Participant = Type.Object({
  userId: Id,
  displayName: Name,
  role: Type.String(),
  groupId: Nullable(Id),
  joinedAt: Timestamp
})
export type Participant = Static<typeof Participant>

export const Session = Type.Object({
  sessionId: Id,
  code: Type.String({ description: 'what pupils type to join; dead once the session has ended' }),
  teacherId: Id,
  topic: Type.String(),
  goal: Nullable(Type.String()),
  subject: Nullable(Type.String()),
  status: SessionStatus,
  version: Type.Integer({ minimum: 1, description: 'goes up by one with each transition' }),
  groups: Type.Array(Group),
  participants: Type.Array(Participant),
  requireGroupsReady: Type.Boolean(),
  createdAt: Timestamp,
  startedAt: Nullable(Timestamp),
  pausedAt: Nullable(Timestamp),
  endedAt: Nullable(Timestamp),
  plannedDurationMinutes: Nullable(Type.Integer()),
  reason: Nullable(Type.String({ description: 'what the teacher last said with a transition; null to students' })),
  teacherNotes: Nullable(Type.String({ description: 'the teacher\'s own; null to students' }))
})
export type Session = Static<typeof Session>

/** What a teacher may say with a transition; what is not said stays as it was. */
export const MoveWords = Closed({
  reason: Type.Optional(Type.String({ maxLength: 200 })),
  teacherNotes: Type.Optional(Type.String({ maxLength: 1000 }))
})
export type MoveWords = Static<typeof MoveWords>

const MemberIds = Type.Array(Id, { maxItems: 100, uniqueItems: true })

/** A group as a teacher plans it. */
export const GroupPlan = Closed({
  groupId: Type.Optional(Id),
  name: Name,
  leaderId: Type.Optional(Nullable(Id)),
  memberIds: Type.Optional(MemberIds)
})
export type GroupPlan = Static<typeof GroupPlan>

export const SessionPlan = Closed({
  topic: Type.String({ minLength: 1, maxLength: 200 }),
  goal: Type.Optional(Type.String({ maxLength: 500 })),
  subject: Type.Optional(Type.String({ maxLength: 100 })),
  plannedDurationMinutes: Type.Optional(Type.Integer({ minimum: 1, maximum: 480 })),
  groups: Type.Optional(Type.Array(GroupPlan, { maxItems: 60 })),
  requireGroupsReady: Type.Optional(Type.Boolean())
})
export type SessionPlan = Static<typeof SessionPlan>

/** A piece of transcribed talk as it comes in. Without `id` it gets one; without times it was said just now. */
export const SliceInput = Closed({
  id: Type.Optional(Id),
  groupId: Id,
  text: Type.String({ minLength: 1, maxLength: 10_000 }),
  startedAt: Type.Optional(Timestamp),
  endedAt: Type.Optional(Timestamp),
  speaker: Type.Optional(Type.String({ minLength: 1, maxLength: 100 })),
  confidence: Type.Optional(Unit)
})
export type SliceInput = Static<typeof SliceInput>

/** A slice as it is kept. `seq` orders the slices of a session and is the cursor for paging. */
export const Slice = Type.Object({
  seq: Type.Integer({ minimum: 1 }),
  id: Id,
  groupId: Id,
  text: Type.String(),
  startedAt: Timestamp,
  endedAt: Timestamp,
  speaker: Type.Optional(Type.String()),
  confidence: Type.Optional(Unit)
})
export type Slice = Static<typeof Slice>
