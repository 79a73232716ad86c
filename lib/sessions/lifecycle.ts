import type { FastifyBaseLogger } from 'fastify'
import { again } from '../core/again.ts'
import type { Emit } from '../core/emit.ts'
import { ClasswavesError } from '../core/errors.ts'
import { Turns } from '../core/turn.ts'
import type { sessions as sessionsContract, Summary } from './contract.ts'
import { randomUUID } from 'node:crypto'
import type { MoveWords, Session } from './schema.ts'
import { overdueAfterMs, type SessionStore, type TransitionResult } from './store.ts'
import { statusAt } from './transitions.ts'

export interface LifecycleDependencies {
  store: SessionStore
  emit: () => Emit<typeof sessionsContract>
  log: FastifyBaseLogger
  /** Milliseconds since 1970, the same on every process. */
  now: () => number
  /** Told of each stored transition, before anybody else is. */
  onTransition: (session: Session) => Promise<void>
  /** Waits for what is still on its way into the session, at most for a second. */
  flush: (sessionId: string) => Promise<void>
  /** The results of an ended session. */
  summarise: (session: Session) => Promise<Summary>
}

/** How long `end` waits for what is on its way (ms); the rest of its two seconds belongs to the store. */
const flushMs = 1_000
/** So many transitions before the last are told again, in case nobody has. */
const earlier = 3
/** Sessions of which this process knows what it told; of more, the oldest are told again, or looked at. */
const toldBound = 10_000

/** Moves sessions through their life: stored first, then announced, once for each transition and in their order. */
export class Lifecycle {
  readonly #deps: LifecycleDependencies
  readonly #turns = new Turns(1000)
  readonly #told = new Set<string>()
  /** The version up to which this process has told of a session. */
  readonly #announced = new Map<string, number>()

  constructor (dependencies: LifecycleDependencies) { this.#deps = dependencies }

  /** @throws ClasswavesError SESSION_NOT_FOUND, INVALID_TRANSITION, GROUPS_NOT_READY, UNAVAILABLE */
  async move (sessionId: string, move: 'start' | 'pause' | 'resume', words?: MoveWords): Promise<Session> {
    return await this.#step(sessionId, async () => await this.#deps.store.transition(sessionId, move, words))
  }

  /** Stores `ending`, waits for what is on its way, stores `ended`, and has the results made. */
  async end (sessionId: string, words?: MoveWords): Promise<Session> {
    await this.#step(sessionId, async () => await this.#deps.store.transition(sessionId, 'end', words))
    await Promise.race([this.#deps.flush(sessionId), wait(flushMs)])
    return await this.#finish(sessionId, async () => await this.#deps.store.transition(sessionId, 'finish'))
  }

  /** Finishes a session that was left `ending` by a process that did not come to its end. */
  async finishOverdue (session: Session): Promise<Session> {
    return await this.#finish(session.sessionId, async () => await this.#deps.store.finishOverdue(session.sessionId))
  }

  /** The process that ended a session may have died before it told the results. They are known by their id, so they come once. */
  tellResultsAgain (session: Session): void {
    if (this.#told.has(session.sessionId) || this.#deps.now() - Date.parse(session.endedAt ?? '') < overdueAfterMs) return
    void this.#results(session)
  }

  async #finish (sessionId: string, transition: () => Promise<TransitionResult>): Promise<Session> {
    const result = await this.#turn(sessionId, transition)
    if (result.ok) {
      void this.#results(result.session)
      return result.session
    }
    if (result.reason === 'not-found') throw new ClasswavesError('SESSION_NOT_FOUND')
    return result.session
  }

  async #step (sessionId: string, transition: () => Promise<TransitionResult>): Promise<Session> {
    const result = await this.#turn(sessionId, transition)
    if (result.ok) return result.session
    throw refusal(result)
  }

  /** One transition and its announcement; the next one of this session waits for both. */
  async #turn (sessionId: string, transition: () => Promise<TransitionResult>): Promise<TransitionResult> {
    const result = await this.#turns.take(sessionId, async () => {
      const stored = await transition()
      if (stored.ok) await this.#announce(stored.session)
      else if (stored.reason === 'invalid') await this.#tell(stored.session)
      return stored
    })
    if (result === undefined) throw new ClasswavesError('RATE_LIMITED', undefined, { retryAfterMs: 1000 })
    return result
  }

  async #announce (session: Session): Promise<void> {
    try {
      await this.#deps.onTransition(session)
      await this.#tell(session)
    } catch (error) {
      const { sessionId, status, version } = session
      this.#deps.log.warn({ err: error, sessionId, status, version }, 'a stored transition is not announced yet')
      // Its caller has gone; those who listen shall hear of it as soon as there is a way.
      void again(() => this.#tell(session), late => {
        this.#deps.log.error({ err: late, sessionId, status, version }, 'a stored transition was not announced; the next one, or a repeated request, will')
      })
    }
  }

  /**
   * Tells of a transition. Other processes may have stored the ones before and not have told of them yet, or may have
   * died over it; so those are told first. They are numbered, and what is known is not sent again. The last one is told
   * whatever this process remembers: a Redis that came back from an older copy counts anew.
   */
  async #tell ({ sessionId, status, version: last }: Session): Promise<void> {
    const known = this.#announced.get(sessionId) ?? 0
    for (let version = Math.max(2, last - earlier, Math.min(known + 1, last)); version <= last; version++) {
      const payload = { sessionId, status: statusAt(version, status, last), version, timestamp: new Date(this.#deps.now()).toISOString() }
      await this.#deps.emit().to({ sessionId }).emit('session:status_changed', payload, `status#${version}`)
    }
    this.#announced.delete(sessionId)
    this.#announced.set(sessionId, last)
    if (this.#announced.size > toldBound) this.#announced.delete(this.#announced.keys().next().value as string)
  }

  async #results (session: Session): Promise<void> {
    const { sessionId } = session
    const target = { sessionId, teacherId: session.teacherId }
    this.#told.add(sessionId)
    if (this.#told.size > toldBound) this.#told.delete(this.#told.values().next().value as string)
    try {
      const summary = await this.#deps.summarise(session)
      const durationMs = session.startedAt && session.endedAt ? Date.parse(session.endedAt) - Date.parse(session.startedAt) : 0
      await this.#deps.emit().to(target).emit('analytics:finalized', { sessionId, analyticsId: randomUUID(), durationMs: Math.max(0, durationMs), summary }, `results:${sessionId}`)
    } catch (error) {
      this.#deps.log.error({ err: error, sessionId }, 'the results of a session were not made')
      const code = error instanceof ClasswavesError ? error.code : 'INTERNAL'
      await this.#deps.emit().to(target).emit('analytics:failed', { sessionId, errorCode: code, message: 'The results could not be made.' })
        .catch((failure: unknown) => this.#deps.log.error({ err: failure, sessionId }, 'and could not be reported'))
    }
  }
}

function refusal (result: Exclude<TransitionResult, { ok: true }>): ClasswavesError {
  if (result.reason === 'not-found') return new ClasswavesError('SESSION_NOT_FOUND')
  if (result.reason === 'invalid') {
    return new ClasswavesError('INVALID_TRANSITION', `The session is ${result.from} and cannot become ${result.to}.`, { from: result.from, to: result.to })
  }
  const waiting = result.session.groups.filter(group => !group.isReady)
  return new ClasswavesError('GROUPS_NOT_READY', undefined, {
    readyCount: result.session.groups.length - waiting.length,
    totalCount: result.session.groups.length,
    notReadyGroups: waiting.map(({ groupId, name }) => ({ groupId, name }))
  })
}

async function wait (ms: number): Promise<void> {
  await new Promise<void>(resolve => setTimeout(resolve, ms).unref())
}
