import type { User } from './access.ts'

const minute = 60_000
/** The longest timer that Node can set without wrapping around. */
const longest = 2_147_483_647

/** Watches over the end of a token: a warning one minute before, then the end. No timer keeps the process alive. */
export class Lifetime {
  #timer: NodeJS.Timeout | undefined
  readonly #on: { expiring: (expiresAt: string) => void, expired: () => void }

  constructor (on: { expiring: (expiresAt: string) => void, expired: () => void }) { this.#on = on }

  /** Starts anew from the user's `exp`. */
  follow (user: User): void {
    this.stop()
    this.#wait(user.exp * 1000, false)
  }

  stop (): void { clearTimeout(this.#timer) }

  #wait (end: number, warned: boolean): void {
    const next = warned ? end : end - minute
    this.#timer = setTimeout(() => {
      if (Date.now() < next) this.#wait(end, warned)
      else if (warned) this.#on.expired()
      else {
        this.#on.expiring(new Date(end).toISOString())
        this.#wait(end, true)
      }
    }, Math.min(longest, Math.max(0, next - Date.now())))
    this.#timer.unref()
  }
}
