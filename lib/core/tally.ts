import type { Counter, LabelValues } from '@platformatic/prom-client'

/**
 * Counts what happens too often for a counter, which looks at its labels each time: here by two values, and into the
 * counter when somebody asks for it.
 */
export class Tally {
  readonly #counts = new Map<string, Map<string, { times: number }>>()

  add (first: string, second: string): void {
    const count = this.#counts.get(first)?.get(second)
    if (count) count.times++
    else this.#begin(first, second)
  }

  /** Hands over what was counted since the last time. */
  into<A extends string, B extends string> (counter: Counter<A | B>, [first, second]: readonly [A, B]): void {
    for (const [one, counts] of this.#counts) {
      for (const [other, count] of counts) {
        counter.inc({ [first]: one, [second]: other } as LabelValues<A | B>, count.times)
        count.times = 0
      }
    }
  }

  #begin (first: string, second: string): void {
    const counts = this.#counts.get(first) ?? new Map()
    this.#counts.set(first, counts.set(second, { times: 1 }))
  }
}
