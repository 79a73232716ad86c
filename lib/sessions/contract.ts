import Type, { type Static } from 'typebox'
import { teachers, type Role } from '../core/access.ts'
import { confirms, contract, Payload, receives, sends } from '../core/contract.ts'
import { errorCodes } from '../core/errors.ts'
import { Positions, recoveryProperties } from '../core/recovery.ts'
import { room } from '../core/room.ts'
import { Bytes, Closed, Id, Timestamp, Unit } from '../core/schema.ts'
import { Group, GroupStatus, Participant, Session, SessionStatus } from './schema.ts'

/** `/sessions`: the life of a session, its groups, their talk, and audio in. */

export const rooms = {
  /** Every member: status, joins, presence. */
  session: room('session:{sessionId}'),
  /** The members of one group and the teacher: group status, transcripts. */
  group: room('session:{sessionId}:group:{groupId}'),
  /** The owner and admins: results. */
  teacher: room('session:{sessionId}:teacher'),
  /** The results of all sessions of one teacher. */
  results: room('sessions:results:{teacherId}'),
  /** All sockets of one user in one session, so that a change of group reaches them; nothing is sent to it. */
  user: room('session:{sessionId}:user:{userId}')
} as const

const admitted = [...teachers, 'student'] as const satisfies readonly Role[]
const Of = Closed({ sessionId: Id })
const OfSince = Closed({ sessionId: Id, since: Type.Optional(Positions) })
const OfGroup = Closed({ sessionId: Id, groupId: Id })
const OfGroupSince = Closed({ sessionId: Id, groupId: Id, since: Type.Optional(Positions) })

export const Backend = Type.Enum(['memory', 'redis'])

/** The session as its reader may see it, and where its rooms stand. */
export const Snapshot = Type.Object({
  ...Session.properties,
  groups: Type.Array(Group),
  participants: Type.Array(Participant),
  positions: Positions
})
const Subscribed = Type.Object({ snapshot: Snapshot, backend: Backend, ...recoveryProperties })

const subscribe = (summary: string, who: readonly Role[] = admitted) => receives({ summary, payload: OfSince, ack: Subscribed, who })
const unsubscribe = receives({ summary: 'Leaves all rooms of the session.', payload: Of, who: admitted })

/** What Node and browsers record, with an optional codec. */
const MimeType = Type.String({ maxLength: 100, pattern: '^audio/(webm|ogg|wav|x-wav|mp4|mpeg|mp3|aac|flac|pcm|L16)(\\s*;.*)?$' })
const audio = { who: admitted, failure: 'audio:error' } as const

const AttentionSummary = Type.Object({
  groupId: Id,
  slices: Type.Integer({ minimum: 0 }),
  meanAttention: Type.Union([Type.Number(), Type.Null()]),
  maxAttention: Type.Union([Type.Number(), Type.Null()]),
  prompts: Type.Integer({ minimum: 0 })
})
export const Summary = Type.Object({ groups: Type.Array(AttentionSummary) })
export type Summary = Static<typeof Summary>

export const sessions = contract({
  namespace: '/sessions',
  summary: 'The life of a class session, its groups, their talk, and audio in.',
  admits: admitted,
  receives: {
    'session:guidance:subscribe': subscribe('Joins the rooms of the session that the sender may hear.'),
    'session:guidance:unsubscribe': unsubscribe,
    'session:join': subscribe('The same as session:guidance:subscribe, under its other name.'),
    'session:leave': unsubscribe,
    'student:session:join': subscribe('A student joins the session and their own group.', ['student']),
    'group:join': receives({ summary: 'Joins the room of one group.', payload: OfGroupSince, ack: Type.Object({ group: Group, backend: Backend, ...recoveryProperties }), who: admitted }),
    'group:leave': receives({ summary: 'Leaves the room of one group.', payload: OfGroup, who: admitted }),
    'group:status_update': receives({
      summary: 'Says how a group is doing.',
      payload: Closed({
        sessionId: Id,
        groupId: Id,
        status: GroupStatus,
        isReady: Type.Optional(Type.Boolean()),
        issueReason: Type.Optional(Type.String({ maxLength: 200 }))
      }),
      ack: Type.Object({ group: Group, changed: Type.Boolean() }),
      who: admitted,
      limit: { perSecond: 2, burst: 20 }
    }),
    'group:leader_ready': receives({
      summary: 'The leader says whether the group is ready; saying the same twice announces once.',
      payload: Closed({ sessionId: Id, groupId: Id, ready: Type.Boolean() }),
      ack: Type.Object({ group: Group, changed: Type.Boolean() }),
      who: admitted
    }),
    'analytics:subscribe': receives({
      summary: 'Old name for the results of sessions; only analytics:finalized and analytics:failed remain here.',
      payload: Closed({
        sessionId: Type.Optional(Id),
        metrics: Type.Optional(Type.Array(Type.String({ maxLength: 50 }), { maxItems: 10 })),
        since: Type.Optional(Positions)
      }),
      ack: Type.Object({ deprecated: Type.Literal(true), events: Type.Array(Type.String()), backend: Backend, ...recoveryProperties }),
      who: teachers,
      deprecated: true
    }),
    'audio:stream:start': receives({
      summary: 'A member of a group starts to send audio.',
      payload: Closed({ sessionId: Id, groupId: Id, mimeType: Type.Optional(MimeType) }),
      ...audio
    }),
    'audio:chunk': receives({
      summary: 'A piece of audio, handed to the transcriber of the host.',
      payload: Closed({
        sessionId: Id,
        groupId: Id,
        data: Bytes,
        mimeType: MimeType,
        chunkId: Type.Optional(Id),
        startedAt: Type.Optional(Timestamp),
        endedAt: Type.Optional(Timestamp)
      }),
      ...audio
    }),
    'audio:stream:end': receives({ summary: 'The member stops to send audio.', payload: OfGroup, ...audio }),
    'audio:stream:ack': receives({ summary: 'The client has seen its stream start; counted only.', payload: OfGroup, ...audio })
  },
  refuses: { 'session:update_status': 'UNSUPPORTED_OPERATION' },
  sends: {
    'session:status_changed': sends({
      summary: 'The session went to another status; once for each transition, in version order.',
      payload: Payload({ sessionId: Id, status: SessionStatus, version: Type.Integer(), timestamp: Timestamp }),
      rooms: [rooms.session],
      kept: true
    }),
    'group:status_changed': sends({
      summary: 'The status or readiness of a group changed.',
      payload: Payload({ sessionId: Id, groupId: Id, status: GroupStatus, isReady: Type.Boolean(), issueReason: Type.Optional(Type.String()) }),
      rooms: [rooms.group],
      kept: true
    }),
    'student:session:joined': sends({
      summary: 'A student joined the session.',
      payload: Payload({ sessionId: Id, studentId: Id }),
      rooms: [rooms.session],
      kept: true
    }),
    'group:joined': sends({
      summary: 'A student joined a group.',
      payload: Payload({ sessionId: Id, groupId: Id, studentId: Id }),
      rooms: [rooms.session],
      kept: true
    }),
    'transcription:group:new': sends({
      summary: 'A piece of talk of one group.',
      payload: Payload({
        sessionId: Id,
        groupId: Id,
        id: Id,
        text: Type.String(),
        timestamp: Timestamp,
        speaker: Type.Optional(Type.String()),
        confidence: Type.Optional(Unit)
      }),
      rooms: [rooms.group],
      kept: true
    }),
    'analytics:finalized': sends({
      summary: 'The results of an ended session.',
      payload: Payload({ sessionId: Id, analyticsId: Id, durationMs: Type.Integer({ minimum: 0 }), summary: Summary }),
      rooms: [rooms.teacher, rooms.results],
      kept: true
    }),
    'analytics:failed': sends({
      summary: 'The results of an ended session could not be made.',
      payload: Payload({ sessionId: Id, errorCode: Type.Enum(errorCodes), message: Type.String() }),
      rooms: [rooms.teacher, rooms.results],
      kept: true
    }),
    'audio:error': confirms('Audio of this socket was refused.', Payload({
      sessionId: Type.String(), groupId: Type.String(), code: Type.Enum(errorCodes), message: Type.Optional(Type.String())
    })),
    'presence:updated': sends({
      summary: 'A user came with their first socket, or left with their last.',
      payload: Payload({ sessionId: Id, userId: Id, status: Type.Enum(['connected', 'disconnected']) }),
      rooms: [rooms.session],
      kept: false,
      newest: ({ sessionId, userId }) => `${sessionId} ${userId}`
    })
  }
})
