import type { Socket } from 'socket.io-client'
import type { AckOf, Contract, Meta, PayloadOf, commonReceives, commonSends } from '../core/contract.ts'
import type { WireError } from '../core/errors.ts'
import { ClientError, retryAfter } from './failure.ts'
import { Following, type Answered, type Arrived } from './following.ts'
import type { ChannelFacts } from './health.ts'
import { Outbox } from './outbox.ts'

/** One namespace: what is heard, what is followed, what is said. */

type Heard<C extends Contract> = C['sends'] & typeof commonSends
type Said<C extends Contract> = C['receives'] & typeof commonReceives
/** The events whose answer has places and says how things stand: as a snapshot, or in a class by itself. */
type Subscribing<C extends Contract> = {
  [E in keyof C['receives'] & string]: AckOf<C['receives'][E]> extends { snapshot: unknown } | { participants: unknown, positions: unknown } ? E : never
}[keyof C['receives'] & string]

/** A snapshot that stands for everything up to here; the events that are handed over next came after it. */
export interface State<S> {
  snapshot: S
  /** Home rooms of which events are missing: they were too long ago. What the snapshot says holds instead. */
  lost: string[]
  recovered: boolean
}

export interface Followed {
  /** Once the first snapshot has been handed over. @throws ClientError when the server refuses */
  ready: Promise<void>
  stop (): void
}

export interface ChannelDependencies {
  changed: () => void
  /** The token is over or not accepted: ask for another and connect again, or say so. */
  refresh: () => void
  /** Connects again after a while. */
  reconnect: (socket: Socket, ms: number) => void
  draining: (retryAfterMs: number) => void
  queueLimit: number
  answerMs: number
}

/** How long an event may wait to be sent unless it says otherwise (ms). */
const ttlMs = 60_000
/** Said twice these would be two; an id of their own makes them one. */
const counted = ['sendMessage', 'sendDirectMessage']

export class Channel<C extends Contract> {
  readonly socket: Socket
  readonly facts: ChannelFacts = { connected: false, complete: true, draining: false, expired: false }
  readonly #use: ChannelDependencies
  readonly #listeners = new Map<string, Set<(payload: never, meta: Meta) => void>>()
  readonly #followings = new Set<Following>()
  readonly #kept = new Set<() => void>()
  readonly #outbox: Outbox
  #refusals = 0

  constructor (socket: Socket, use: ChannelDependencies) {
    this.socket = socket
    this.#use = use
    this.#outbox = new Outbox({ limit: use.queueLimit, isOpen: () => this.facts.connected && this.facts.complete, send: (event, payload) => this.#ask(event, payload) })
    socket.on('connect', () => {
      this.#refusals = 0
      Object.assign(this.facts, { connected: true, draining: false, expired: false })
      for (const following of this.#followings) following.start()
      for (const keep of this.#kept) keep()
      this.#look()
    })
    socket.on('disconnect', reason => {
      this.facts.connected = false
      for (const following of this.#followings) following.pause()
      this.#look()
      // The server ended this socket alone, mostly because its token is over; Socket.IO leaves coming back to us.
      if (reason === 'io server disconnect') use.reconnect(socket, 100)
    })
    socket.on('connect_error', error => this.#refused(error))
    socket.onAny((event: string, payload: unknown, meta?: Meta) => this.#hear(event, payload, meta))
  }

  /** Calls the listener for each event of this name, in order. Returns how to stop. */
  on<E extends keyof Heard<C> & string> (event: E, listener: (payload: PayloadOf<Heard<C>[E]>, meta: Meta) => void): () => void {
    const listeners = this.#listeners.get(event) ?? new Set()
    this.#listeners.set(event, listeners.add(listener as (payload: never, meta: Meta) => void))
    return () => { listeners.delete(listener as (payload: never, meta: Meta) => void) }
  }

  /**
   * Follows a session by its id, a class by its code, from now on, over any number of connections: each kept event once, in order. `onState` gets a
   * snapshot at the start and after every reconnect, between the events that it holds already and those that came later.
   */
  follow<E extends Subscribing<C>> (event: E, name: string, onState: (state: State<SnapshotOf<C, E>>) => void): Followed {
    let following: Following | undefined
    const stop = (): void => {
      if (!following) return
      following.pause()
      this.#followings.delete(following)
      this.#look()
    }
    const ready = new Promise<void>((resolve, reject) => {
      const isCode = event === 'joinSession'
      // As the server writes a code that was typed.
      const place = isCode ? name.toUpperCase().replace(/[\s-]/g, '') : name
      following = new Following(place, {
        ask: async since => await this.#ask(event, { [isCode ? 'sessionCode' : 'sessionId']: place, ...(since && { since }) }) as Answered,
        deliver: arrived => this.#deliver(arrived),
        state: answer => {
          onState({ snapshot: (answer.snapshot ?? answer) as SnapshotOf<C, E>, lost: answer.lost, recovered: answer.recovered })
          resolve()
        },
        changed: () => this.#look(),
        retry: retryAfter,
        refused: error => {
          stop()
          reject(error)
          this.#fail(event, error)
        }
      })
      this.#followings.add(following)
    })
    ready.catch(() => {}) // whoever does not wait for it hears of it as the event `error`
    if (this.facts.connected) following?.start()
    this.#look()
    return { ready, stop }
  }

  /** Says an event now and after every reconnect: for subscriptions without places, such as `analytics:subscribe`. */
  keep<E extends keyof Said<C> & string> (event: E, payload: PayloadOf<Said<C>[E]>): () => void {
    const say = (attempt = 0): void => {
      this.#ask(event, payload).catch((error: unknown) => {
        const wait = retryAfter(error, attempt)
        if (wait === undefined) this.#fail(event, error)
        else setTimeout(() => { if (this.facts.connected && this.#kept.has(again)) say(attempt + 1) }, wait)
      })
    }
    const again = (): void => say()
    this.#kept.add(again)
    if (this.facts.connected) again()
    return () => { this.#kept.delete(again) }
  }

  /**
   * Says an event and resolves with its answer. Without a connection it waits, `ttlMs` at most, and is said again when
   * the connection broke before the answer: state the same thing twice and it counts once. With `ttlMs: 0`, and for
   * audio, it is said once, now or not at all.
   * @throws ClientError
   */
  async send<E extends keyof Said<C> & string> (event: E, payload: PayloadOf<Said<C>[E]>, options: { ttlMs?: number } = {}): Promise<AckOf<Said<C>[E]>> {
    if (counted.includes(event)) payload = { id: crypto.getRandomValues(new Uint32Array(4)).join('-'), ...payload }
    const ttl = options.ttlMs ?? (event.startsWith('audio:') ? 0 : ttlMs)
    if (ttl > 0) return await this.#outbox.post(event, payload, ttl) as AckOf<Said<C>[E]>
    if (!this.facts.connected) throw new ClientError('NOT_CONNECTED', `${event} was not sent.`)
    return await this.#ask(event, payload) as AckOf<Said<C>[E]>
  }

  /** Events that wait to be sent. */
  get waiting (): number { return this.#outbox.length }

  close (): void {
    for (const following of this.#followings) following.pause()
    this.#followings.clear()
    this.#kept.clear()
    this.#outbox.close()
    this.socket.disconnect()
  }

  async #ask (event: string, payload: unknown): Promise<unknown> {
    const { ok, error, ...answer } = await this.socket.timeout(this.#use.answerMs).emitWithAck(event, payload) as { ok: boolean, error?: WireError }
    if (!ok) throw new ClientError(error?.code ?? 'INTERNAL', error?.message ?? event, error?.details)
    return answer
  }

  #hear (event: string, payload: unknown, meta: Meta = { id: '', room: '', at: '' }): void {
    if (event === 'auth:expiring') this.#use.refresh()
    if (event === 'server:draining') {
      this.facts.draining = true
      this.#use.draining((payload as { retryAfterMs: number }).retryAfterMs)
    }
    const arrived = { event, payload, meta }
    for (const following of this.#followings) if (following.owns(arrived)) return following.take(arrived)
    this.#deliver(arrived)
  }

  /** A listener that throws harms neither the others nor what comes next; its error comes up by itself. */
  #deliver ({ event, payload, meta }: Arrived): void {
    for (const listener of this.#listeners.get(event) ?? []) {
      try {
        listener(payload as never, meta)
      } catch (error) {
        setTimeout(() => { throw error })
      }
    }
  }

  #fail (event: string, error: unknown): void {
    const { code = 'INTERNAL', message } = error as Partial<ClientError>
    this.#deliver({ event: 'error', payload: { code, message, event }, meta: { id: '', room: '', at: new Date().toISOString() } })
  }

  /** A door that is closed for good: a new token may open it once; then somebody must sign in. */
  #refused (error: Error & { data?: WireError }): void {
    if (this.socket.active) return
    const { code, details } = error.data ?? {}
    const wait = details?.retryAfterMs
    if (code !== 'AUTH_FAILED' && code !== 'FORBIDDEN') return this.#use.reconnect(this.socket, Math.max(typeof wait === 'number' ? wait : 0, 1_000))
    if (code === 'AUTH_FAILED' && this.#refusals++ === 0) return this.#use.reconnect(this.socket, 250)
    this.facts.expired = true
    this.#look()
  }

  #look (): void {
    this.facts.complete = [...this.#followings].every(one => one.complete)
    this.#use.changed()
    if (this.facts.connected && this.facts.complete) void this.#outbox.flush()
  }
}

type SnapshotOf<C extends Contract, E extends keyof C['receives']> = AckOf<C['receives'][E]> extends { snapshot: infer S } ? S : AckOf<C['receives'][E]>
