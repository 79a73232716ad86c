/** A token bucket: `perSecond` tokens come in, at most `burst` are saved up. */
export class Bucket {
  readonly #perMs: number
  readonly #burst: number
  #tokens: number
  #at: number

  constructor (perSecond: number, burst: number, now: number) {
    this.#perMs = perSecond / 1000
    this.#burst = burst
    this.#tokens = burst
    this.#at = now
  }

  /** Takes `cost` tokens: 0 when they were there, else the milliseconds until they will be; then nothing is taken. */
  take (now: number, cost = 1): number {
    if (now > this.#at) {
      this.#tokens = Math.min(this.#burst, this.#tokens + (now - this.#at) * this.#perMs)
      this.#at = now
    }
    if (this.#tokens >= cost) {
      this.#tokens -= cost
      return 0
    }
    return Math.ceil((cost - this.#tokens) / this.#perMs)
  }
}
