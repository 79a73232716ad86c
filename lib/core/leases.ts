/**
 * Who is here, as leases: a member of a set is there while the process that holds it says so. What a killed process
 * held is gone within one lease; nobody has to clean up after it.
 *
 * A member is held by one process (a socket id, for instance), and only that process releases it. No call rejects
 * because Redis is away: then a process answers from what it holds itself, and puts that into Redis when it returns.
 */
export interface Leases {
  /**
   * Holds a member until `release` or `close`. With `max`, refused when that many others are there, and then nothing is
   * stored. Holding again what is held renews it. `first`: nobody was in the set before.
   */
  hold (set: string, member: string, max?: number): Promise<Held>
  /** Lets a member go. `last`: it was the last one. Of what is not held, nothing comes. */
  release (set: string, member: string): Promise<Released>
  /** How many members are there. */
  count (set: string): Promise<number>
  /** Releases all that this process holds and stops to renew. */
  close (): Promise<void>
}

/** `count` is how many are there after the call. */
export interface Held { held: boolean, first: boolean, count: number }
export interface Released { last: boolean, count: number }

export const leaseDefaultMs = 10_000

/** @throws TypeError for an empty name, and for a `max` that is not a whole number */
export function checkLease (set: string, member: string, max?: number): void {
  if (set === '' || member === '') throw new TypeError('a lease needs a set and a member')
  if (max !== undefined && !(Number.isSafeInteger(max) && max >= 0)) throw new TypeError(`max must be a whole number: ${max}`)
}
