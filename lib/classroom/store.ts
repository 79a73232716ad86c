import type { Rank } from './rules.ts'
import type { Attachment, ChatMode } from './schema.ts'

/**
 * What must be remembered of a class's talk. Each call is atomic against every other on the same class, from any
 * process; times are the backend's. Calls reject with `UNAVAILABLE` when the backend cannot be reached.
 *
 * Lanes order messages by `seq`: `main` what was said to the class, `held` what waits for approval, `direct` all that
 * was said to one person (the log), `direct:<userId>` that of one user. Old and surplus messages fall out of `main` and
 * `direct`.
 */
export interface ChatStore {
  /** Stores a message as the mode of this very moment says. A known id is `repeated`, with what became of it. */
  post (sessionId: string, draft: Draft): Promise<Posted>
  get (sessionId: string, messageId: string): Promise<Stored | null>
  /**
   * Compare-and-set of one message's content: `update` is asked again with the newest when another came first, and
   * says null to leave it. `place` also lets it out of `held`: into `main` under a new `seq`, or away.
   */
  change (sessionId: string, messageId: string, update: (stored: Stored) => Content | null, place?: 'publish' | 'remove'): Promise<Stored | null>
  page (sessionId: string, lane: Lane, page: PageOf): Promise<{ messages: Stored[], more: boolean }>
  mode (sessionId: string): Promise<ChatMode>
  setMode (sessionId: string, mode: ChatMode): Promise<{ changed: boolean }>
  /** After this nothing is posted. */
  close (sessionId: string): Promise<void>
  /** Moves the place up to which a user has read; it never goes back. */
  read (sessionId: string, userId: string, seq: number, hidden: boolean): Promise<{ seq: number, changed: boolean }>
  /** How far each user has read, without those who keep it to themselves. */
  readers (sessionId: string): Promise<Record<string, number>>
  putFile (sessionId: string, attachmentId: string, data: Uint8Array): Promise<void>
  file (sessionId: string, attachmentId: string): Promise<Uint8Array | null>
  dropFile (sessionId: string, attachmentId: string): Promise<void>
  /** Somebody is still there: what is stored lives on. */
  touch (sessionId: string): Promise<void>
}

/** What may change of a message. */
export interface Content {
  userId: string
  displayName: string
  role: string
  message: string
  to?: string
  editedAt?: string
  deleted?: true
  attachment?: Attachment
  /** Who gave each sign. */
  reactions: Record<string, string[]>
  held?: true
}

export interface Stored extends Content { messageId: string, seq: number, at: number }

export interface Draft { messageId: string, content: Content, rank: Rank, bytes: number }

export type Posted =
  | { verdict: 'published' | 'held' | 'repeated', mode: ChatMode, stored: Stored }
  | { verdict: 'refused' | 'closed' | 'full', mode: ChatMode }

export type Lane = 'main' | 'held' | 'direct' | `direct:${string}`
/** Without both: the newest. `before` and `after` are a `seq`, and exclusive. */
export interface PageOf { before?: number, after?: number, limit: number }

export interface ChatBounds {
  mode: ChatMode
  messages: number
  ageMs: number
  /** Of all attachments of a class. */
  bytes: number
  ttlSeconds: number
}

/** Messages that may wait for approval. */
export const heldBound = 500
