/** Event time may run ahead of the backend's clock by this much, in milliseconds: clocks differ, but not by more. */
export const maxAheadMs = 5000

/** The time that counts: the event's, taken back to what the clock allows, or the clock itself. */
export function eventTime (at: number | undefined, now: number): number {
  return Math.min(at ?? now, now + maxAheadMs)
}

export interface Slot { reason: 'first' | 'elapsed' | 'waiting' | 'late', remainingMs: number }

/** Has enough time passed since `last`? An event older than `last` is late and takes no slot. */
export function slot (last: number | null, at: number, intervalMs: number): Slot {
  if (last === null) return { reason: 'first', remainingMs: 0 }
  const remainingMs = last + intervalMs - at
  if (at < last) return { reason: 'late', remainingMs }
  return remainingMs > 0 ? { reason: 'waiting', remainingMs } : { reason: 'elapsed', remainingMs: 0 }
}
