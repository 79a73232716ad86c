import { RemoteFailure } from './failure.ts'

export interface BreakerSettings {
  /** Consecutive failures that open it. */
  failures: number
  /** How long it stays open. */
  openMs: number
}

/** One call to the endpoint. Whoever was let in says how it ended. */
export interface Attempt {
  succeeded (): void
  /** @param retryAfterMs the endpoint's own word on when to come back; opens at once */
  failed (retryAfterMs?: number): void
}

/** An endpoint may ask for a day; a lesson is shorter. */
const longestMs = 600_000

/**
 * Leaves a failing endpoint alone (Nygard 2007, "Release It!"): after some failures in a row nobody is let in for a
 * while, then one call probes whether it has come back. Nothing is ever asked twice.
 */
export class Breaker {
  readonly #settings: BreakerSettings
  readonly #now: () => number
  #inARow = 0
  #openUntil: number | undefined
  #probing = false
  /** Calls that began before it last opened or closed no longer count. */
  #round = 0

  constructor (settings: BreakerSettings, now: () => number = () => performance.now()) {
    this.#settings = settings
    this.#now = now
  }

  /** @throws RemoteFailure ANALYZER_OPEN */
  check (): void {
    if (this.#openUntil !== undefined && (this.#now() < this.#openUntil || this.#probing)) throw new RemoteFailure('ANALYZER_OPEN')
  }

  /** @throws RemoteFailure ANALYZER_OPEN */
  enter (): Attempt {
    this.check()
    this.#probing = this.#openUntil !== undefined
    const round = this.#round
    const counts = (): boolean => round === this.#round
    return {
      succeeded: () => { if (counts()) this.#close() },
      failed: retryAfterMs => {
        if (!counts()) return
        this.#inARow++
        if (retryAfterMs !== undefined) this.#open(retryAfterMs)
        else if (this.#probing || this.#inARow >= this.#settings.failures) this.#open(this.#settings.openMs)
      }
    }
  }

  #open (ms: number): void {
    this.#openUntil = this.#now() + Math.min(ms, longestMs)
    this.#probing = false
    this.#inARow = 0
    this.#round++
  }

  #close (): void {
    // After a probe, older calls that are still out must not count against what has just been seen to work.
    if (this.#openUntil !== undefined) this.#round++
    this.#openUntil = undefined
    this.#probing = false
    this.#inARow = 0
  }
}
