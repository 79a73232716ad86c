import { bootstrap } from './statistics.ts'

/** One row of the table. */
export interface Measure {
  name: string
  source: string
  value: number | null
  /** 95 %, by drawing whole sessions. */
  low: number | null
  high: number | null
  n: number
  goal: number | null
  met: boolean | null
  /** The weights were fitted on this and could not be fitted afresh. */
  seen?: true
}

export interface Goal { goal: number | null, better: 'higher' | 'lower' }

/** What one session brings to a measure. */
export interface Part { source: string, n: number }

/**
 * A row per source and one for all. `all` is the mean of the sources for what depends on how they talk, so that the
 * largest does not decide alone, and the pool of all sessions for counts.
 */
export function rows<P extends Part> (name: string, parts: readonly P[], statistic: (parts: readonly P[]) => number | null, { goal, better }: Goal, all: 'mean' | 'pool', seen: boolean): Measure[] {
  const sources = [...new Set(parts.map((one) => one.source))].sort()
  const row = (source: string, of: readonly P[], by: (parts: readonly P[]) => number | null): Measure => {
    const value = by(of)
    const [low, high] = bootstrap(of, by, `${name} ${source}`, (one) => one.source)
    const met = value === null || goal === null ? null : better === 'higher' ? value >= goal : value <= goal
    return { name, source, value, low, high, n: of.reduce((sum, one) => sum + one.n, 0), goal, met, ...(seen ? { seen } : {}) }
  }
  const found = sources.map((source) => row(source, parts.filter((one) => one.source === source), statistic))
  if (sources.length < 2) return found
  const mean = (of: readonly P[]): number | null => {
    const values = sources.map((source) => statistic(of.filter((one) => one.source === source))).filter((one) => one !== null)
    return values.length === 0 ? null : values.reduce((sum, one) => sum + one, 0) / values.length
  }
  return [...found, row('all', parts, all === 'mean' ? mean : statistic)]
}
