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

/** A turn for each key; what is idle is forgotten. */
export class Turns {
  readonly #limit: number
  readonly #turns = new Map<string, { turn: Turn, tasks: number }>()

  constructor (limit: number) { this.#limit = limit }

  /** The task's result, or undefined when too many wait. Its failure is the caller's. */
  async take<R> (key: string, task: () => Promise<R>): Promise<R | undefined> {
    const entry = this.#turns.get(key) ?? { turn: new Turn(this.#limit), tasks: 0 }
    this.#turns.set(key, entry)
    let result: R | undefined
    entry.tasks++
    try {
      await entry.turn.take(async () => { result = await task() })
      return result
    } finally {
      if (--entry.tasks === 0) this.#turns.delete(key)
    }
  }
}
