import { RemoteFailure } from './failure.ts'

/** At most so many calls at once, at most so many that wait, first come first served. */
export class Slots {
  readonly #limits: { concurrency: number, queue: number }
  readonly #waiting: (() => void)[] = []
  #taken = 0

  constructor (limits: { concurrency: number, queue: number }) { this.#limits = limits }

  /**
   * Resolves with the function that gives the slot back.
   * @throws RemoteFailure ANALYZER_BUSY, or ANALYZER_ABORTED when the caller's signal comes first
   */
  async take (signal: AbortSignal): Promise<() => void> {
    if (signal.aborted) throw new RemoteFailure('ANALYZER_ABORTED')
    if (this.#taken < this.#limits.concurrency) this.#taken++
    else await this.#wait(signal)
    return () => { this.#free() }
  }

  #wait (signal: AbortSignal): Promise<void> {
    if (this.#waiting.length >= this.#limits.queue) throw new RemoteFailure('ANALYZER_BUSY')
    return new Promise((resolve, reject) => {
      const leave = (): void => {
        this.#waiting.splice(this.#waiting.indexOf(enter), 1)
        reject(new RemoteFailure('ANALYZER_ABORTED'))
      }
      const enter = (): void => {
        signal.removeEventListener('abort', leave)
        resolve()
      }
      signal.addEventListener('abort', leave, { once: true })
      this.#waiting.push(enter)
    })
  }

  /** The slot goes to who waits longest, or back. */
  #free (): void {
    const next = this.#waiting.shift()
    if (next) next()
    else this.#taken--
  }
}
