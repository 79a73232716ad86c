import { clamp, decay, round } from './numbers.ts'
import type { Weights } from './model.ts'

/**
 * Has the talk dried up? The group owes talk: every second of silence adds to the debt, every word pays back at the
 * group's own usual rate (Page's CUSUM for a fall to near silence). At first the usual rate is that of the session's
 * other groups. A debt is in seconds of missing talk, so one threshold fits chat and speech.
 */
export interface PaceState {
  debt: number
  /** Silence since the last turn, and the usual one between turns (s): people who type also read. */
  silence: number
  gap: number
  /** Decayed words and seconds, long memory: the usual rate. */
  words: number
  seconds: number
  /** Decayed words, short memory (45 s): the rate now. */
  recent: number
  /** Welford over the recent rate, for the energy level. */
  count: number
  mean: number
  m2: number
}

export const paceStart = (): PaceState => ({ debt: 0, silence: 0, gap: 5, words: 0, seconds: 0, recent: 0, count: 0, mean: 0, m2: 0 })

const recentHalfMs = 30_000
/** Decayed seconds of a full short memory. */
export const recentSeconds = recentHalfMs / 1000 / Math.LN2
/** Chat and speech have other clocks: a longer silence says nothing more about the usual rate. */
const maxGap = 30

export function usualRate (state: PaceState, weights: Weights, peerRate?: number): number {
  const { priorRate, priorSeconds } = weights.pace
  const prior = peerRate ?? priorRate
  const strength = peerRate === undefined ? priorSeconds : priorSeconds * 3
  return (state.words + prior * strength) / (state.seconds + strength)
}

/** Silence until a moment: `seconds` of the members' own time, without what an adult said. */
export function agePace (state: PaceState, seconds: number, weights: Weights): void {
  state.debt = round(clamp(state.debt + seconds * weights.pace.drift, 0, weights.pace.cap))
  state.recent = round(state.recent * decay(seconds * 1000, recentHalfMs))
  state.silence = round(Math.min(state.silence + seconds, 600))
  const learn = state.debt > weights.pace.doubt ? 0.1 : 1
  const left = decay(seconds * 1000 * learn, weights.pace.memoryMs)
  state.words = round(state.words * left)
  state.seconds = round(state.seconds * left + Math.min(seconds, maxGap) * learn)
}

/** The debt by what is a long silence here: 10 s mean more among people who talk than among people who type. */
export function stalled (state: PaceState): number {
  return state.debt / (0.65 + state.gap / 18)
}

export function foldPace (state: PaceState, content: number, weights: Weights, peerRate?: number): void {
  const rate = usualRate(state, weights, peerRate)
  const learn = state.debt > weights.pace.doubt ? 0.1 : 1
  state.gap = round(state.gap + 0.06 * learn * (Math.min(state.silence, maxGap) - state.gap))
  state.silence = 0
  state.debt = round(clamp(state.debt - Math.min(content / rate, weights.pace.credit), 0, weights.pace.cap))
  state.words = round(state.words + content * learn)
  state.recent = round(state.recent + content)
  const now = state.recent / recentSeconds
  const before = state.count > 2 ? Math.sqrt(state.m2 / state.count) : 0
  // A quiet spell must not become the usual.
  if (before > 0 && (now - state.mean) / before < -1.8) return
  state.count = Math.min(state.count + 1, 400)
  const delta = now - state.mean
  state.mean = round(state.mean + delta / state.count)
  const step = delta * (now - state.mean)
  state.m2 = round(state.count === 400 ? state.m2 * (399 / 400) + step : state.m2 + step)
}

/** How many standard deviations the talk now is above the group's usual, `ms` after the last turn. */
export function energy (state: PaceState, ms: number, peerRate?: number): number {
  const now = state.recent * decay(ms, recentHalfMs) / recentSeconds
  const early = state.count < 20 && peerRate !== undefined
  const mean = early ? peerRate : state.mean
  const deviation = Math.max(early ? peerRate / 2 : state.count > 2 ? Math.sqrt(state.m2 / state.count) : 0, mean * 0.25, 0.05)
  return clamp((now - mean) / deviation, -4, 4)
}

/** Words count for what they carry: the first dozen of a turn. */
export function weigh (tokens: number): number {
  return Math.min(tokens, 12)
}
