/**
 * Values that are forgotten after their time, like keys with a TTL. No timer: what has expired is dropped when it
 * is asked for, and by the writes that follow.
 */
export class Expiring<V> {
  readonly #entries = new Map<string, { value: V, expiresAt: number }>()
  readonly #now: () => number
  /** When the oldest is due, as it was last seen; to look at a map from which much was moved away costs. */
  #due = 0

  constructor (now: () => number) {
    this.#now = now
  }

  get size (): number { return this.#entries.size }

  get (name: string): V | undefined {
    const entry = this.#entries.get(name)
    if (entry && entry.expiresAt > this.#now()) return entry.value
    this.#entries.delete(name)
    return undefined
  }

  /** Stores a value and begins its time anew. */
  set (name: string, value: V, ttlSeconds: number): void {
    this.#entries.delete(name)
    this.#entries.set(name, { value, expiresAt: this.#now() + ttlSeconds * 1000 })
    this.#prune()
  }

  /** A write moves its entry to the end, so the oldest stand in front and each write has little to clear away. */
  #prune (): void {
    const now = this.#now()
    if (now < this.#due) return
    for (const [name, entry] of this.#entries) {
      this.#due = entry.expiresAt
      if (entry.expiresAt > now) return
      this.#entries.delete(name)
    }
  }
}
