/** Runs something once for everything that asks for it within a time: the newest of many is told, not each. */
export class Later {
  readonly #timers = new Map<string, NodeJS.Timeout>()
  readonly #onError: (error: unknown) => void

  constructor (onError: (error: unknown) => void) { this.#onError = onError }

  /** Runs `task` after `ms`, unless something of this name waits already; with `restart` that is replaced. */
  run (name: string, ms: number, task: () => Promise<unknown>, restart = false): void {
    if (this.#timers.has(name) && !restart) return
    this.cancel(name)
    this.#timers.set(name, setTimeout(() => {
      this.#timers.delete(name)
      task().catch(this.#onError)
    }, ms).unref())
  }

  has (name: string): boolean { return this.#timers.has(name) }

  /** True when something of this name was waiting. */
  cancel (name: string): boolean {
    clearTimeout(this.#timers.get(name))
    return this.#timers.delete(name)
  }

  stop (): void {
    for (const timer of this.#timers.values()) clearTimeout(timer)
    this.#timers.clear()
  }
}
