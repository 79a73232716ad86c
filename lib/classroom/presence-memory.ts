import { applySigns, byArrival, personOf, type Attendee, type PresenceStore, type PresenceTimes, type Settled, type Sign } from './presence.ts'

/** Presence of this process alone. */
export function createMemoryPresence (times: PresenceTimes, now: () => number = Date.now): PresenceStore {
  const classes = new Map<string, Map<string, Attendee>>()

  function apply (sessionId: string, signs: readonly Sign[], late: boolean): Settled {
    const people = classes.get(sessionId) ?? new Map<string, Attendee>()
    const at = now()
    if (late) for (const { seats } of people.values()) for (const seat of Object.values(seats)) seat.ends = at + times.leaseMs
    const changes = applySigns(people, signs, at, times)
    if (people.size > 0) classes.set(sessionId, people)
    else classes.delete(sessionId)
    return { changes, count: people.size }
  }

  return {
    apply: async (sessionId, signs, late = false) => apply(sessionId, signs, late),
    async people (sessionId) {
      const settled = apply(sessionId, [], false)
      const people = [...classes.get(sessionId) ?? []].map(([userId, one]) => personOf(userId, one))
      return { ...settled, people: people.sort(byArrival) }
    }
  }
}
