import type { FastifyBaseLogger } from 'fastify'
import type { Context } from '../core/context.ts'
import { ClasswavesError, type ErrorCode } from '../core/errors.ts'
import { Bucket } from '../core/limit.ts'
import { Turns } from '../core/turn.ts'
import { rooms, type sessions as sessionsContract } from './contract.ts'
import type { Rights } from './rights.ts'
import type { SessionStatus, SliceInput } from './schema.ts'

/** A piece of audio that passed every gate. */
export interface AudioChunk {
  sessionId: string
  groupId: string
  userId: string
  data: Uint8Array
  mimeType: string
  chunkId?: string
  startedAt?: string
  endedAt?: string
}

/**
 * Turns audio into talk; the host supplies it. It may keep audio back and answer with slices later, through
 * `fastify.sessions.transcribe`. Chunks of one group arrive in order, one at a time.
 */
export type Transcriber = (chunk: AudioChunk) => Promise<readonly Omit<SliceInput, 'groupId'>[] | void> | readonly Omit<SliceInput, 'groupId'>[] | void

type AudioContext = Context<typeof sessionsContract>
type Place = { sessionId: string, groupId: string }

export interface AudioDependencies {
  rights: Rights
  transcriber?: Transcriber
  transcribe: (sessionId: string, slices: readonly SliceInput[]) => Promise<unknown>
  limits: { audioChunksPerSecond: number, audioBytesPerSecond: number }
  log: FastifyBaseLogger
  count: (result: 'ok' | ErrorCode) => void
}

const refusals: Partial<Record<SessionStatus, ErrorCode>> = {
  created: 'SESSION_NOT_ACTIVE', paused: 'SESSION_PAUSED', ending: 'SESSION_ENDING', ended: 'SESSION_NOT_ACTIVE'
}

/** Chunks of one group that may wait for the transcriber. */
const waiting = 50

/** Audio in. The gates, in order: membership, session state, rate, transcriber; the payload was checked before. */
export class Audio {
  readonly #deps: AudioDependencies
  readonly #rates = new Map<string, { chunks: Bucket, bytes: Bucket }>()
  readonly #turns = new Turns(waiting)
  readonly #underWay = new Map<string, Set<Promise<void>>>()

  constructor (dependencies: AudioDependencies) { this.#deps = dependencies }

  async admit (context: AudioContext, place: Place): Promise<void> {
    await this.#gate(context, place, () => {})
  }

  async take (context: AudioContext, chunk: Omit<AudioChunk, 'userId'>): Promise<void> {
    try {
      await this.#gate(context, chunk, () => this.#pace(context, chunk.data.byteLength))
    } catch (error) {
      this.#deps.count(error instanceof ClasswavesError ? error.code : 'INTERNAL')
      throw error
    }
    this.#deps.count('ok')
    this.#hand(context, { ...chunk, userId: context.user.userId })
  }

  forget (socketId: string): void { this.#rates.delete(socketId) }

  /** Until the chunks that were taken have become talk. */
  async flush (sessionId: string): Promise<void> {
    await Promise.allSettled(this.#underWay.get(sessionId) ?? [])
  }

  async #gate (context: AudioContext, { sessionId, groupId }: Place, pace: () => void): Promise<void> {
    if (!context.joined(rooms.group({ sessionId, groupId }))) throw new ClasswavesError('NOT_IN_SESSION')
    const session = await this.#deps.rights.session(context.user, 'group:speak', sessionId, groupId)
    const refused = refusals[session.status]
    if (refused) throw new ClasswavesError(refused)
    pace()
    if (!this.#deps.transcriber) throw new ClasswavesError('UNSUPPORTED_OPERATION', 'This server has no transcriber.')
  }

  #pace (context: AudioContext, bytes: number): void {
    const now = performance.now()
    let rate = this.#rates.get(context.id)
    if (!rate) {
      const { audioChunksPerSecond: chunks, audioBytesPerSecond: perSecond } = this.#deps.limits
      rate = { chunks: new Bucket(chunks, chunks, now), bytes: new Bucket(perSecond, perSecond, now) }
      this.#rates.set(context.id, rate)
    }
    const retryAfterMs = rate.chunks.take(now) || rate.bytes.take(now, bytes)
    if (retryAfterMs > 0) throw new ClasswavesError('BACKPRESSURE_HINT', undefined, { retryAfterMs })
  }

  /** The acknowledgement does not wait for the words; what fails here is told by `audio:error`. */
  #hand (context: AudioContext, chunk: AudioChunk): void {
    const { sessionId, groupId } = chunk
    const work = this.#turns.take(`${sessionId}:${groupId}`, async () => {
      const said = await this.#deps.transcriber?.(chunk)
      const slices = said?.filter(slice => slice.text !== '') ?? [] // silence is no talk
      if (slices.length > 0) await this.#deps.transcribe(sessionId, slices.map(slice => ({ ...slice, groupId })))
      return true
    }).then(done => {
      if (!done) context.reply('audio:error', { sessionId, groupId, code: 'BACKPRESSURE_HINT' })
    }, (error: unknown) => {
      this.#deps.log.error({ err: error, sessionId, groupId }, 'audio was not transcribed')
      context.reply('audio:error', { sessionId, groupId, code: error instanceof ClasswavesError ? error.code : 'INTERNAL' })
    })
    const set = this.#underWay.get(sessionId) ?? new Set()
    this.#underWay.set(sessionId, set.add(work))
    void work.finally(() => {
      set.delete(work)
      if (set.size === 0) this.#underWay.delete(sessionId)
    })
  }
}
