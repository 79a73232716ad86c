import type { FastifyBaseLogger } from 'fastify'

/** Lets silence pass in the live sessions that this process has heard of, every `everyMs`; keeps no process alive. */
export class Ticker {
  readonly #tick: (sessionId: string) => Promise<boolean>
  readonly #log: FastifyBaseLogger
  readonly #sessions = new Set<string>()
  readonly #timer: NodeJS.Timeout
  #running = false

  /** @param tick answers whether the session goes on */
  constructor (everyMs: number, tick: (sessionId: string) => Promise<boolean>, log: FastifyBaseLogger) {
    this.#tick = tick
    this.#log = log
    this.#timer = setInterval(() => { void this.#round() }, everyMs).unref()
  }

  watch (sessionId: string): void { this.#sessions.add(sessionId) }

  stop (): void {
    clearInterval(this.#timer)
    this.#sessions.clear()
  }

  /** A round that takes longer than the interval is not overtaken by the next. */
  async #round (): Promise<void> {
    if (this.#running) return
    this.#running = true
    for (const sessionId of [...this.#sessions]) {
      try {
        if (!await this.#tick(sessionId)) this.#sessions.delete(sessionId)
      } catch (error) {
        this.#log.warn({ err: error, sessionId }, 'guidance could not let time pass')
      }
    }
    this.#running = false
  }
}
