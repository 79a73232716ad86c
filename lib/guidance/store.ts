import type { GuidanceRecord } from './record.ts'

/**
 * Where the guidance of sessions is remembered. `update` is atomic: what `change` saw is what it changed, on whatever
 * process. Records live `ttlSeconds` after their last update.
 */
export interface GuidanceStore {
  /**
   * Reads the record, lets `change` work on it and stores the parts that it names. `change` may run several times and
   * must do nothing but change the record. `now` is the backend's clock in milliseconds since 1970.
   * @returns what `change` returned last
   * @throws ClasswavesError UNAVAILABLE
   */
  update<R> (sessionId: string, change: (record: GuidanceRecord | null, now: number) => Change<R>): Promise<R>
  read (sessionId: string): Promise<{ record: GuidanceRecord | null, now: number }>
}

export interface Change<R> {
  result: R
  /** Nothing is stored without it. */
  record?: GuidanceRecord
  /** Which groups changed; the session part is always stored. */
  touched?: Iterable<string>
}
