import fc from 'fast-check'
import type { Test } from 'tap'
import type { Journal, Position } from '../../lib/core/journal.ts'
import { event, ttlSeconds, type JournalBackend } from './journal.ts'
import { unlessLate } from '../late.ts'

/** Random histories against the law in its plainest form: a list for each room. */

const bound = 5
const rooms = ['session:s1', 'session:s2'] as const
const namespace = '/sessions'

type Step = { room: number } & (
  | { does: 'append', id: string | undefined }
  | { does: 'read', from: number, limit: number, elsewhere: boolean }
  | { does: 'oldest', limit: number }
  | { does: 'age', ms: number }
)

const room = fc.nat(rooms.length - 1)
const ids = fc.oneof(fc.constant(undefined), fc.constantFrom('a', 'b', 'c'), fc.nat(12).map(number => `status#${number}`))
const histories = fc.array(fc.oneof(
  { weight: 8, arbitrary: fc.record({ does: fc.constant('append' as const), room, id: ids }) },
  { weight: 5, arbitrary: fc.record({ does: fc.constant('read' as const), room, from: fc.integer({ min: -2, max: 12 }), limit: fc.integer({ min: 1, max: 7 }), elsewhere: fc.boolean() }) },
  { weight: 1, arbitrary: fc.record({ does: fc.constant('oldest' as const), room, limit: fc.integer({ min: 1, max: 7 }) }) },
  { weight: 1, arbitrary: fc.record({ does: fc.constant('age' as const), room, ms: fc.constantFrom(ttlSeconds * 600, ttlSeconds * 1000 + 1) }) }
), { minLength: 10, maxLength: 60 })

/** One room: its events with their offsets, and when they and the room end, counted in the time that has passed. */
class Model {
  epoch = 0
  offset = 0
  events: { id: string, offset: number }[] = []
  highest = -1
  eventsUntil = 0
  until = 0

  touch (now: number): void {
    if (this.until <= now) {
      this.epoch++
      this.offset = 0
      this.events = []
      this.highest = -1
    }
    if (this.eventsUntil <= now) this.events = []
  }

  /** Asking keeps the room only when less than half of its life is left; this model's time comes in steps that make no difference of it. */
  asked (now: number): void {
    this.touch(now)
    this.until = now + ttlSeconds * 1000
  }

  append (id: string, now: number): number {
    this.touch(now)
    const known = this.events.find(one => one.id === id)
    if (known) return known.offset
    const [, number] = /^status#(\d+)$/.exec(id) ?? []
    if (number !== undefined) {
      if (Number(number) <= this.highest) return this.offset
      this.highest = Number(number)
    }
    this.events.push({ id, offset: ++this.offset })
    if (this.events.length > bound) this.events.shift()
    this.until = this.eventsUntil = now + ttlSeconds * 1000
    return this.offset
  }

  read (from: number, limit: number, now: number): string[] | 'lost' {
    this.asked(now)
    if (from < this.offset - this.events.length || from > this.offset) return 'lost'
    return this.events.filter(one => one.offset > from).slice(0, limit).map(one => one.id)
  }
}

/** Plays a history; throws where journal and model disagree. Returns what was answered, by kind. */
async function play (journal: Journal, age: JournalBackend['age'], history: readonly Step[]): Promise<string[]> {
  const models = rooms.map(() => new Model())
  const epochs = new Map<string, string>()
  const kinds: string[] = []
  let now = 0
  let fresh = 0

  /** Epochs are compared by which is which: the same in the model is the same here. */
  function same (step: Step, position: Position): void {
    const model = models[step.room] as Model
    const name = `${step.room} ${model.epoch}`
    const known = epochs.get(name)
    if (known === undefined && [...epochs.values()].includes(position.epoch) && [...epochs].some(([other, epoch]) => other.startsWith(`${step.room} `) && epoch === position.epoch)) {
      throw new Error(`${JSON.stringify(step)}: the epoch should be new`)
    }
    epochs.set(name, known ?? position.epoch)
    if ((known ?? position.epoch) !== position.epoch) throw new Error(`${JSON.stringify(step)}: another epoch`)
  }

  for (const step of history) {
    const model = models[step.room] as Model
    const home = rooms[step.room] as string
    if (step.does === 'age') {
      await age(step.ms)
      now += step.ms
    } else if (step.does === 'append') {
      const id = step.id ?? `fresh-${fresh++}`
      const offset = model.append(id, now)
      const is = await journal.append(event(id, { id, home }))
      if (is.offset !== offset) throw new Error(`${JSON.stringify(step)}: ${is.offset}, not ${offset}`)
      same(step, is)
      kinds.push(offset === model.offset && model.events.at(-1)?.id === id ? 'appended' : 'known')
    } else {
      const law = step.does === 'oldest' ? (model.asked(now), model.events.slice(0, step.limit).map(one => one.id)) : model.read(step.from, step.limit, now)
      const { epoch } = await journal.position(namespace, home)
      const elsewhere = step.does === 'read' && step.elsewhere
      const page = step.does === 'oldest'
        ? await journal.oldest(namespace, home, step.limit)
        : await journal.read(namespace, home, { epoch: elsewhere ? '1' : epoch, offset: step.from }, step.limit)
      const is = page.lost ? 'lost' : page.events.map(one => one.payload)
      const expected = elsewhere ? 'lost' : law
      if (JSON.stringify(is) !== JSON.stringify(expected)) throw new Error(`${JSON.stringify(step)}: ${JSON.stringify(is)}, not ${JSON.stringify(expected)}`)
      if (page.position.offset !== model.offset) throw new Error(`${JSON.stringify(step)}: at ${page.position.offset}, not ${model.offset}`)
      same(step, page.position)
      kinds.push(expected === 'lost' ? 'lost' : expected.length === 0 ? 'nothing' : 'events')
    }
  }
  return kinds
}

export function journalModel (t: Test, backend: JournalBackend, numRuns = 200): void {
  t.test(`${numRuns} random histories go as the model says`, async t => {
    const counts: Record<string, number> = {}
    await fc.assert(fc.asyncProperty(histories, async history => await unlessLate(async () => {
      const journal = await backend.open({ events: bound })
      for (const kind of await play(journal, backend.age, history)) counts[kind] = (counts[kind] ?? 0) + 1
      await journal.close()
    })), { numRuns, seed: 3 })
    t.equal(Object.values(counts).filter(count => count > numRuns / 4).length, 5, `each answer came often: ${JSON.stringify(counts)}`)
  })
}
