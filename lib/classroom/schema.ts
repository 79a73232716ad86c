import Type, { type Static } from 'typebox'
import { Id, Timestamp } from '../core/schema.ts'

/** The nouns of a classroom's talk, as they travel over sockets and REST and to the store. */

export const chatModes = ['open', 'moderated', 'teacher-only', 'off'] as const
export const ChatMode = Type.Enum([...chatModes], { description: 'who may write to the class' })
export type ChatMode = typeof chatModes[number]

export const presenceStatuses = ['active', 'idle', 'away'] as const
export const PresenceStatus = Type.Enum([...presenceStatuses])
export type PresenceStatus = typeof presenceStatuses[number]

/** A user who is there, however many tabs they have open. */
export const Person = Type.Object({
  userId: Id,
  displayName: Type.String(),
  role: Type.String(),
  status: PresenceStatus,
  joinedAt: Timestamp
})
export type Person = Static<typeof Person>

/** A short list rather than any sign: what a class may show each other is the school's business. */
export const reactionSigns = ['👍', '❤️', '😂', '😮', '😢', '👏', '🎉', '❓', '✅', '🙋'] as const
export const ReactionSign = Type.Enum([...reactionSigns])
export type ReactionSign = typeof reactionSigns[number]

export const MimeType = Type.String({ maxLength: 100, pattern: '^[a-z]+/[A-Za-z0-9.+-]+$' })

/** What is said of an attachment; its bytes are asked for. */
export const Attachment = Type.Object({
  attachmentId: Id,
  name: Type.String(),
  mimeType: MimeType,
  size: Type.Integer({ minimum: 1, description: 'bytes' })
})
export type Attachment = Static<typeof Attachment>

export const ChatMessage = Type.Object({
  messageId: Id,
  seq: Type.Integer({ minimum: 1, description: 'its place; later ones are larger, with gaps' }),
  userId: Id,
  displayName: Type.String(),
  role: Type.String(),
  message: Type.String({ description: 'empty when it was deleted' }),
  timestamp: Timestamp,
  to: Type.Optional(Id),
  editedAt: Type.Optional(Timestamp),
  deleted: Type.Optional(Type.Literal(true)),
  attachment: Type.Optional(Attachment),
  reactions: Type.Record(Type.String(), Type.Integer({ minimum: 1 }), { description: 'how many gave each sign' })
})
export type ChatMessage = Static<typeof ChatMessage>

export const HistoryPage = Type.Object({
  messages: Type.Array(ChatMessage, { description: 'oldest first' }),
  before: Type.Union([Type.Integer(), Type.Null()], { description: 'ask with this for older ones; null when there are none' }),
  after: Type.Union([Type.Integer(), Type.Null()], { description: 'ask with this for newer ones; null when the page is empty' })
})
export type HistoryPage = Static<typeof HistoryPage>
