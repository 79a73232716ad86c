import { io, type ManagerOptions, type Socket, type SocketOptions } from 'socket.io-client'
import { commonReceives, commonSends, type AckOf, type Answer, type Contract, type Meta, type PayloadOf } from '../lib/core/contract.ts'
import { errorTable, type WireError } from '../lib/core/errors.ts'
import { spotless } from './leaks.ts'

type Heard<C extends Contract> = C['sends'] & typeof commonSends
type Said<C extends Contract> = C['receives'] & typeof commonReceives
export type LooseAnswer = { ok: boolean, error?: WireError } & Record<string, unknown>
export interface Received { event: string, payload: unknown, meta: Meta }

/** How long a test waits for what should come (ms); many times what it takes, for machines that do other things as well. */
export const patienceMs = 15_000

/** A stock client that remembers everything it gets, from the first packet on. */
export class Client<C extends Contract = Contract> {
  readonly socket: Socket
  readonly records: Received[] = []
  /** Why the server, or nobody, closed the connection. */
  gone: string | undefined
  /** Those on the same connection. */
  readonly #others = new Set<{ close (): void }>()
  /** An error came by itself and held what it must not. */
  #leak: unknown
  readonly #read = new Set<Received>()
  readonly #wake = new Set<() => void>()

  constructor (socket: Socket) {
    this.socket = socket
    socket.onAny((event: string, payload: unknown, meta: Meta) => {
      if (isError(payload)) this.#look(event, payload)
      this.#note(() => this.records.push({ event, payload, meta }))
    })
    socket.on('disconnect', reason => { this.#note(() => { this.gone = reason }) })
  }

  /** @throws the error of `connect_error`; `data` is what the server said */
  async ready (): Promise<this> {
    await new Promise<void>((resolve, reject) => {
      this.socket.once('connect', resolve).once('connect_error', reject)
      this.socket.connect()
    })
    return this
  }

  /** Another namespace over the same connection. */
  async also<D extends Contract = Contract> (namespace: string, auth: object): Promise<Client<D>> {
    const other = new Client<D>(this.socket.io.socket(namespace, { auth }))
    this.#others.add(other)
    return await other.ready()
  }

  async ack<E extends keyof Said<C> & string> (event: E, payload: PayloadOf<Said<C>[E]>): Promise<Answer<AckOf<Said<C>[E]>>> {
    return await this.raw(event, payload) as Answer<AckOf<Said<C>[E]>>
  }

  /** What an accepted acknowledgement carries. */
  async ok<E extends keyof Said<C> & string> (event: E, payload: PayloadOf<Said<C>[E]>): Promise<AckOf<Said<C>[E]>> {
    const answer = await this.raw(event, payload)
    if (!answer.ok) throw new Error(`${event} was refused: ${JSON.stringify(answer.error)}`)
    return answer as AckOf<Said<C>[E]>
  }

  /** Any event with any arguments; the answer to its acknowledgement. */
  async raw (event: string, ...args: unknown[]): Promise<LooseAnswer> {
    const answer = await this.socket.timeout(patienceMs).emitWithAck(event, ...args) as LooseAnswer
    if (!answer.ok) spotless(`${event}: the error`, JSON.stringify(answer.error ?? {}))
    return answer
  }

  /** The code of the refusal, or `ok`. */
  async code (event: string, ...args: unknown[]): Promise<string> {
    const { ok, error } = await this.raw(event, ...args)
    return ok ? 'ok' : error?.code ?? 'no code'
  }

  /** The oldest one that was not asked for yet; waits for it. */
  async next<E extends keyof Heard<C> & string> (event: E): Promise<PayloadOf<Heard<C>[E]>> {
    const record = await this.#until(() => this.records.find(one => one.event === event && !this.#read.has(one)), event)
    this.#read.add(record)
    return record.payload as PayloadOf<Heard<C>[E]>
  }

  /** All of one name so far. */
  received<E extends keyof Heard<C> & string> (event: E): PayloadOf<Heard<C>[E]>[] {
    return this.records.filter(one => one.event === event).map(one => one.payload as PayloadOf<Heard<C>[E]>)
  }

  /** The names of all that came so far, in order. */
  names (): string[] { return this.records.map(({ event }) => event) }

  /** Until everything that was on its way to this client has come. With Redis that is another way than that of answers. */
  async flush (): Promise<void> {
    await this.raw('flush')
    for (let seen = -1; seen !== this.records.length;) {
      seen = this.records.length
      await new Promise(resolve => setTimeout(resolve, 50))
    }
  }

  /** The reason of the disconnect. */
  async end (): Promise<string> { return await this.#until(() => this.gone, 'disconnect') }

  /** @throws for tokens and words in an error that came by itself: where it came, nobody would catch it */
  close (): void {
    this.socket.disconnect()
    for (const other of this.#others) other.close()
    if (this.#leak !== undefined) throw this.#leak
  }

  #look (event: string, payload: unknown): void {
    try {
      spotless(`${event}: the error`, JSON.stringify(payload))
    } catch (error) {
      this.#leak ??= error
    }
  }

  #note (change: () => void): void {
    change()
    for (const wake of this.#wake) wake()
  }

  async #until<T> (look: () => T | undefined, what: string): Promise<T> {
    const there = look()
    if (there !== undefined) return there
    return await new Promise((resolve, reject) => {
      const wake = (): void => {
        const found = look()
        if (found !== undefined) done(() => resolve(found))
      }
      const timer = setTimeout(() => done(() => reject(new Error(`${what} did not come; what came: ${this.names().join(', ').slice(-500)}`))), patienceMs)
      const done = (settle: () => void): void => { clearTimeout(timer); this.#wake.delete(wake); settle() }
      this.#wake.add(wake)
    })
  }
}

/** `error`, `audio:error`, and whatever else says one of our codes. */
function isError (payload: unknown): boolean {
  const { code, errorCode = code } = (payload ?? {}) as Record<string, unknown>
  return typeof errorCode === 'string' && Object.hasOwn(errorTable, errorCode)
}

/** A client on a connection of its own, which does not come back by itself. */
export function client<C extends Contract = Contract> (
  url: string, namespace: string, auth: object, options: Partial<ManagerOptions & SocketOptions> = {}
): Client<C> {
  return new Client<C>(io(url + (namespace === '/' ? '' : namespace), {
    auth, transports: ['websocket'], forceNew: true, reconnection: false, autoConnect: false, ...options
  }))
}
