/**
 * Runs tasks one after the other, in the order in which they came; at most `limit` of them wait. Each is an async
 * function: it rejects, and never throws. It runs in the async context of whoever gave it, so its trace is theirs.
 */
export class Turn {
  readonly #limit: number
  #running = false
  readonly #waiting: (() => void)[] = []

  constructor (limit: number) { this.#limit = limit }

  /** The end of the task, or undefined when too many wait; then it will not run. It begins at once when it is its turn. */
  take (task: () => Promise<void>): Promise<void> | undefined {
    return this.#waiting.length + Number(this.#running) < this.#limit ? this.last(task) : undefined
  }

  /** A task that runs however many wait: the last one. */
  last (task: () => Promise<void>): Promise<void> {
    if (!this.#running) return this.#run(task)
    // What follows a promise runs in the async context in which it was said what follows.
    return new Promise<void>(resolve => { this.#waiting.push(resolve) }).then(() => this.#run(task))
  }

  #run (task: () => Promise<void>): Promise<void> {
    this.#running = true
    const run = task()
    run.then(this.#next, this.#next) // whoever gave the task sees its failure; the next one must run all the same
    return run
  }

  /** Between one task and the next that waits it is still running: nobody gets in between. */
  readonly #next = (): void => {
    const start = this.#waiting.shift()
    if (start) start()
    else this.#running = false
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
