import { clamp, decay, round } from './numbers.ts'
import type { Weights } from './model.ts'

/**
 * Who has the floor? Each turn is compared with how the group shared the floor before: for every speaker a running sum
 * of the log likelihood ratio between "this one takes nearly every turn" and "as usual" (Page's CUSUM). Unequal
 * groups are common and not worse (DeliData: entropy says nothing about success), so only a change counts.
 */
export interface FloorState {
  /** Newest speaker last. */
  speakers: Speaker[]
  last: string
  turns: number
}

export interface Speaker {
  id: string
  /** Decayed number of turns, long memory: the usual share. */
  usual: number
  /** Decayed number of words, short memory: the share now. */
  words: number
  sum: number
  at: number
}

export const floorStart = (): FloorState => ({ speakers: [], last: '', turns: 0 })

export const maxSpeakers = 8

export function foldFloor (state: FloorState, id: string, words: number, at: number, members: number, weights: Weights): void {
  const { share, memory, prior, cap } = weights.floor
  let speaker = state.speakers.find((one) => one.id === id)
  if (!speaker) {
    speaker = { id, usual: 0, words: 0, sum: 0, at }
    state.speakers.push(speaker)
    // The one silent for longest makes room.
    if (state.speakers.length > maxSpeakers) state.speakers.splice(state.speakers.reduce((oldest, one, i, all) => one.at < all[oldest]!.at ? i : oldest, 0), 1)
  }
  const n = Math.max(members, state.speakers.length, 2)
  const total = state.speakers.reduce((sum, one) => sum + one.usual, 0)
  for (const one of state.speakers) {
    const usual = clamp((one.usual + prior / n) / (total + prior), 0.05, 0.9)
    // Turns come in runs: who spoke last is likelier to go on.
    const expected = clamp(usual + (one.id === state.last ? weights.floor.run : -weights.floor.run * usual), 0.05, share - 0.03)
    const llr = one === speaker ? Math.log(share / expected) : Math.log((1 - share) / (1 - expected))
    one.sum = round(clamp(one.sum + clamp(llr, -weights.floor.clip, weights.floor.clip), 0, cap))
  }
  const learn = 1 / (1 + Math.max(...state.speakers.map((one) => one.sum)) / 3)
  for (const one of state.speakers) one.usual = round(one.usual * (1 - learn / memory))
  speaker.usual = round(speaker.usual + learn)
  speaker.words = round(speaker.words + Math.min(words, 30))
  speaker.at = Math.max(speaker.at, at)
  state.last = id
  state.turns++
}

export function ageFloor (state: FloorState, ms: number): void {
  const left = decay(ms, 75_000)
  for (const one of state.speakers) one.words = round(one.words * left)
}

/** Who dominates most, and by how much. */
export function dominant (state: FloorState): Speaker | null {
  return state.speakers.reduce<Speaker | null>((most, one) => most === null || one.sum > most.sum ? one : most, null)
}

/** How evenly the recent words are shared: 1 evenly, 0 one speaks alone. */
export function balance (state: FloorState, members: number): { entropy: number, maxShare: number, speaking: number } {
  const total = state.speakers.reduce((sum, one) => sum + one.words, 0)
  const n = Math.max(members, state.speakers.length, 2)
  if (total <= 0) return { entropy: 0, maxShare: 1 / n, speaking: 0 }
  let entropy = 0; let maxShare = 0; let speaking = 0
  for (const one of state.speakers) {
    const share = one.words / total
    if (share > 0) entropy -= share * Math.log(share)
    if (share > 0.03) speaking++
    maxShare = Math.max(maxShare, share)
  }
  return { entropy: clamp(entropy / Math.log(n), 0, 1), maxShare, speaking }
}
