import { appendFileSync } from 'node:fs'
import type { Test } from 'tap'

/** Fault tests have two sizes: the short one runs with all other tests, the full one with CLASSWAVES_FAULTS=full. */
export const isFull = process.env.CLASSWAVES_FAULTS === 'full'

export function tier<T> (short: T, full: T): T { return isFull ? full : short }

/** One row of the table that `npm run test:faults` prints at its end. */
export interface Figure { what: string, reach: string, got: string }

/** Says what was reached. The figure decides only in the full tier: other tests run beside the short one. */
export function figure (t: Test, { what, reach, got }: Figure, holds: boolean): void {
  t.comment(`${what}: ${got} (reach: ${reach})`)
  if (!isFull) return
  t.ok(holds, `${what}: ${got} (reach: ${reach})`)
  const file = process.env.CLASSWAVES_FIGURES
  if (file) appendFileSync(file, `${JSON.stringify({ what, reach, got: holds ? got : `MISSED: ${got}` })}\n`)
}

/** The value below which so large a share of them lies. */
export function percentile (values: readonly number[], share: number): number {
  const sorted = [...values].sort((a, b) => a - b)
  return sorted[Math.max(0, Math.ceil(sorted.length * share) - 1)] ?? NaN
}
