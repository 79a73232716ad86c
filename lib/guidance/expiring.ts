interface Entry<V> { value: V, expiresAt: number }

/**
 * Values that are forgotten after their time, like keys with a TTL. No timer: what has expired is dropped when it
 * is asked for, and by the writes that follow.
 */
export class Expiring<V> {
  readonly #entries = new Map<string, Entry<V>>()
  readonly #now: () => number
  /** Goes round over all entries, a step with each write. */
  #hand: Iterator<[string, Entry<V>]> = this.#entries[Symbol.iterator]()

  constructor (now: () => number) {
    this.#now = now
  }

  get size (): number { return this.#entries.size }

  /** `now`: for whoever has looked at the clock already. */
  get (name: string, now = this.#now()): V | undefined {
    const entry = this.#entries.get(name)
    if (entry === undefined) return undefined
    if (entry.expiresAt > now) return entry.value
    this.#entries.delete(name)
    return undefined
  }

  /** Stores a value and begins its time anew. */
  set (name: string, value: V, ttlSeconds: number, now = this.#now()): void {
    const expiresAt = now + ttlSeconds * 1000
    const entry = this.#entries.get(name)
    if (entry) {
      entry.value = value
      entry.expiresAt = expiresAt
    } else this.#entries.set(name, { value, expiresAt })
    this.#prune(now)
  }

  /** Drops what has expired up to the second entry that has not: each write makes one and looks at two, so nothing piles up. */
  #prune (now: number): void {
    for (let live = 0; live < 2;) {
      const next = this.#hand.next()
      if (next.done) {
        this.#hand = this.#entries[Symbol.iterator]()
        return
      }
      const [name, { expiresAt }] = next.value
      if (expiresAt > now) live++
      else this.#entries.delete(name)
    }
  }
}
