import { ask, type ClientOf } from './ask.ts'
import { countedName, type Counters, type Verdict } from './counters.ts'
import { createMemoryCounters } from './counters-memory.ts'
import { key } from './key.ts'
import { script } from './script.ts'

export const countersKeys = {
  count: key('core:count:{name}:{windowMs}', { ttl: 'the window', purpose: 'What a name has counted towards a limit' })
}

const count = script('core_count', ['count'], ['limit', 'windowMs', 'counts'], (reply): Verdict => {
  const [allowed, retryAfterMs] = reply as [number, number]
  return { allowed: allowed === 1, retryAfterMs }
}, { once: true })

export const countersScripts = [count] as const

export interface RedisCountersOptions {
  client: ClientOf
  /** Hears of each question that the counters of this process had to answer, and why. */
  onUnavailable?: (cause: unknown) => void
}

/** Counters that all processes share. While Redis is away each process counts for itself: a limit is never open. */
export function createRedisCounters ({ client, onUnavailable }: RedisCountersOptions): Counters {
  const twin = createMemoryCounters()

  async function decide (question: keyof Counters, given: string, limit: number, windowMs: number): Promise<Verdict> {
    const name = countedName(given, limit, windowMs)
    try {
      return await ask(client, redis => count(redis, { count: countersKeys.count({ name, windowMs: String(windowMs) }) }, {
        limit, windowMs, counts: question === 'take' ? 1 : 0
      }))
    } catch (cause) {
      onUnavailable?.(cause)
      return await twin[question](given, limit, windowMs)
    }
  }

  return {
    take: (name, limit, windowMs) => decide('take', name, limit, windowMs),
    peek: (name, limit, windowMs) => decide('peek', name, limit, windowMs)
  }
}
