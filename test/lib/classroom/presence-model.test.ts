import fc from 'fast-check'
import type { Redis } from 'ioredis'
import t, { type Test } from 'tap'
import type { Change, PresenceStore, Sign } from '../../../lib/classroom/presence.ts'
import { createMemoryPresence } from '../../../lib/classroom/presence-memory.ts'
import { createRedisPresence, presenceKeys } from '../../../lib/classroom/presence-redis.ts'
import type { PresenceStatus } from '../../../lib/classroom/schema.ts'
import { unlessLate } from '../../late.ts'
import { useRedis } from '../../redis.ts'

/**
 * Presence against a model: several processes with their tabs, in any order of joins, leaves, cut connections, kills,
 * outages and waiting. Steps of time are never near a boundary, and so long that the time of the test itself is nothing.
 */
const unit = 1_100_000
const times = { leaseMs: 6_000_000, graceMs: 3_000_000, idleAfterMs: 9_000_000, awayAfterMs: 17_000_000 }

type Step =
  | { does: 'here' | 'leave' | 'drop', process: number, user: number, tab: number }
  | { does: 'say', process: number, user: number, tab: number, status: PresenceStatus }
  | { does: 'renew', process: number }
  | { does: 'kill', process: number }
  | { does: 'outage', process: number, units: number }
  | { does: 'wait', units: number }
  | { does: 'stay', turns: number }

const tab = { process: fc.nat(2), user: fc.nat(2), tab: fc.nat(1) }
const just = <const D>(does: D) => fc.constant(does)
const histories = fc.array(fc.oneof(
  { weight: 6, arbitrary: fc.record({ does: just('here'), ...tab }) },
  { weight: 3, arbitrary: fc.record({ does: just('leave'), ...tab }) },
  { weight: 3, arbitrary: fc.record({ does: just('drop'), ...tab }) },
  { weight: 3, arbitrary: fc.record({ does: just('say'), ...tab, status: fc.constantFrom('active', 'idle', 'away') }) },
  { weight: 5, arbitrary: fc.record({ does: just('renew'), process: fc.nat(2) }) },
  { weight: 1, arbitrary: fc.record({ does: just('kill'), process: fc.nat(2) }) },
  { weight: 1, arbitrary: fc.record({ does: just('outage'), process: fc.nat(2), units: fc.constantFrom(6, 20) }) },
  { weight: 6, arbitrary: fc.record({ does: just('wait'), units: fc.constantFrom(1, 2, 3, 7, 30) }) },
  { weight: 2, arbitrary: fc.record({ does: just('stay'), turns: fc.constantFrom(3, 7) }) }
), { minLength: 10, maxLength: 40 }) as fc.Arbitrary<Step[]>

interface ModelSeat { process: number, user: string, seat: string, ends: number, status: PresenceStatus, at: number }

/** The law in its plainest form: a list of seats, and for each user the end of a grace. */
class Model {
  now = 0
  seats: ModelSeat[] = []
  graces = new Map<string, { until: number, status: PresenceStatus }>()

  statusOf (user: string): PresenceStatus | undefined {
    const own = this.seats.filter(one => one.user === user && one.ends > this.now).map(one => {
      const quiet = this.now - one.at
      if (one.status === 'away' || quiet >= times.awayAfterMs) return 'away'
      return one.status === 'idle' || quiet >= times.idleAfterMs ? 'idle' : 'active'
    })
    for (const status of ['active', 'idle', 'away'] as const) if (own.includes(status)) return status
    const grace = this.graces.get(user)
    return grace && grace.until > this.now ? grace.status : undefined
  }

  /** Everybody settles at every look, so what has lapsed by then is as if it had never been. */
  settle (): void { this.seats = this.seats.filter(one => one.ends > this.now) }

  present (): string[] {
    return ['u0', 'u1', 'u2'].flatMap(user => {
      const status = this.statusOf(user)
      return status ? [`${user} ${status}`] : []
    })
  }
}

/** What a client believes who hears every announcement and nothing else. */
class Listener {
  readonly believes = new Map<string, string>()
  readonly #seen: Map<string, number>
  constructor (seen: Map<string, number>) { this.#seen = seen }

  hear (changes: readonly Change[]): void {
    for (const { userId, status } of changes) {
      this.#seen.set(status, (this.#seen.get(status) ?? 0) + 1)
      if (status === 'left' || status === 'disconnected') {
        if (!this.believes.delete(userId)) throw new Error(`${userId} went twice`)
      } else if (this.believes.get(userId) === status) throw new Error(`${userId} became ${status} twice`)
      else this.believes.set(userId, status)
    }
  }

  present (): string[] { return [...this.believes].map(([user, status]) => `${user} ${status}`).sort() }
}

async function play (history: readonly Step[], store: PresenceStore, pass: (ms: number) => Promise<void>, seen: Map<string, number>): Promise<void> {
  const model = new Model()
  const listener = new Listener(seen)
  const tick = async (process: number, late = false): Promise<void> => {
    const own = model.seats.filter(one => one.process === process)
    if (late) for (const one of model.seats) one.ends = model.now + times.leaseMs
    for (const one of own) one.ends = model.now + times.leaseMs
    listener.hear((await store.apply('s', own.map(({ user, seat }): Sign => ({ kind: 'renew', userId: user, seat, name: user, role: 'student' })), late)).changes)
  }
  for (const step of history) {
    if (step.does === 'wait') {
      model.now += step.units * unit
      await pass(step.units * unit)
    } else if (step.does === 'stay') {
      // A quiet lesson: time goes by, and every process keeps its seats.
      for (let turn = 0; turn < step.turns; turn++) {
        model.now += 3 * unit
        await pass(3 * unit)
        model.settle()
        for (const process of [0, 1, 2]) await tick(process)
      }
    } else if (step.does === 'renew') await tick(step.process)
    else if (step.does === 'kill') model.seats = model.seats.map(one => one.process === step.process ? { ...one, process: -1 } : one)
    else if (step.does === 'outage') {
      // Nobody can look while Redis is away; the first one who can again vouches for all.
      model.now += step.units * unit
      await pass(step.units * unit)
      await tick(step.process, true)
    } else {
      const user = `u${step.user}`
      const seat = `${step.process}:${step.tab}`
      const before = model.statusOf(user)
      const known = model.seats.find(one => one.user === user && one.seat === seat)
      if (step.does === 'here') {
        model.seats = model.seats.filter(one => one !== known)
        model.seats.push({ process: step.process, user, seat, ends: model.now + times.leaseMs, status: 'active', at: model.now })
        model.graces.delete(user)
        listener.hear((await store.apply('s', [{ kind: 'here', userId: user, seat, name: user, role: 'student' }])).changes)
      } else if (step.does === 'say') {
        if (known) Object.assign(known, { status: step.status, at: model.now })
        listener.hear((await store.apply('s', [{ kind: 'say', userId: user, seat, status: step.status }])).changes)
      } else {
        model.seats = model.seats.filter(one => one !== known)
        if (known && step.does === 'drop' && !model.seats.some(one => one.user === user)) model.graces.set(user, { until: model.now + times.graceMs, status: before as PresenceStatus })
        listener.hear((await store.apply('s', [{ kind: step.does, userId: user, seat }])).changes)
      }
    }
    const { people, count, changes } = await store.people('s')
    listener.hear(changes)
    model.settle()
    const law = model.present()
    const stored = people.map(one => `${one.userId} ${one.status}`).sort()
    for (const [what, is] of [['stored', stored], ['announced', listener.present()]] as const) {
      if (is.join() !== law.join()) throw new Error(`after ${JSON.stringify(step)}: ${what} ${is.join()}, not ${law.join()}`)
    }
    if (count !== law.length) throw new Error(`counted ${count}, not ${law.length}`)
    seen.set(`${law.length} there`, (seen.get(`${law.length} there`) ?? 0) + 1)
  }
}

function often (t: Test, seen: Map<string, number>): void {
  for (const what of ['idle', 'away', 'left', 'disconnected', '0 there', '1 there', '2 there', '3 there']) t.ok((seen.get(what) ?? 0) > 10, `${what}: ${seen.get(what)} times`)
}

t.test('in memory, in any order, as the model says', async t => {
  const seen = new Map<string, number>()
  await fc.assert(fc.asyncProperty(histories, async history => {
    let now = 1_000_000_000_000
    await play(history, createMemoryPresence(times, () => now), async ms => { now += ms }, seen)
  }), { numRuns: 2000, seed: 7 })
  often(t, seen)
})

t.test('on Redis, in any order, as the model says', async t => {
  const redis = (await useRedis(t)).client()
  const seen = new Map<string, number>()
  await fc.assert(fc.asyncProperty(histories, async history => await unlessLate(async () => {
    await redis.flushdb()
    await play(history, createRedisPresence(() => redis, times), async ms => await older(redis, ms), seen)
  })), { numRuns: 300, seed: 8 })
  often(t, seen)
})

/** Makes the class `ms` older, as if nobody had looked for that long. */
async function older (redis: Redis, ms: number): Promise<void> {
  const keys = [presenceKeys.people({ sessionId: 's' }), presenceKeys.due({ sessionId: 's' })] as const
  for (const [user, row] of Object.entries(await redis.hgetall(keys[0]))) {
    const one = JSON.parse(row) as { seats: Record<string, { ends: number, at: number }>, gone?: number }
    for (const seat of Object.values(one.seats)) Object.assign(seat, { ends: seat.ends - ms, at: seat.at - ms })
    if (one.gone !== undefined) one.gone -= ms
    await redis.hset(keys[0], user, JSON.stringify(one))
    await redis.zincrby(keys[1], -ms, user)
  }
}
