import type { Driver, Tier1Insights, Tier2Insights } from './schema.ts'

/**
 * The analyzer port: what talk means. The package brings an embedded one (folder `embedded`): deterministic, no
 * network, no model file. A host may supply `tier1`, `tier2` or both; the embedded one always folds the features from
 * which attention is assessed, so that a slow or failing analyzer changes quality, not availability.
 */

/** One slice of a group's talk, in event time (milliseconds since 1970). */
export interface Utterance {
  startedAt: number
  endedAt: number
  speaker: string | null
  text: string
  confidence?: number
}

/** What is known of a group beside its talk. */
export interface GroupContext {
  topic: string
  goals: readonly string[]
  /** Speakers who count for participation; empty when they are not known. */
  members: readonly string[]
}

export type Tier1Metrics = Omit<Tier1Insights, 'windowStart' | 'windowEnd' | 'summary'>

/** How a group stands at a moment. */
export interface Assessment {
  /** 0 to 100, before the prompt pressure. */
  score: number
  metrics: Tier1Metrics
  /** They add up to `score` and are ordered by contribution. */
  drivers: readonly Driver[]
  /** Up to three short pieces of the talk that caused the first driver. */
  evidence: readonly string[]
  /** Why, in one plain sentence. */
  sentence: string
}

/** The utterances of one window, oldest first, and what the features said when it closed. */
export interface Window {
  sessionId: string
  groupId: string
  start: number
  end: number
  utterances: readonly Utterance[]
  assessment: Assessment
}

/** What a host may supply. Answers are checked against the schema; what does not fit is replaced by the embedded result. */
export interface Analyzer {
  tier1?: (window: Window, context: GroupContext) => Tier1Metrics | Promise<Tier1Metrics>
  tier2?: (window: Window, context: GroupContext) => Tier2Insights | Promise<Tier2Insights>
}
