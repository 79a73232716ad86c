import Type, { type Static } from 'typebox'
import { count, isFunction, ms, thing } from '../core/options.ts'
import { Closed } from '../core/schema.ts'
import { directPairs } from './rules.ts'
import { chatModes, type ChatMessage, type ChatMode } from './schema.ts'

/** What a host may put away for good. A message that is edited, deleted or let out comes again as it is then. */
export interface ArchiveEntry {
  sessionId: string
  what: 'message' | 'direct' | 'held' | 'rejected' | 'edited' | 'deleted' | 'mode'
  message?: ChatMessage
  mode?: ChatMode
}
export type Archive = (entry: ArchiveEntry) => unknown

export const ClassroomOptions = Closed({
  mode: Type.Enum([...chatModes], { default: 'open', description: 'who may write to the class until the teacher says otherwise: open, moderated, teacher-only or off' }),
  direct: Type.Array(Type.Enum([...directPairs]), { default: ['student-teacher', 'teacher-student', 'teacher-teacher'], description: 'who may write to whom alone, from-to' }),
  historyMessages: count(2000, 'messages of a class that are kept; the oldest fall out'),
  historySeconds: count(86_400, 'age past which a message falls out'),
  attachmentBytes: count(32 * 1024 * 1024, 'bytes of all attachments of a class'),
  bytesPerSecond: count(64 * 1024, 'bytes of text and attachments that one socket may send in a second, with 2 MiB saved up'),
  leaseMs: Type.Integer({ minimum: 1000, maximum: 8000, default: 6000, description: 'how long a user stays present after the process that held them fell silent (ms)' }),
  graceMs: ms(3000, 'how long a user whose connection broke stays present'),
  idleAfterMs: count(300_000, 'silence after which an active user is idle (ms)'),
  awayAfterMs: count(900_000, 'silence after which a user is away (ms)'),
  typingMs: count(5000, 'how long typing lasts unless said again (ms)'),
  archive: thing<Archive>('gets what was said, to put away: (entry) => void', isFunction, 'a function')
})
export type ClassroomOptions = Static<typeof ClassroomOptions>
