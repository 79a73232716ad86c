import { createHash } from 'node:crypto'

/**
 * Limits that hold across processes, for what a stranger may try: failed connects or wrong codes of one address.
 *
 * The window is fixed and opens with the first count of a name, so one small number is all that is stored of it and
 * `retryAfterMs` is exact. The price: around the end of a window up to twice the limit may pass in `windowMs`.
 * A refusal counts nothing and extends nothing. The same name may be counted in windows of several lengths.
 */
export interface Counters {
  /** Counts one, if the limit allows it. */
  take (name: string, limit: number, windowMs: number): Promise<Verdict>
  /** What `take` would answer; counts nothing. */
  peek (name: string, limit: number, windowMs: number): Promise<Verdict>
}

/** `retryAfterMs` is 0 when allowed, else the time until the window ends. */
export interface Verdict { allowed: boolean, retryAfterMs: number }

const longestName = 128

/**
 * The name under which a backend counts: strangers choose names, so a long one is shortened to its digest.
 * @throws TypeError for an empty name, and for a limit or window that is not a whole number
 */
export function countedName (name: string, limit: number, windowMs: number): string {
  if (name === '') throw new TypeError('a counter needs a name')
  if (!Number.isSafeInteger(limit) || limit < 0) throw new TypeError(`a limit must be a whole number: ${limit}`)
  if (!Number.isSafeInteger(windowMs) || windowMs < 1) throw new TypeError(`a window must be whole milliseconds: ${windowMs}`)
  return name.length <= longestName ? name : `sha256:${createHash('sha256').update(name).digest('hex')}`
}
