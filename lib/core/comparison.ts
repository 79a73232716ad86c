/** Rooms that are to be compared with the journal: some at once, and one that fails keeps no other from it. */

/** How soon what failed is looked at again (ms). */
const againMs = 1_000
/** One after the other they would wait for each other when Redis is late. */
const atOnce = 16

export class Comparison {
  readonly #due = new Set<string>()
  readonly #failed = new Set<string>()
  readonly #isCurrent: (key: string) => Promise<boolean>
  #busy = false
  #again: NodeJS.Timeout | undefined

  /** @param isCurrent looks at one of them; it resolves with false for one that could not be looked at, and does not reject */
  constructor (isCurrent: (key: string) => Promise<boolean>) { this.#isCurrent = isCurrent }

  ask (key: string): void {
    this.#due.add(key)
    if (!this.#busy) void this.#run()
  }

  stop (): void { clearTimeout(this.#again) }

  async #run (): Promise<void> {
    this.#busy = true
    const work = async (): Promise<void> => {
      // What is asked for meanwhile comes along.
      for (const key of this.#due) {
        this.#due.delete(key)
        if (!await this.#isCurrent(key)) this.#failed.add(key)
      }
    }
    await Promise.resolve() // until all that are asked for at once are there
    await Promise.all(Array.from({ length: atOnce }, work))
    this.#busy = false
    if (this.#failed.size > 0) this.#again ??= setTimeout(() => this.#lookAgain(), againMs).unref()
  }

  #lookAgain (): void {
    this.#again = undefined
    const failed = [...this.#failed]
    this.#failed.clear()
    for (const key of failed) this.ask(key)
  }
}
