import { ask, type AskedClient, type ClientOf } from './ask.ts'
import { key } from './key.ts'
import { leaseDefaultMs, type Held, type Leases } from './leases.ts'
import { Holdings } from './leases-memory.ts'
import { script } from './script.ts'

export const leasesKeys = {
  lease: key('core:lease:{set}', { ttl: 'the lease', purpose: 'Who is in a set, with the end of each lease' })
}

const hold = script('core_lease_hold', ['lease'], ['member', 'leaseMs', 'max'], (reply): Held => {
  const [held, first, count] = reply as [number, number, number]
  return { held: held === 1, first: first === 1, count }
}, { once: true })

/** Says the same again when it is sent again, so it needs no memory of its answers. */
const renew = script('core_lease_renew', ['lease'], ['members', 'leaseMs'], () => undefined)

const release = script('core_lease_release', ['lease'], ['member'], reply => reply as number, { once: true })

const count = script('core_lease_count', ['lease'], [], reply => reply as number)

export const leasesScripts = [hold, renew, release, count] as const

export interface RedisLeasesOptions {
  client: ClientOf
  leaseMs?: number
  /** Hears of each question that was answered without Redis, and why. */
  onUnavailable?: (cause: unknown) => void
}

/** How many sets, and members of a set, are asked for at a time: few enough to be done well within the deadline, also by a busy Redis. */
const batch = 100

/**
 * Leases that all processes share. What this process holds is always known here as well, and counts even while Redis
 * has lost it: after an outage or a restart of Redis, until the next renewal.
 */
export function createRedisLeases ({ client, leaseMs = leaseDefaultMs, onUnavailable }: RedisLeasesOptions): Leases {
  const own = new Holdings()
  const lease = (set: string): { lease: string } => ({ lease: leasesKeys.lease({ set }) })
  const timer = setInterval(renewAll, leaseMs / 3).unref()

  function renewAll (): Promise<void> {
    return inBatches(async (redis, set, members) => {
      // Some may have been released while the batches before this one were under way.
      const still = members.filter(member => own.has(set, member))
      if (still.length > 0) await renew(redis, lease(set), { members: JSON.stringify(still), leaseMs })
    })
  }

  async function countAll (set: string): Promise<number> {
    try {
      const there = await ask(client, redis => count(redis, lease(set), {}))
      return Math.max(own.count(set), there)
    } catch (cause) {
      onUnavailable?.(cause)
      return own.count(set)
    }
  }

  async function inBatches (work: (redis: AskedClient, set: string, members: readonly string[]) => Promise<unknown>): Promise<void> {
    const all = own.all().flatMap(([set, members]) => slices(members).map(some => [set, some] as const))
    try {
      for (const some of slices(all)) await ask(client, redis => Promise.all(some.map(([set, members]) => work(redis, set, members))))
    } catch (cause) {
      onUnavailable?.(cause)
    }
  }

  return {
    async hold (set, member, max) {
      const here = own.hold(set, member, max)
      // Full with our own alone, whatever Redis knows of them.
      if (!here.held) return { ...here, count: await countAll(set) }
      try {
        const there = await ask(client, redis => hold(redis, lease(set), { member, leaseMs, max: max ?? '' }))
        if (!there.held) own.release(set, member)
        return { held: there.held, first: here.first && there.first, count: Math.max(own.count(set), there.count) }
      } catch (cause) {
        onUnavailable?.(cause)
        return here
      }
    },

    async release (set, member) {
      const { removed, ...here } = own.release(set, member)
      try {
        const there = await ask(client, redis => release(redis, lease(set), { member }))
        const count = Math.max(own.count(set), there)
        // Also when Redis had lost this lease: it ends here all the same, and somebody has to say so.
        return { last: removed && count === 0, count }
      } catch (cause) {
        onUnavailable?.(cause)
        return here
      }
    },

    count: countAll,

    async close () {
      clearInterval(timer)
      const released = inBatches((redis, set, members) => Promise.all(members.map(member => release(redis, lease(set), { member }))))
      // At once, so that a renewal under way brings nothing back.
      own.clear()
      await released
    }
  }
}

function slices<T> (all: readonly T[]): T[][] {
  return Array.from({ length: Math.ceil(all.length / batch) }, (_, i) => all.slice(i * batch, (i + 1) * batch))
}
