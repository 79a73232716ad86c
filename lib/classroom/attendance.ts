import type { FastifyBaseLogger } from 'fastify'
import type { Change, PresenceStore, PresenceTimes, Sign } from './presence.ts'
import type { Person, PresenceStatus } from './schema.ts'

export interface AttendanceDependencies {
  store: PresenceStore
  times: PresenceTimes
  announce: (sessionId: string, code: string, change: Change) => Promise<void>
  /** Told now and then that somebody of this process is still in the class. */
  touch: (sessionId: string) => Promise<void>
  log: FastifyBaseLogger
}

export interface Visitor { userId: string, seat: string, name: string, role: string }

interface Room { code: string, seats: Map<string, Visitor & { status: PresenceStatus, saidAt: number }>, toldAt: number, touchedAt: number }

const touchEveryMs = 60_000
/** Of what a user does, one sign in this time is enough (ms). */
const activityMs = 20_000

/**
 * Holds the seats of this process: renews them, notices who is due in the same step, and announces it. A process looks
 * after the classes in which it has a seat; where nobody is, nobody has to be told.
 */
export class Attendance {
  readonly #deps: AttendanceDependencies
  readonly #rooms = new Map<string, Room>()
  readonly #timer: NodeJS.Timeout
  readonly #graces = new Set<NodeJS.Timeout>()
  #ticking = false

  constructor (dependencies: AttendanceDependencies) {
    this.#deps = dependencies
    this.#timer = setInterval(() => { void this.tick() }, dependencies.times.leaseMs / 3).unref()
  }

  /** Classes in which somebody sits by this process. */
  get size (): number { return this.#rooms.size }

  /** @throws ClasswavesError UNAVAILABLE; then the user is not there */
  async arrive (sessionId: string, code: string, visitor: Visitor): Promise<void> {
    const now = performance.now()
    const room = this.#rooms.get(sessionId) ?? { code, seats: new Map(), toldAt: now, touchedAt: now }
    const known = room.seats.has(visitor.seat)
    this.#rooms.set(sessionId, room)
    room.seats.set(visitor.seat, { ...visitor, status: 'active', saidAt: now })
    try {
      await this.#apply(sessionId, code, [{ kind: 'here', ...visitor }])
    } catch (error) {
      if (!known) this.#forget(sessionId, visitor.seat)
      throw error
    }
  }

  /** Everybody who is there, by the time when they came. */
  async people (sessionId: string): Promise<{ people: Person[], count: number }> {
    await this.#catchUp(sessionId)
    const { changes, people, count } = await this.#deps.store.people(sessionId)
    const code = this.#rooms.get(sessionId)?.code
    if (code !== undefined) await this.#announce(sessionId, code, changes)
    return { people, count }
  }

  /** How many are there; who is due is taken out first. */
  async count (sessionId: string): Promise<number> {
    await this.#catchUp(sessionId)
    const { changes, count } = await this.#deps.store.apply(sessionId, [])
    const code = this.#rooms.get(sessionId)?.code
    if (code !== undefined) await this.#announce(sessionId, code, changes)
    return count
  }

  async say (sessionId: string, seat: string, status: PresenceStatus): Promise<void> {
    const room = this.#rooms.get(sessionId)
    const visitor = room?.seats.get(seat)
    if (!room || !visitor) return
    Object.assign(visitor, { status, saidAt: performance.now() })
    await this.#apply(sessionId, room.code, [{ kind: 'say', userId: visitor.userId, seat, status }])
  }

  /** The user did something, so they are there; what they do does not wait for this and does not fail by it. */
  act (sessionId: string, seat: string): void {
    const visitor = this.#rooms.get(sessionId)?.seats.get(seat)
    const enough = Math.min(activityMs, this.#deps.times.idleAfterMs / 4)
    if (!visitor || (visitor.status === 'active' && performance.now() - visitor.saidAt < enough)) return
    this.say(sessionId, seat, 'active').catch((error: unknown) => this.#deps.log.warn({ err: error, sessionId }, 'an activity was not noted'))
  }

  async leave (sessionId: string, seat: string): Promise<void> { await this.#go(sessionId, seat, 'leave') }

  /** The socket has gone; its user gets a little time to come back. */
  async drop (sessionId: string, seat: string): Promise<void> {
    await this.#go(sessionId, seat, 'drop')
    const timer = setTimeout(() => {
      this.#graces.delete(timer)
      void this.#renew(sessionId)
    }, this.#deps.times.graceMs + 20).unref()
    this.#graces.add(timer)
  }

  /** Renews every seat of this process and announces whoever is due. */
  async tick (): Promise<void> {
    if (this.#ticking) return
    this.#ticking = true
    await Promise.all([...this.#rooms.keys()].map(async sessionId => await this.#renew(sessionId)))
    this.#ticking = false
  }

  stop (): void {
    clearInterval(this.#timer)
    for (const timer of this.#graces) clearTimeout(timer)
  }

  async #renew (sessionId: string): Promise<void> {
    const room = this.#rooms.get(sessionId)
    if (!room) return
    const now = performance.now()
    const signs = [...room.seats.values()].map(({ userId, seat, name, role }): Sign => ({ kind: 'renew', userId, seat, name, role }))
    try {
      await this.#apply(sessionId, room.code, signs)
      if (now - room.touchedAt < touchEveryMs) return
      room.touchedAt = now
      await this.#deps.touch(sessionId)
    } catch (error) {
      this.#deps.log.debug({ err: error, sessionId }, 'presence was not renewed; the next turn tries again')
    }
  }

  async #go (sessionId: string, seat: string, kind: 'leave' | 'drop'): Promise<void> {
    const room = this.#rooms.get(sessionId)
    const visitor = room?.seats.get(seat)
    if (!room || !visitor) return
    this.#forget(sessionId, seat)
    await this.#apply(sessionId, room.code, [{ kind, userId: visitor.userId, seat }])
  }

  #forget (sessionId: string, seat: string): void {
    const room = this.#rooms.get(sessionId)
    room?.seats.delete(seat)
    if (room?.seats.size === 0) this.#rooms.delete(sessionId)
  }

  /** Nobody is looked at before all have had the chance to renew. */
  async #catchUp (sessionId: string): Promise<void> {
    if (this.#isLate(sessionId)) await this.#renew(sessionId)
  }

  /** Who could not renew for a lease takes it that the others could not either: Redis was away, not they. */
  #isLate (sessionId: string): boolean {
    const room = this.#rooms.get(sessionId)
    return room !== undefined && performance.now() - room.toldAt > this.#deps.times.leaseMs
  }

  async #apply (sessionId: string, code: string, signs: readonly Sign[]): Promise<void> {
    const { changes } = await this.#deps.store.apply(sessionId, signs, this.#isLate(sessionId))
    const room = this.#rooms.get(sessionId)
    if (room) room.toldAt = performance.now()
    await this.#announce(sessionId, code, changes)
  }

  async #announce (sessionId: string, code: string, changes: readonly Change[]): Promise<void> {
    for (const change of changes) {
      await this.#deps.announce(sessionId, code, change)
        .catch((error: unknown) => this.#deps.log.warn({ err: error, sessionId }, 'a presence was not announced'))
    }
  }
}
