import type { Counters } from '../core/counters.ts'
import { ClasswavesError } from '../core/errors.ts'
import type { Limits } from '../core/limits.ts'
import { networkOf } from '../core/network.ts'
import { Turns } from '../core/turn.ts'

const minute = 60_000
const day = 24 * 60 * minute
/** Joins of one address that may wait for their turn: a school behind one router. */
const waiting = 2_000

export interface Guesses {
  /**
   * Looks a code up for somebody at this address. Wrong ones are counted, over all doors and accounts together.
   * @param look rejects with SESSION_NOT_FOUND when the code opens nothing to them
   * @throws ClasswavesError RATE_LIMITED after too many wrong codes, whatever this one is
   */
  look<T> (address: string, look: () => Promise<T>): Promise<T>
}

export function createGuesses ({ counters, limits }: { counters: Counters, limits: Limits }): Guesses {
  const windows = (network: string): [string, number, number][] => [
    [`codes:minute:${network}`, limits.wrongCodesPerMinute, minute],
    [`codes:day:${network}`, limits.wrongCodesPerDay, day]
  ]
  // One code of an address after the other, so that a burst is counted before it is answered.
  const turns = new Turns(waiting)

  return {
    async look (address, look) {
      const network = networkOf(address)
      const found = await turns.take(network, async () => {
        for (const window of windows(network)) {
          const { allowed, retryAfterMs } = await counters.peek(...window)
          if (!allowed) throw new ClasswavesError('RATE_LIMITED', 'Too many wrong codes from this address.', { retryAfterMs })
        }
        try {
          return { it: await look() }
        } catch (error) {
          if (error instanceof ClasswavesError && error.code === 'SESSION_NOT_FOUND') for (const window of windows(network)) await counters.take(...window)
          throw error
        }
      })
      if (!found) throw new ClasswavesError('RATE_LIMITED', undefined, { retryAfterMs: 1_000 })
      return found.it
    }
  }
}
