import type { Heat } from '../schema.ts'

/** Hysteresis: a group that was called out stays so until its score has clearly fallen. Enter at 70 and 40, leave at 55 and 28. */
export function settle (previous: Heat | null, score: number): Heat {
  if (score >= 70 || (previous === 'Focus Now' && score >= 55)) return 'Focus Now'
  if (score >= 40 || (previous !== null && previous !== 'Stable' && score >= 28)) return 'Watch Next'
  return 'Stable'
}
