import { createHash, randomUUID } from 'node:crypto'
import type { FastifyBaseLogger } from 'fastify'
import type { Emit } from '../core/emit.ts'
import { ClasswavesError } from '../core/errors.ts'
import type { classroom as contract } from './contract.ts'
import type { Directory } from './directory.ts'
import type { Later } from './later.ts'
import type { Member } from './members.ts'
import type { ArchiveEntry, ClassroomOptions } from './options.ts'
import { mayWriteTo, rankOf, verdictOf } from './rules.ts'
import type { Attachment, ChatMessage, ChatMode, HistoryPage, ReactionSign } from './schema.ts'
import type { ChatStore, Content, Draft, Lane, PageOf, Posted, Stored } from './store.ts'

export interface ChatDependencies {
  store: ChatStore
  directory: Directory
  emit: () => Emit<typeof contract>
  later: Later
  options: Pick<ClassroomOptions, 'direct' | 'archive'>
  count: (result: Posted['verdict']) => void
  log: FastifyBaseLogger
  /** Milliseconds since 1970, the same on every process. */
  now: () => number
}

export interface Upload { name: string, mimeType: string, data: Uint8Array }

/** How long reactions and receipts are gathered before they are told (ms). */
const gatherMs = 250
const pageSize = 50

/** What is said in a class: the rules, then the store, then everybody who is to hear of it. */
export class Chat {
  readonly #deps: ChatDependencies

  constructor (dependencies: ChatDependencies) { this.#deps = dependencies }

  async send (member: Member, { message, id, attachment: upload }: { message: string, id?: string, attachment?: Upload }) {
    if (message.trim() === '' && !upload) throw new ClasswavesError('INVALID_PAYLOAD', '/message must say something')
    if (upload && upload.data.byteLength === 0) throw new ClasswavesError('INVALID_PAYLOAD', '/attachment/data is empty')
    this.#pace(member, Buffer.byteLength(message) + (upload?.data.byteLength ?? 0))
    await this.#demandOpen(member)
    const attachment = upload && await this.#keepFile(member, upload)
    const stored = await this.#post(member, { ...authorOf(member), message, ...(attachment && { attachment }), reactions: {} }, id, attachment)
    const { sessionId, code } = member
    const said = { sessionCode: code, ...messageOf(stored) }
    if (stored.held) {
      await this.#emit(sessionId).emit('messageHeld', said, `held:${stored.messageId}`)
      this.#archive(sessionId, 'held', stored)
    } else {
      await this.#emit(sessionId).emit('messageReceived', said, stored.messageId)
      this.#archive(sessionId, 'message', stored)
    }
    return { messageId: stored.messageId, seq: stored.seq, held: stored.held === true }
  }

  async sendDirect (member: Member, { to, message, id }: { to: string, message: string, id?: string }) {
    const { sessionId, user, code } = member
    if (message.trim() === '') throw new ClasswavesError('INVALID_PAYLOAD', '/message must say something')
    if (to === user.userId) throw new ClasswavesError('INVALID_PAYLOAD', '/to is the sender')
    this.#pace(member, Buffer.byteLength(message))
    const { teacherId, pupilIds } = await this.#demandOpen(member)
    // Nobody learns who is in a class by asking whom they may write to: the matrix comes before the list.
    const rank = to === teacherId ? 'teacher' : 'student'
    if (!mayWriteTo(this.#deps.options.direct, user.role, rank)) throw new ClasswavesError('FORBIDDEN', 'You may not write to this user alone.')
    if (rank === 'student' && !pupilIds.has(to)) throw new ClasswavesError('INVALID_PAYLOAD', '/to is nobody in this class')
    const stored = await this.#post(member, { ...authorOf(member), to, message, reactions: {} }, id)
    const said = { sessionCode: code, ...messageOf(stored) }
    for (const readerId of [to, user.userId]) {
      await this.#deps.emit().to({ sessionId, readerId }).emit('directMessageReceived', said, `${stored.messageId}:${readerId}`)
    }
    this.#archive(sessionId, 'direct', stored)
    return { messageId: stored.messageId, seq: stored.seq }
  }

  async edit (member: Member, { messageId, message }: { messageId: string, message: string }): Promise<void> {
    const { sessionId, code, user } = member
    if (message.trim() === '') throw new ClasswavesError('INVALID_PAYLOAD', '/message must say something; delete it instead')
    this.#pace(member, Buffer.byteLength(message))
    await this.#demandOpen(member)
    const mode = await this.#deps.store.mode(sessionId)
    // Else a message that was let out could become another one without approval.
    if (verdictOf(mode, rankOf(user.role), false) !== 'published') throw refusedBy(mode)
    const editedAt = new Date(this.#deps.now()).toISOString()
    const stored = await this.#change(sessionId, messageId, one => {
      if (one.userId !== user.userId) throw new ClasswavesError('FORBIDDEN', 'Only its author may change a message.')
      return { ...one, message, editedAt }
    })
    await this.#emit(sessionId).emit('messageEdited', { sessionCode: code, messageId, message, editedAt })
    this.#archive(sessionId, 'edited', stored)
  }

  async remove (member: Member, { messageId }: { messageId: string }): Promise<void> {
    const { sessionId, code, user } = member
    let attachment: Attachment | undefined
    const stored = await this.#change(sessionId, messageId, ({ attachment: file, editedAt, ...one }) => {
      if (one.userId !== user.userId && !member.manages) throw new ClasswavesError('FORBIDDEN', 'Only its author or the teacher may delete a message.')
      attachment = file
      return { ...one, message: '', deleted: true, reactions: {} }
    })
    if (attachment) await this.#deps.store.dropFile(sessionId, attachment.attachmentId)
    await this.#emit(sessionId).emit('messageDeleted', { sessionCode: code, messageId, deletedBy: user.userId })
    this.#archive(sessionId, 'deleted', stored)
  }

  async react (member: Member, { messageId, sign, on = true }: { messageId: string, sign: ReactionSign, on?: boolean }): Promise<void> {
    const { sessionId, code, user: { userId } } = member
    await this.#demandOpen(member)
    await this.#change(sessionId, messageId, one => {
      const others = (one.reactions[sign] ?? []).filter(other => other !== userId)
      const { [sign]: _, ...rest } = one.reactions
      const givers = on ? [...others, userId] : others
      return { ...one, reactions: givers.length > 0 ? { ...rest, [sign]: givers } : rest }
    })
    this.#deps.later.run(`react ${sessionId} ${messageId}`, gatherMs, async () => {
      const now = await this.#deps.store.get(sessionId, messageId)
      if (now) await this.#emit(sessionId).emit('reactionsUpdated', { sessionCode: code, messageId, reactions: messageOf(now).reactions })
    })
  }

  async markRead (member: Member, { seq: upTo, private: hidden = false }: { seq: number, private?: boolean }): Promise<{ seq: number }> {
    const { sessionId, code, user: { userId } } = member
    const { seq, changed } = await this.#deps.store.read(sessionId, userId, upTo, hidden)
    const name = `read ${sessionId} ${userId}`
    if (hidden) this.#deps.later.cancel(name)
    else if (changed) this.#deps.later.run(name, gatherMs, async () => await this.#emit(sessionId).emit('readUpTo', { sessionCode: code, userId, seq }), true)
    return { seq }
  }

  async attachment ({ sessionId, user, manages }: Member, messageId: string): Promise<Attachment & { data: Uint8Array }> {
    const { store } = this.#deps
    const stored = await store.get(sessionId, messageId)
    const visible = stored && (!stored.held || manages || stored.userId === user.userId)
    const data = visible && stored.attachment ? await store.file(sessionId, stored.attachment.attachmentId) : null
    if (!stored?.attachment || !data) throw new ClasswavesError('MESSAGE_NOT_FOUND', 'There is no such attachment.')
    return { ...stored.attachment, data }
  }

  async setMode (sessionId: string, code: string, mode: ChatMode): Promise<{ mode: ChatMode, changed: boolean }> {
    const { changed } = await this.#deps.store.setMode(sessionId, mode)
    if (changed) {
      await this.#emit(sessionId).emit('chatModeChanged', { sessionCode: code, mode })
      this.#archive(sessionId, 'mode', undefined, mode)
    }
    return { mode, changed }
  }

  async moderate ({ sessionId, code }: Member, { messageId, action }: { messageId: string, action: 'approve' | 'reject' }): Promise<void> {
    const stored = await this.#deps.store.change(sessionId, messageId, one => {
      if (!one.held) return null
      const { held, ...content } = one
      return content
    }, action === 'approve' ? 'publish' : 'remove')
    if (!stored) throw new ClasswavesError('MESSAGE_NOT_FOUND', 'No such message waits for approval.')
    if (action === 'approve') await this.#emit(sessionId).emit('messageReceived', { sessionCode: code, ...messageOf(stored) }, messageId)
    else if (stored.attachment) await this.#deps.store.dropFile(sessionId, stored.attachment.attachmentId)
    await this.#deps.emit().to({ sessionId, readerId: stored.userId }).emit('messageModerated', { sessionCode: code, messageId, action })
    this.#archive(sessionId, action === 'approve' ? 'message' : 'rejected', stored)
  }

  async history (sessionId: string, lane: Lane, { limit = pageSize, ...page }: Partial<PageOf>): Promise<HistoryPage> {
    const { messages, more } = await this.#deps.store.page(sessionId, lane, { ...page, limit })
    const [first, last] = [messages.at(0), messages.at(-1)]
    // Read forwards, there is always something before, unless it has fallen out: then that page is empty.
    return { messages: messages.map(messageOf), before: first && (more || page.after !== undefined) ? first.seq : null, after: last?.seq ?? null }
  }

  async #post (member: Member, content: Content, id: string | undefined, attachment?: Attachment): Promise<Stored> {
    const { sessionId, user } = member
    const messageId = id === undefined ? randomUUID() : createHash('sha256').update(`${user.userId} ${id}`).digest('hex').slice(0, 32)
    const draft: Draft = { messageId, content, rank: rankOf(user.role), bytes: attachment?.size ?? 0 }
    const posted = await this.#deps.store.post(sessionId, draft)
    this.#deps.count(posted.verdict)
    if (attachment && posted.verdict !== 'published' && posted.verdict !== 'held') await this.#deps.store.dropFile(sessionId, attachment.attachmentId)
    if ('stored' in posted) return posted.stored
    if (posted.verdict === 'refused') throw refusedBy(posted.mode)
    if (posted.verdict === 'closed') throw new ClasswavesError('SESSION_NOT_ACTIVE')
    throw new ClasswavesError('RATE_LIMITED', 'This class has no room for more of this.', { retryAfterMs: 0 })
  }

  async #keepFile ({ sessionId }: Member, { name, mimeType, data }: Upload): Promise<Attachment> {
    const attachment = { attachmentId: randomUUID(), name, mimeType, size: data.byteLength }
    await this.#deps.store.putFile(sessionId, attachment.attachmentId, data)
    return attachment
  }

  /** @throws ClasswavesError MESSAGE_NOT_FOUND for one that is not there for the class, or was deleted */
  async #change (sessionId: string, messageId: string, update: (stored: Stored) => Content): Promise<Stored> {
    const stored = await this.#deps.store.change(sessionId, messageId, one => one.held || one.deleted || one.to !== undefined ? null : update(one))
    if (!stored) throw new ClasswavesError('MESSAGE_NOT_FOUND')
    return stored
  }

  #pace (member: Member, bytes: number): void {
    const retryAfterMs = member.bytes.take(performance.now(), bytes)
    if (retryAfterMs > 0) throw new ClasswavesError('RATE_LIMITED', 'Too many bytes in too short a time.', { retryAfterMs })
  }

  async #demandOpen ({ sessionId }: Member) {
    const session = await this.#deps.directory.find(sessionId)
    if (session?.status === 'ending') throw new ClasswavesError('SESSION_ENDING')
    if (!session || session.status === 'ended') throw new ClasswavesError('SESSION_NOT_ACTIVE')
    return session
  }

  #emit (sessionId: string) { return this.#deps.emit().to({ sessionId }) }

  /** The host's archive is the host's affair: nobody waits for it. */
  #archive (sessionId: string, what: ArchiveEntry['what'], stored?: Stored, mode?: ChatMode): void {
    const { options: { archive }, log } = this.#deps
    if (!archive) return
    const entry: ArchiveEntry = { sessionId, what, ...(stored && { message: messageOf(stored) }), ...(mode && { mode }) }
    new Promise(resolve => { resolve(archive(entry)) }).catch((error: unknown) => log.error({ err: error, sessionId, what }, 'the archive of the host did not take this'))
  }
}

function authorOf ({ user }: Member): Pick<Content, 'userId' | 'displayName' | 'role'> {
  return { userId: user.userId, displayName: user.name ?? user.userId, role: user.role }
}

function refusedBy (mode: ChatMode): ClasswavesError {
  return new ClasswavesError('FORBIDDEN', `The chat of this class is ${mode}.`, { mode })
}

/** A message as it travels: reactions are counted, not named. */
export function messageOf ({ messageId, seq, at, held, reactions, ...content }: Stored): ChatMessage {
  const counts = Object.entries(reactions).map(([sign, givers]) => [sign, givers.length])
  return { messageId, seq, timestamp: new Date(at).toISOString(), ...content, reactions: Object.fromEntries(counts) }
}
