/** Chance that can be repeated: the same seed makes the same choices. */
export class Random {
  #state: number

  constructor (...seeds: number[]) {
    this.#state = seeds.reduce((state, seed) => Math.imul(state ^ seed, 0x9e3779b1) + 0x6d2b79f5 | 0, 0x2545f491)
  }

  /** From 0 up to, not including, 1. (mulberry32) */
  next (): number {
    this.#state = this.#state + 0x6d2b79f5 | 0
    let z = Math.imul(this.#state ^ this.#state >>> 15, 1 | this.#state)
    z = z + Math.imul(z ^ z >>> 7, 61 | z) ^ z
    return ((z ^ z >>> 14) >>> 0) / 4_294_967_296
  }

  /** A whole number from 0 up to, not including, `end`. */
  below (end: number): number { return Math.floor(this.next() * end) }

  maybe (share: number): boolean { return this.next() < share }

  pick<T> (list: readonly T[]): T { return list[this.below(list.length)] as T }
}
