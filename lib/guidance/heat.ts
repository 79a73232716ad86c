import type { Heat } from './schema.ts'

/** The seed's buckets: Focus Now from 70, Watch Next from 40, Stable below. */
export function heat (attentionScore: number): Heat {
  if (attentionScore >= 70) return 'Focus Now'
  return attentionScore >= 40 ? 'Watch Next' : 'Stable'
}
