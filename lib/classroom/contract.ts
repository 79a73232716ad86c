import Type, { type TSchema } from 'typebox'
import { roles, teachers, type Role } from '../core/access.ts'
import { confirms, contract, Payload, receives, sends } from '../core/contract.ts'
import { Positions, recoveryProperties } from '../core/recovery.ts'
import { room } from '../core/room.ts'
import { Bytes, Closed, Id, Timestamp } from '../core/schema.ts'
import { Attachment, ChatMessage, ChatMode, HistoryPage, MimeType, Person, PresenceStatus, ReactionSign } from './schema.ts'

/** `/`: those who joined by code see each other and talk. The first four events and answers are seed 001's. */

export const rooms = {
  /** Everybody who joined. */
  session: room('classroom:{sessionId}'),
  /** Teachers: messages that wait for approval. */
  teacher: room('classroom:{sessionId}:teacher'),
  /** All sockets of one user in one class: what is said to them alone. */
  user: room('classroom:{sessionId}:user:{readerId}')
} as const

const members = [...teachers, 'student'] as const satisfies readonly Role[]
const SessionCode = Type.String({ minLength: 1, maxLength: 20, description: 'the join code' })
const sessionCode = { sessionCode: SessionCode }
/** The length is the packet's limit, which is looked at before. */
const Text = Type.String({ maxLength: 1024 * 1024 })
const inClass = <P extends Record<string, TSchema>>(properties: P) => Closed({ ...sessionCode, ...properties })

const Joined = {
  ...sessionCode,
  sessionId: Id,
  participants: Type.Array(Person, { description: 'everybody who is present, each once, the sender included' }),
  count: Type.Integer({ minimum: 0, description: 'how many are present' }),
  mode: ChatMode,
  backend: Type.Enum(['memory', 'redis']),
  ...recoveryProperties
}
const Page = { before: Type.Optional(Type.Integer({ minimum: 1 })), after: Type.Optional(Type.Integer({ minimum: 0 })), limit: Type.Optional(Type.Integer({ minimum: 1, maximum: 200 })) }
const Said = { ...sessionCode, ...ChatMessage.properties }
const Place = { ...sessionCode, messageId: Id }
/** Whose is whose to a slow reader: only the newest of each user goes. */
const ofUser = ({ sessionCode, userId }: { sessionCode: string, userId: string }): string => `${sessionCode} ${userId}`

export const classroom = contract({
  namespace: '/',
  summary: 'The classroom: who is present, and what is said. It admits every role with a valid token; to join takes a code.',
  admits: roles,
  receives: {
    joinSession: receives({
      summary: 'Joins a class by its code; a student who is in none is enrolled. Answered by sessionJoined, too.',
      payload: Type.Union([SessionCode, inClass({ since: Type.Optional(Positions) })]),
      ack: Type.Object(Joined),
      who: members
    }),
    leaveSession: receives({ summary: 'Leaves the class.', payload: Type.Union([SessionCode, inClass({})]), who: members }),
    sendMessage: receives({
      summary: 'Says something to the class. The same id twice is said once.',
      payload: inClass({
        message: Text,
        id: Type.Optional(Id),
        attachment: Type.Optional(Closed({ name: Type.String({ minLength: 1, maxLength: 200 }), mimeType: MimeType, data: Bytes }))
      }),
      ack: Type.Object({ messageId: Id, seq: Type.Integer(), held: Type.Boolean({ description: 'it waits for the teacher' }) }),
      who: members,
      limit: { perSecond: 5, burst: 20 }
    }),
    updatePresence: receives({
      summary: 'Says how present the sender is; of several tabs the most present counts.',
      payload: inClass({ status: PresenceStatus }),
      who: members,
      limit: { perSecond: 2, burst: 20 }
    }),
    sendDirectMessage: receives({
      summary: 'Says something to one person; it is logged for the teacher.',
      payload: inClass({ to: Id, message: Text, id: Type.Optional(Id) }),
      ack: Type.Object({ messageId: Id, seq: Type.Integer() }),
      who: members,
      limit: { perSecond: 5, burst: 20 }
    }),
    editMessage: receives({ summary: 'Changes an own message.', payload: inClass({ messageId: Id, message: Text }), who: members, limit: { perSecond: 2, burst: 20 } }),
    deleteMessage: receives({ summary: 'Deletes an own message, or as a teacher any; its place stays.', payload: inClass({ messageId: Id }), who: members, limit: { perSecond: 5, burst: 20 } }),
    react: receives({
      summary: 'Gives a sign to a message, or takes it back.',
      payload: inClass({ messageId: Id, sign: ReactionSign, on: Type.Optional(Type.Boolean()) }),
      who: members,
      limit: { perSecond: 5, burst: 20 }
    }),
    setTyping: receives({ summary: 'The sender types; it ends by itself unless said again.', payload: inClass({ typing: Type.Boolean() }), who: members, limit: { perSecond: 2, burst: 20 } }),
    markRead: receives({
      summary: 'The sender has read up to a place. Told to nobody when private.',
      payload: inClass({ seq: Type.Integer({ minimum: 1 }), private: Type.Optional(Type.Boolean()) }),
      ack: Type.Object({ seq: Type.Integer() }),
      who: members,
      limit: { perSecond: 5, burst: 20 }
    }),
    getHistory: receives({ summary: 'A page of what was said to the class.', payload: inClass(Page), ack: HistoryPage, who: members, limit: { perSecond: 5, burst: 20 } }),
    getDirectHistory: receives({ summary: 'A page of what was said to and by the sender alone; teachers of the class see all.', payload: inClass(Page), ack: HistoryPage, who: members, limit: { perSecond: 5, burst: 20 } }),
    getAttachment: receives({
      summary: 'The bytes of an attachment.',
      payload: inClass({ messageId: Id }),
      ack: Type.Object({ ...Attachment.properties, data: Bytes }),
      who: members,
      limit: { perSecond: 2, burst: 20 }
    }),
    setChatMode: receives({ summary: 'The teacher says who may write.', payload: inClass({ mode: ChatMode }), ack: Type.Object({ mode: ChatMode, changed: Type.Boolean() }), who: teachers }),
    getHeldMessages: receives({ summary: 'Messages that wait for approval.', payload: inClass(Page), ack: HistoryPage, who: teachers }),
    moderateMessage: receives({
      summary: 'Lets a message that waits go out, or turns it down.',
      payload: inClass({ messageId: Id, action: Type.Enum(['approve', 'reject']) }),
      who: teachers
    })
  },
  sends: {
    sessionJoined: confirms('The sender has joined.', Payload(Joined)),
    messageReceived: sends({ summary: 'Something was said to the class.', payload: Payload(Said), rooms: [rooms.session], kept: true }),
    presenceUpdated: sends({
      summary: 'How present a user is; also when they come or have gone.',
      payload: Payload({ ...sessionCode, userId: Id, status: Type.Enum(['active', 'idle', 'away', 'left', 'disconnected']), displayName: Type.String(), role: Type.String(), timestamp: Timestamp }),
      rooms: [rooms.session],
      kept: false,
      newest: ofUser
    }),
    directMessageReceived: sends({ summary: 'Something was said to, or by, this user alone.', payload: Payload(Said), rooms: [rooms.user], kept: true }),
    messageEdited: sends({ summary: 'A message was changed by its author.', payload: Payload({ ...Place, message: Type.String(), editedAt: Timestamp }), rooms: [rooms.session], kept: true }),
    messageDeleted: sends({ summary: 'A message was deleted; its place stays.', payload: Payload({ ...Place, deletedBy: Id }), rooms: [rooms.session], kept: true }),
    reactionsUpdated: sends({
      summary: 'How many gave each sign to a message.',
      payload: Payload({ ...Place, reactions: ChatMessage.properties.reactions }),
      rooms: [rooms.session],
      kept: false,
      newest: ({ messageId }) => messageId
    }),
    typingUpdated: sends({
      summary: 'A user types, or has stopped.',
      payload: Payload({ ...sessionCode, userId: Id, typing: Type.Boolean(), expiresInMs: Type.Integer({ description: 'it has stopped after this long, also when nobody says so' }) }),
      rooms: [rooms.session],
      kept: false,
      newest: ofUser
    }),
    readUpTo: sends({ summary: 'How far a user has read.', payload: Payload({ ...sessionCode, userId: Id, seq: Type.Integer() }), rooms: [rooms.session], kept: false, newest: ofUser }),
    chatModeChanged: sends({ summary: 'The teacher changed who may write.', payload: Payload({ ...sessionCode, mode: ChatMode }), rooms: [rooms.session], kept: true }),
    messageHeld: sends({ summary: 'A message waits for approval.', payload: Payload(Said), rooms: [rooms.teacher], kept: true }),
    messageModerated: sends({ summary: 'An own message that waited was let out or turned down.', payload: Payload({ ...Place, action: Type.Enum(['approve', 'reject']) }), rooms: [rooms.user], kept: true })
  }
})
