import { ask } from './ask.ts'
import { within } from './deadline.ts'
import type { RedisClient } from './redis.ts'

/**
 * What time it is, in milliseconds since 1970. Processes that share a Redis share its time: tokens end at one moment for
 * all of them, and what clients are told can be compared, whatever the clocks of the machines say.
 */
export interface Clock {
  now (): number
  /** Until the time is known, but no longer than `ms`; before that the clock of the machine counts. */
  settled (ms: number): Promise<void>
  stop (): void
}

/** The clock of this machine, for one process alone. */
export const ownClock: Clock = { now: () => Date.now(), async settled () {}, stop () {} }

/** How often Redis is asked again (ms): quartz drifts by less than a millisecond meanwhile, and another Redis may have taken over. */
const againMs = 10_000
/** Questions at a time, because the quickest answer says it best. */
const questions = 3

/** Follows `TIME` of Redis. In between, and while Redis is away, it goes on with the steady clock of the process, which nobody sets. */
export function createRedisClock (redis: RedisClient): Clock {
  /** Redis' time when `performance.now()` was 0, and how far that may be off (ms). */
  let zero: number | undefined
  let error = Infinity
  let known = (): void => {}
  const first = new Promise<void>(resolve => { known = resolve })

  async function look (): Promise<void> {
    const asked = performance.now()
    const [seconds, micros] = await redis.time()
    const half = (performance.now() - asked) / 2
    const seen = Number(seconds) * 1000 + Number(micros) / 1000 - (asked + half)
    // What lies within the error of both says nothing new; else a clock was set, or Redis is another one.
    if (zero !== undefined && half >= error && Math.abs(seen - zero) <= half + error) return
    zero = seen
    error = half
    known()
  }

  async function follow (): Promise<void> {
    if (redis.status !== 'ready') return
    for (let i = 0; i < questions; i++) await ask(() => redis, look)
  }

  const again = (): void => { follow().catch(() => {}) } // without an answer it goes on with what it knows
  const timer = setInterval(again, againMs).unref()
  redis.on('ready', again)
  again()

  return {
    now: () => zero === undefined ? Date.now() : Math.floor(zero + performance.now()),
    async settled (ms) { await within(ms, first, () => {}) },
    stop () {
      clearInterval(timer)
      redis.off('ready', again)
    }
  }
}
