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
  /** Names by which people of the session may be called: what must not leave the process with the talk. */
  names?: readonly string[]
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

/** What an analyzer hears of its call. */
export interface AnalyzerCall {
  /** Aborted when nobody waits for the answer any more: it is late, or the server closes. */
  signal: AbortSignal
}

/**
 * What a host may supply. Answers are checked against the schema; what does not fit, fails or comes late is replaced by
 * the embedded result, and so is a window in which nobody spoke. A window of tier2 holds its talk only when the host
 * supplies `tier2`.
 */
export interface Analyzer {
  tier1?: (window: Window, context: GroupContext, call: AnalyzerCall) => Tier1Metrics | Promise<Tier1Metrics>
  tier2?: (window: Window, context: GroupContext, call: AnalyzerCall) => Tier2Insights | Promise<Tier2Insights>
}
