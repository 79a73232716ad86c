import fc from 'fast-check'
import type { Redis } from 'ioredis'
import t, { type Test } from 'tap'
import type { Leases } from '../../../lib/core/leases.ts'
import { createMemoryLeases } from '../../../lib/core/leases-memory.ts'
import { createRedisLeases } from '../../../lib/core/leases-redis.ts'
import { age } from '../../conformance/age.ts'
import { unlessLate } from '../../late.ts'
import { useRedis } from '../../redis.ts'

const leaseMs = 3_600_000

/** Leases of a process that does not come to renew them while the test runs. */
function leasesOf (t: Test, redis: Redis): Leases {
  const leases = createRedisLeases({ client: () => redis, leaseMs, onUnavailable: cause => { throw cause } })
  t.teardown(() => leases.close())
  return leases
}

type Step =
  | { does: 'hold', process: number, set: string, member: number, max: number | undefined }
  | { does: 'release', process: number, set: string, member: number }
  | { does: 'crash', process: number }

const sets = ['a', 'b']

function histories (processes: number): fc.Arbitrary<Step[]> {
  const at = { process: fc.nat(processes - 1), set: fc.constantFrom(...sets), member: fc.nat(2) }
  const hold = fc.record({ does: fc.constant('hold' as const), ...at, max: fc.constantFrom(undefined, 0, 1, 2, 4) })
  const release = fc.record({ does: fc.constant('release' as const), ...at })
  const crash = fc.record({ does: fc.constant('crash' as const), process: at.process })
  return fc.array(fc.oneof({ weight: 5, arbitrary: hold }, { weight: 4, arbitrary: release }, { weight: 1, arbitrary: crash }), { minLength: 10, maxLength: 40 })
}

/** Lists of who is in each set: the law in its plainest form. */
class Model {
  readonly sets = new Map<string, Set<string>>(sets.map(set => [set, new Set()]))

  hold (set: string, member: string, max = Infinity) {
    const members = this.sets.get(set)!
    const before = members.size
    if (!members.has(member) && before >= max) return { held: false, first: false, count: before }
    members.add(member)
    return { held: true, first: before === 0, count: members.size }
  }

  release (set: string, member: string) {
    const members = this.sets.get(set)!
    return { last: members.delete(member) && members.size === 0, count: members.size }
  }

  crash (process: number) {
    for (const members of this.sets.values()) {
      for (const member of members) if (member.startsWith(`${process}:`)) members.delete(member)
    }
  }
}

/** Plays histories of several processes against the model; `crash` ends one as a power cut would, a lease later. */
async function playAgainstModel (open: () => Promise<Leases[]>, processes: number, crash: (leases: Leases[], index: number, model: Model) => Promise<void>): Promise<Record<string, number>> {
  const seen: Record<string, number> = {}
  await fc.assert(fc.asyncProperty(histories(processes), async history => await unlessLate(async () => {
    const all = await open()
    const model = new Model()
    for (const step of history) {
      if (step.does === 'crash') {
        model.crash(step.process)
        await crash(all, step.process, model)
      } else {
        const leases = all[step.process]!
        const member = `${step.process}:${step.member}`
        const [is, law] = step.does === 'hold'
          ? [await leases.hold(step.set, member, step.max), model.hold(step.set, member, step.max)]
          : [await leases.release(step.set, member), model.release(step.set, member)]
        const [told, expected] = [JSON.stringify(is), JSON.stringify(law)]
        if (told !== expected) throw new Error(`${JSON.stringify(step)}: ${told}, not ${expected}`)
        seen[expected.replace(/\d+/g, '')] = (seen[expected.replace(/\d+/g, '')] ?? 0) + 1
      }
      for (const leases of all) {
        for (const set of sets) {
          const [count, expected] = [await leases.count(set), model.sets.get(set)!.size]
          if (count !== expected) throw new Error(`after ${JSON.stringify(step)}: ${count} in ${set}, not ${expected}`)
        }
      }
    }
  })), { numRuns: 100, seed: 5 })
  return seen
}

t.test('three processes hold, release and crash in any order as the model says', async t => {
  const redis = (await useRedis(t)).client()
  const seen = await playAgainstModel(async () => {
    await redis.flushdb()
    return [0, 1, 2].map(() => leasesOf(t, redis))
  }, 3, async (all, index, model) => {
    all[index] = leasesOf(t, redis)
    await age(redis, leaseMs)
    if (await redis.dbsize() !== 0) throw new Error('a lease did not end')
    // The others renew what they hold.
    for (const [set, members] of model.sets) for (const member of members) await all[Number(member[0])]!.hold(set, member)
  })
  t.equal(Object.values(seen).filter(times => times > 20).length, 5, `each kind of answer came often: ${JSON.stringify(seen)}`)
})

t.test('one process in memory does as the model says', async t => {
  const seen = await playAgainstModel(async () => [createMemoryLeases()], 1, async all => { all[0] = createMemoryLeases() })
  t.equal(Object.values(seen).filter(times => times > 20).length, 5, JSON.stringify(seen))
})
