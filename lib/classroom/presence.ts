import type { Person, PresenceStatus } from './schema.ts'

/**
 * Who is there. A user is there while one of their seats is, a seat (a socket) while the process that holds it says so;
 * what a killed process held lapses after one lease. Each call takes signs of life, then settles whatever is due by
 * then, so whoever asks finds nobody who should have gone. Each change is told to exactly one caller, who announces it.
 */
export interface PresenceStore {
  /**
   * @param late this process could not say anything for a lease or longer: nobody lapses now, all get a new lease
   * @throws ClasswavesError UNAVAILABLE
   */
  apply (sessionId: string, signs: readonly Sign[], late?: boolean): Promise<Settled>
  /** The same without a sign, and everybody who is there, by the time when they came. */
  people (sessionId: string): Promise<Settled & { people: Person[] }>
}

export type Sign =
  /** A seat is taken; taking it again counts as activity. */
  | { kind: 'here', userId: string, seat: string, name: string, role: string }
  /** It is still taken; one that has lapsed is taken anew. */
  | { kind: 'renew', userId: string, seat: string, name: string, role: string }
  /** What the user says of themself, or `active` for anything that they did. */
  | { kind: 'say', userId: string, seat: string, status: PresenceStatus }
  /** The user has left the class. */
  | { kind: 'leave', userId: string, seat: string }
  /** The connection broke; the user may be back before anybody notices. */
  | { kind: 'drop', userId: string, seat: string }

export interface Change {
  userId: string
  status: PresenceStatus | 'left' | 'disconnected'
  name: string
  role: string
  /** When it was so, by the clock of the backend; it orders what several processes announce. */
  at: number
}

export interface Settled { changes: Change[], count: number }

export interface PresenceTimes { leaseMs: number, graceMs: number, idleAfterMs: number, awayAfterMs: number }

export interface Seat { ends: number, status: PresenceStatus, at: number }

/** What is stored of a user who is there. */
export interface Attendee {
  name: string
  role: string
  since: number
  /** What was announced last. */
  said: PresenceStatus | ''
  seats: Record<string, Seat>
  /** The end of the grace of a user without a seat. */
  gone?: number
}

const rank: Record<PresenceStatus, number> = { active: 2, idle: 1, away: 0 }

/** The rules in their plainest form; `lua/classroom_presence.lua` is their twin. */
export function applySigns (people: Map<string, Attendee>, signs: readonly Sign[], now: number, times: PresenceTimes): Change[] {
  const left = new Set<string>()
  for (const sign of signs) takeSign(people, sign, now, times, left)
  const changes: Change[] = []
  for (const [userId, one] of people) {
    const status = settle(one, now, times)
    if (status === undefined) {
      people.delete(userId)
      changes.push({ userId, status: left.has(userId) ? 'left' : 'disconnected', name: one.name, role: one.role, at: now })
    } else if (status !== one.said) {
      one.said = status
      changes.push({ userId, status, name: one.name, role: one.role, at: now })
    }
  }
  return changes
}

function takeSign (people: Map<string, Attendee>, sign: Sign, now: number, { leaseMs, graceMs }: PresenceTimes, left: Set<string>): void {
  const { kind, userId, seat } = sign
  const one = people.get(userId)
  if (kind === 'here' || kind === 'renew') {
    const person = one ?? { name: sign.name, role: sign.role, since: now, said: '', seats: {} }
    people.set(userId, person)
    const held = kind === 'renew' ? person.seats[seat] : undefined
    person.seats[seat] = { ...held ?? { status: 'active', at: now }, ends: now + leaseMs }
    delete person.gone
    left.delete(userId)
    return
  }
  const held = one?.seats[seat]
  if (!one || !held) return
  if (kind === 'say') Object.assign(held, { status: sign.status, at: now })
  else {
    delete one.seats[seat]
    if (Object.keys(one.seats).length > 0) return
    if (kind === 'leave') left.add(userId)
    else one.gone = now + graceMs
  }
}

/** What a user is now, or undefined for one who has gone. Seats whose lease has ended are taken away. */
function settle (one: Attendee, now: number, { idleAfterMs, awayAfterMs }: PresenceTimes): PresenceStatus | undefined {
  let best: PresenceStatus | undefined
  for (const [seat, { ends, status: said, at }] of Object.entries(one.seats)) {
    if (ends <= now) delete one.seats[seat]
    else {
      const status = now - at >= awayAfterMs ? 'away' : said === 'active' && now - at >= idleAfterMs ? 'idle' : said
      if (!best || rank[status] > rank[best]) best = status
    }
  }
  if (best) return best
  return one.gone !== undefined && one.gone > now && one.said !== '' ? one.said : undefined
}

export function personOf (userId: string, { name, role, said, since }: Attendee): Person {
  return { userId, displayName: name, role, status: said === '' ? 'active' : said, joinedAt: new Date(since).toISOString() }
}

export function byArrival (a: Person, b: Person): number {
  return a.joinedAt === b.joinedAt ? (a.userId < b.userId ? -1 : 1) : a.joinedAt < b.joinedAt ? -1 : 1
}
