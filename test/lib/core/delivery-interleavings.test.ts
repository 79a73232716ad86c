import fc, { type Scheduler } from 'fast-check'
import t from 'tap'
import type { Followed } from '../../../lib/core/cursor.ts'
import { createMemoryJournal } from '../../../lib/core/journal-memory.ts'
import type { Position } from '../../../lib/core/journal.ts'
import { event } from '../../conformance/journal.ts'
import { tier } from '../../faults/tier.ts'
import { Process, Reader, Wire } from './delivery-world.ts'

/**
 * Readers come, go and come back while events are said. Every answer of the journal, every message and every timer is
 * a step of its own, and a scheduler tries the orders in which they may happen; messages are lost and doubled as well.
 */

type Fate = 'comes' | 'lost' | 'twice'
interface Plan { events: number, fates: Fate[], visits: number[], bound: number }

const plans: fc.Arbitrary<Plan> = fc.record({
  events: fc.integer({ min: 1, max: 12 }),
  fates: fc.array(fc.constantFrom<Fate>('comes', 'comes', 'comes', 'lost', 'twice'), { minLength: 24, maxLength: 24 }),
  visits: fc.array(fc.integer({ min: 1, max: 3 }), { minLength: 1, maxLength: 3 }),
  bound: fc.constantFrom(3, 1000, 1000)
})

interface Visit { reader: Reader, since: Position | undefined, followed: Followed }
type Kind = 'fresh' | 'nothing missed' | 'recovered' | 'lost'

/**
 * What a visit must have got: all from where it was, or, when that was lost, all from where it is now. Where fewer events
 * are kept than were said a process may fall behind as well; then its readers see the hole by the offsets.
 */
function check ({ reader, since, followed }: Visit, upTo: number | undefined, isKept: boolean): Kind {
  const { offsets } = reader
  const from = since && followed.recovered ? since.offset : followed.position.offset
  const due = offsets.filter(offset => offset > from)
  const told = JSON.stringify({ since, ...followed, offsets, upTo })
  if (due.some((offset, i) => offset <= (due[i - 1] ?? from))) throw new Error(`twice, or out of order: ${told}`)
  if (isKept && due.some((offset, i) => offset !== from + 1 + i)) throw new Error(`a hole: ${told}`)
  if (isKept && upTo !== undefined && from + due.length !== upTo) throw new Error(`not all of it: ${told}`)
  const early = offsets.filter(offset => offset <= from)
  if (followed.recovered ? early.length > 0 : early.some((offset, i) => offset !== (since as Position).offset + 1 + i)) throw new Error(`what should not come: ${told}`)
  if (!since) return 'fresh'
  if (!followed.recovered) return 'lost'
  return followed.position.offset > since.offset ? 'recovered' : 'nothing missed'
}

async function run (s: Scheduler, { events, fates, visits, bound }: Plan): Promise<Kind[]> {
  const step = async (label: string): Promise<void> => { await s.schedule(Promise.resolve(), label) }
  const restore = scheduleTimers(step)
  const journal = createMemoryJournal({ ttlSeconds: 60, events: bound })
  const wires = [new Wire(journal), new Wire(journal)]
  const processes = wires.map(wire => new Process(wire))
  for (const wire of wires) {
    let message = 0
    wire.before = step
    wire.carry = event => {
      const fate = fates[message++ % fates.length]
      for (let copy = fate === 'lost' ? 0 : fate === 'twice' ? 2 : 1; copy > 0; copy--) void step('message').then(() => wire.hear(event))
    }
  }
  const kinds: Kind[] = []
  const last: Visit[] = []
  try {
    const publishing = (async () => {
      for (let n = 1; n <= events; n++) {
        await step('say')
        await journal.append(event(n))
      }
    })()
    const visiting = visits.map(async (count, i) => {
      let since: Position | undefined
      for (let visit = 0; visit < count; visit++) {
        await step('come')
        const reader = new Reader(processes[(i + visit) % 2] as Process, `${i}.${visit}`)
        const followed = await reader.follow(since)
        await step('stay')
        const made = { reader, since, followed }
        if (visit === count - 1) last.push(made)
        else {
          reader.leave()
          kinds.push(check(made, undefined, bound >= events))
          since = { epoch: followed.position.epoch, offset: Math.max(followed.position.offset, ...reader.offsets) }
        }
      }
    })
    await s.waitFor(Promise.all([publishing, ...visiting]))
    await s.waitIdle()
    for (const wire of wires) wire.reconnected()
    await s.waitIdle()
    for (const visit of last) kinds.push(check(visit, events, bound >= events))
    return kinds
  } finally {
    restore()
    for (const { delivery } of processes) delivery.stop()
  }
}

/** A timer may end at any time: what waits for it must be right whenever that is. */
function scheduleTimers (step: (label: string) => Promise<void>): () => void {
  const real = { setTimeout, clearTimeout }
  const cleared = new WeakSet<object>()
  Object.assign(globalThis, {
    setTimeout (callback: () => void) {
      const timer = {}
      void step('timer').then(() => { if (!cleared.has(timer)) callback() })
      return timer
    },
    clearTimeout (timer: object) { cleared.add(timer) }
  })
  return () => Object.assign(globalThis, real)
}

const numRuns = tier(1500, 10_000)

t.test(`${numRuns} interleavings of saying, coming, going and coming back`, async t => {
  const seen: Record<string, number> = {}
  await fc.assert(fc.asyncProperty(fc.scheduler(), plans, async (s, plan) => {
    for (const kind of await run(s, plan)) seen[kind] = (seen[kind] ?? 0) + 1
  }), { numRuns, seed: 11 })
  t.equal(Object.values(seen).filter(count => count > 100).length, 4, `each kind of visit came often: ${JSON.stringify(seen)}`)
})
