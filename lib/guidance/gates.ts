/**
 * The gates: which signal is worth a teacher's attention, decided atomically, the same on every process.
 *
 * Times are milliseconds since 1970. `at` is event time; without it the backend's own clock counts (Redis `TIME`,
 * or the process clock in memory), never the caller's. An `at` more than 5 s ahead of the backend's clock is
 * taken back to that. A late event never moves stored time backwards, and a refusal changes nothing, not even a TTL.
 *
 * Every gate throws `INVALID_PAYLOAD` for an argument that is not an identifier, not a number or out of range
 * (score 0 to 100, outcome 0 to 1, samples to 1e15), before anything is stored. None of them throws because Redis is away: see `whenUnavailable`.
 */
export interface Gates {
  /** Folds a sample into the group's baseline (Welford) and says how unusual it is against the samples before it. */
  energy (input: GroupInput & Observed & { sample: number }): Promise<EnergyDecision>
  /** Is this attention score worth an event? Yes for the first, for a change of `minScoreDelta`, or after `minTimeDeltaMs`. */
  attention (input: GroupInput & { score: number, minScoreDelta?: number, minTimeDeltaMs?: number }): Promise<AttentionDecision>
  /** How much of the attention score still counts after the teacher's acknowledgements: 1 none yet, 0 plenty. */
  promptPressure (input: GroupInput): Promise<PressureDecision>
  /** Counts one acknowledgement of a prompt; earlier ones have decayed by half each half-life. */
  acknowledge (input: GroupInput & Observed): Promise<AcknowledgeDecision>
  /** May a prompt be sent to this group now? A yes claims the slot. */
  cooldown (input: GroupInput & { cooldownMs?: number }): Promise<CooldownDecision>
  /** Was this prompt never shown to this group? A yes remembers it, unless `peek`. */
  dedupe (input: GroupInput & { category: string, message: string, peek?: boolean }): Promise<DedupeDecision>
  /** Counts how a prompt template fared (1 used, 0 dismissed) or, without `outcome`, reads what is known. */
  promptStats (input: Observed & { templateKey: string, outcome?: number, at?: number }): Promise<PromptStatsDecision>
  /** Replaces the group's tier2 snapshot and returns the one before or, without `snapshot`, reads it. */
  tier2Snapshot (input: GroupInput & { snapshot?: Tier2Snapshot }): Promise<Tier2SnapshotDecision>
  /** May a tier2 shift be announced now? A yes claims the slot. */
  tier2Shift (input: GroupInput & { throttleMs?: number }): Promise<Tier2ShiftDecision>
}

export type GateName = keyof Gates

export const gateNames = [
  'energy', 'attention', 'promptPressure', 'acknowledge', 'cooldown', 'dedupe', 'promptStats', 'tier2Snapshot', 'tier2Shift'
] as const satisfies readonly GateName[]

export interface GroupInput { sessionId: string, groupId: string, at?: number }

/**
 * `id` names the observation (a slice, a prompt): among the last 16 of its key, an id counts once, however often a
 * caller or a connection tries again; the answer is then `repeated`. Without an id each call is an observation.
 */
export interface Observed { id?: string }

/** `zScore` compares with the baseline before this sample; 0 until three samples are known or while they do not vary. `variance` is the population's. */
export interface EnergyDecision { reason: 'updated' | 'repeated' | 'unavailable', mean: number, variance: number, count: number, zScore: number }

export interface AttentionDecision {
  allowed: boolean
  reason: 'first' | 'score' | 'time' | 'unchanged' | 'late' | 'unavailable'
  previousScore: number | null
  previousAt: number | null
  /** Until the same score would be let through; 0 when allowed. */
  remainingMs: number
}

/** `ackCount` is decayed to the time of the question. */
export interface PressureDecision { reason: 'none' | 'acknowledged' | 'unavailable', pressure: number, ackCount: number }

export interface AcknowledgeDecision { reason: 'counted' | 'repeated' | 'unavailable', ackCount: number }

export interface CooldownDecision { allowed: boolean, reason: 'first' | 'cooled' | 'cooling' | 'late', remainingMs: number, previousAt: number | null, fallback?: true }

export interface DedupeDecision { allowed: boolean, reason: 'new' | 'duplicate', fingerprint: string, fallback?: true }

export interface PromptStatsDecision {
  reason: 'updated' | 'repeated' | 'read' | 'unavailable'
  /** Decayed share of successes; null while nothing was observed. */
  successRate: number | null
  successSum: number
  weightSum: number
  observationCount: number
  lastUpdate: number | null
}

/** Means of tier2's dimensions, by name. */
export type Tier2Snapshot = Readonly<Record<string, number | string>>

export interface Tier2SnapshotDecision { reason: 'stored' | 'read' | 'late' | 'unavailable', previous: Tier2Snapshot | null, previousAt: number | null }

export interface Tier2ShiftDecision { allowed: boolean, reason: 'first' | 'elapsed' | 'throttled' | 'late' | 'unavailable', remainingMs: number, previousAt: number | null }

export interface GateSettings {
  /** Session TTL in seconds (the seed's `SLI_SESSION_TTL_SECONDS`). */
  ttlSeconds: number
  attention: { minScoreDelta: number, minTimeDeltaMs: number, halfLifeMs: number }
  cooldownMs: number
  promptStatsHalfLifeMs: number
  tier2ShiftThrottleMs: number
}

export const gateDefaults: GateSettings = {
  ttlSeconds: 3600,
  attention: { minScoreDelta: 5, minTimeDeltaMs: 30_000, halfLifeMs: 300_000 },
  cooldownMs: 90_000,
  promptStatsHalfLifeMs: 14 * 24 * 3600 * 1000,
  tier2ShiftThrottleMs: 600_000
}

/** No gate holds its caller longer than this, in milliseconds. */
export const gateDeadlineMs = 250

/**
 * What each gate does while Redis cannot be reached. `neutral`: an answer that changes nothing; `closed`: refuses;
 * `twin`: the in-process gate decides, so there is neither spam nor silence; `dropped`: the observation is lost.
 */
export const whenUnavailable: Record<GateName, 'neutral' | 'closed' | 'twin' | 'dropped'> = {
  energy: 'neutral',
  attention: 'closed',
  promptPressure: 'neutral',
  acknowledge: 'dropped',
  cooldown: 'twin',
  dedupe: 'twin',
  promptStats: 'dropped',
  tier2Snapshot: 'neutral',
  tier2Shift: 'closed'
}
