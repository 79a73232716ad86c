import { confusionCueNames, confusionCues, find, isQuestion, resolved, tentative } from './cues.ts'
import { clamp, decay, round } from './numbers.ts'
import type { Weights } from './model.ts'
import type { Words } from './words.ts'

/** Is the group stuck? Help requests add up, ordinary turns and "got it" take back, and time forgets. */
export interface ConfusionState {
  /** Evidence added up since the talk last looked clear, for the score. */
  sum: number
  /** Decayed strength of cues, for the metric. */
  level: number
  /** Who asked last, and the one before, for "more than one asks". */
  askers: string[]
}

export const confusionStart = (): ConfusionState => ({ sum: 0, level: 0, askers: [] })

export const confusionFeatures = ['bias', ...confusionCueNames, 'question', 'mark', 'short', 'long', 'resolved', 'first', 'tentative'] as const
export type ConfusionFeature = typeof confusionFeatures[number]

const firstPerson = /^ (?:(?:so|and|but|wait|okay|oh|well|um|uh) )*i /

/** What cues a turn has, 0 or 1 each, and the phrases found. */
export function confusionOf (said: Words): { x: number[], found: string[] } {
  const found: string[] = []
  const x: number[] = [1]
  for (const name of confusionCueNames) {
    const phrase = find(confusionCues[name], said)
    x.push(phrase === null ? 0 : 1)
    if (phrase !== null) found.push(phrase)
  }
  const n = said.tokens.length
  x.push(isQuestion(said) ? 1 : 0, said.asks ? 1 : 0, n <= 2 ? 1 : 0, clamp((n - 12) / 12, 0, 1), find(resolved, said) === null ? 0 : 1, firstPerson.test(said.line) ? 1 : 0, find(tentative, said) === null ? 0 : 1)
  return { x, found }
}

/** Log likelihood ratio of asking for help against any other turn. */
export function confusionScore (x: readonly number[], weights: Weights): number {
  let z = 0
  for (let i = 0; i < confusionFeatures.length; i++) z += (x[i] ?? 0) * weights.confusion.weights[confusionFeatures[i]!]
  return z
}

export function foldConfusion (state: ConfusionState, said: Words, speaker: string, weights: Weights): { llr: number, found: string[] } {
  const { x, found } = confusionOf(said)
  const llr = clamp(confusionScore(x, weights), weights.confusion.floor, weights.confusion.ceiling)
  let step = llr
  if (llr > 0 && state.askers.some((one) => one !== speaker)) step *= weights.confusion.spread
  state.sum = round(clamp(state.sum + step, 0, weights.confusion.cap))
  state.level = round(state.level + Math.max(llr, 0))
  if (llr > 0) state.askers = [...state.askers.filter((one) => one !== speaker), speaker].slice(-2)
  return { llr, found }
}

/** Forgets with time. */
export function ageConfusion (state: ConfusionState, ms: number, weights: Weights): void {
  state.sum = round(state.sum * decay(ms, weights.confusion.halfLifeMs))
  state.level = round(state.level * decay(ms, 50_000))
}
