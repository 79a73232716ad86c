import { checkLease, type Held, type Leases, type Released } from './leases.ts'

/** What one process holds. Nothing lapses here: the process that would have to be gone is this one. */
export class Holdings {
  readonly #sets = new Map<string, Set<string>>()

  hold (set: string, member: string, max?: number): Held {
    checkLease(set, member, max)
    const members = this.#sets.get(set)
    const before = members?.size ?? 0
    if (members?.has(member)) return { held: true, first: false, count: before }
    if (max !== undefined && before >= max) return { held: false, first: false, count: before }
    if (members) members.add(member)
    else this.#sets.set(set, new Set([member]))
    return { held: true, first: before === 0, count: before + 1 }
  }

  release (set: string, member: string): Released & { removed: boolean } {
    checkLease(set, member)
    const members = this.#sets.get(set)
    const removed = members?.delete(member) ?? false
    const count = this.count(set)
    if (count === 0) this.#sets.delete(set)
    return { removed, last: removed && count === 0, count }
  }

  count (set: string): number {
    return this.#sets.get(set)?.size ?? 0
  }

  has (set: string, member: string): boolean {
    return this.#sets.get(set)?.has(member) ?? false
  }

  /** Every set with its members, as they are now. */
  all (): [set: string, members: string[]][] {
    return [...this.#sets].map(([set, members]) => [set, [...members]])
  }

  clear (): void {
    this.#sets.clear()
  }
}

/** Leases of this process alone. */
export function createMemoryLeases (): Leases {
  const holdings = new Holdings()
  return {
    hold: async (set, member, max) => holdings.hold(set, member, max),
    async release (set, member) {
      const { last, count } = holdings.release(set, member)
      return { last, count }
    },
    count: async set => holdings.count(set),
    async close () { holdings.clear() }
  }
}
