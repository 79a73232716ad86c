import { ClientError, retryAfter } from './failure.ts'

/** What is to be said: in order, one at a time, again after a broken connection, until its time is over. */

interface Letter {
  event: string
  payload: unknown
  resolve: (answer: unknown) => void
  reject: (error: unknown) => void
  timer: ReturnType<typeof setTimeout>
}

export interface OutboxDependencies {
  /** Says it to the server. */
  send: (event: string, payload: unknown) => Promise<unknown>
  /** Whether the server would take it now. */
  isOpen: () => boolean
  limit: number
}

export class Outbox {
  readonly #use: OutboxDependencies
  readonly #letters: Letter[] = []
  #sending = false
  #pause: ReturnType<typeof setTimeout> | undefined
  #attempt = 0

  constructor (use: OutboxDependencies) { this.#use = use }

  get length (): number { return this.#letters.length }

  /** @throws ClientError with the server's code, `QUEUE_FULL`, `TOO_LATE` or `CLOSED` */
  async post (event: string, payload: unknown, ttlMs: number): Promise<unknown> {
    if (this.#letters.length >= this.#use.limit) throw new ClientError('QUEUE_FULL', `${this.#use.limit} events wait already.`)
    return await new Promise((resolve, reject) => {
      const timer = setTimeout(() => this.#settle(letter, () => reject(new ClientError('TOO_LATE', `${event} could not be sent in time.`))), ttlMs)
      const letter: Letter = { event, payload, resolve, reject, timer }
      this.#letters.push(letter)
      void this.flush()
    })
  }

  /** Sends what waits, if the server would take it. */
  async flush (): Promise<void> {
    if (this.#sending) return
    this.#sending = true
    clearTimeout(this.#pause)
    for (let letter = this.#letters[0]; letter && this.#use.isOpen(); letter = this.#letters[0]) {
      const current = letter
      try {
        const answer = await this.#use.send(letter.event, letter.payload)
        this.#attempt = 0
        this.#settle(letter, () => current.resolve(answer))
      } catch (error) {
        const wait = retryAfter(error, this.#attempt++)
        if (wait === undefined) this.#settle(letter, () => current.reject(error))
        else {
          // Sent or not, it is said again: each event may be said twice and counts once.
          this.#pause = setTimeout(() => { void this.flush() }, wait)
          break
        }
      }
    }
    this.#sending = false
  }

  close (): void {
    clearTimeout(this.#pause)
    for (const letter of [...this.#letters]) this.#settle(letter, () => letter.reject(new ClientError('CLOSED', 'The client was closed.')))
  }

  #settle (letter: Letter, tell: () => void): void {
    const index = this.#letters.indexOf(letter)
    if (index < 0) return
    this.#letters.splice(index, 1)
    clearTimeout(letter.timer)
    tell()
  }
}
