/** Runs tasks one after the other, in the order in which they came; at most `limit` of them wait. */
export class Turn {
  readonly #limit: number
  #last: Promise<void> = Promise.resolve()
  #waiting = 0

  constructor (limit: number) { this.#limit = limit }

  /** The end of the task, or undefined when too many wait; then it will not run. */
  take (task: () => Promise<void>): Promise<void> | undefined {
    return this.#waiting < this.#limit ? this.last(task) : undefined
  }

  /** A task that runs however many wait: the last one. */
  last (task: () => Promise<void>): Promise<void> {
    this.#waiting++
    const run = this.#last.then(task).finally(() => { this.#waiting-- })
    this.#last = run.catch(() => {}) // whoever gave the task sees its failure; the next one must run all the same
    return run
  }
}
