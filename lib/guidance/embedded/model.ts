import type { ConfusionFeature } from './confusion.ts'
import { unpack, type Lexicon } from './lexicon.ts'
import type { Channel } from './signals.ts'
import type { topicFeatures } from './topic.ts'
import type { uptakeFeatures } from './uptake.ts'
import { trained } from './weights.ts'

/** Everything that `npm run calibrate` decides. */
export interface Weights {
  version: string
  lexicon: Lexicon
  topic: {
    weights: Record<typeof topicFeatures[number], number>
    prior: number
    clip: number
    /** Chance that off-task talk goes on with the next turn, and that it begins. */
    stayOff: number
    goOff: number
    /** What each turn takes from the running sum, and how fast silence forgets it. */
    drift: number
    cap: number
    /** Mean evidence of talk on task; how far a group's own mean replaces it, over how many turns, and after how many. */
    baseline: number
    trust: number
    memory: number
    patience: number
    halfLifeMs: number
    /** Where chat about life begins on the social scale, and how sharply. */
    socialAt: number
    socialSlope: number
  }
  confusion: { weights: Record<ConfusionFeature, number>, floor: number, ceiling: number, spread: number, cap: number, halfLifeMs: number }
  floor: { share: number, memory: number, prior: number, run: number, clip: number, cap: number }
  pace: { priorRate: number, priorSeconds: number, drift: number, credit: number, cap: number, doubt: number, memoryMs: number }
  /** The statistic at which a channel is worth 40, 70 and 100 points. */
  attention: Record<Channel, readonly [number, number, number]>
  uptake: Record<typeof uptakeFeatures[number], number>
}

/** As written by `npm run calibrate`. */
export interface Trained extends Omit<Weights, 'lexicon'> {
  lexicon: { background: string, offTask: string, social: string }
}

export function assemble (from: Trained): Weights {
  return {
    ...from,
    lexicon: {
      background: unpack(from.lexicon.background, -0.1),
      offTask: unpack(from.lexicon.offTask, 0.01),
      social: unpack(from.lexicon.social, 0.01)
    }
  }
}

export const weights: Weights = assemble(trained)
