import { fill, paramsOf, type Params } from './room.ts'

/** One family of Redis keys: pattern, life time and purpose stand in one row, from which the docs table is made. */
export interface Key<P extends string = string> {
  (params: Record<P, string>, cluster?: boolean): string
  readonly pattern: string
  readonly ttl: string
  readonly purpose: string
  readonly holds?: Holds
}

/** What of people stands in a key beside their ids: what they are called, or also what they said and what was said of them. */
export type Holds = 'names' | 'words'

/**
 * Declares a key family. On Redis Cluster the session part is wrapped in braces, so that all keys that name a
 * session lie in one slot; elsewhere the names are exactly the seed's. Kept events are the exception: the journal
 * wraps the room, with Redis Cluster and without.
 */
export function key<const T extends string> (pattern: T, row: { ttl: string, purpose: string, holds?: Holds }): Key<Params<T>> {
  const params = paramsOf(pattern)
  const build = (values: Record<string, string>, cluster = false): string => {
    const name = fill(pattern, values)
    if (!cluster || !params.includes('sessionId')) return name
    return fill(pattern, { ...values, sessionId: `{${values.sessionId}}` })
  }
  return Object.assign(build, { pattern, ...row }) as unknown as Key<Params<T>>
}
