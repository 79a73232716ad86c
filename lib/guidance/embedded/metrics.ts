import type { Tier1Metrics } from '../analyzer.ts'
import { understood, type Features } from './features.ts'
import { clamp, round, sigmoid, unit } from './numbers.ts'
import { energy } from './pace.ts'
import type { Peers } from './peers.ts'

/** Tier1: eight numbers about the talk now. */
export function metricsOf (features: Features, peers?: Peers): Tier1Metrics {
  const { topic, moves } = features
  const cohesion = sigmoid(9 * (topic.coverage - 0.45))
  const turns = Math.max(moves.turns, 1)
  const words = Math.max(moves.words, 1)
  const density = sigmoid(-2.2 + 0.35 * moves.content / turns + 2.5 * moves.rare / Math.max(moves.content, 1) +
    2.5 * moves.goal / Math.max(moves.content, 1) + 25 * moves.moves.reason / words)
  const z = energy(features.pace, 0, peers?.rate)
  const level = sigmoid(1.2 * z)
  return {
    topicalCohesion: unit(cohesion),
    conceptualDensity: features.turns === 0 ? 0 : unit(density),
    offTopicHeat: features.turns === 0 ? 0 : unit(topic.heat),
    discussionMomentum: round(clamp(2.5 * (features.onFast - features.onSlow) + 0.25 * clamp(z, -2, 2) * (features.turns > 5 ? 1 : 0), -1, 1)),
    confusionRisk: unit(1 - Math.exp(-features.confusion.level / 5)),
    energyLevel: unit(level),
    onTrackScore: features.turns === 0 ? 0.5 : unit((1 - topic.heat) * (0.55 + 0.45 * cohesion)),
    confidence: confidenceOf(features)
  }
}

/** How much to believe: enough words, enough time, heard well, in a language that the words are known of. */
export function confidenceOf (features: Features): number {
  const seconds = Math.max(0, features.now - features.first) / 1000
  return unit(Math.min(1, features.mass / 12) * Math.min(1, seconds / 45) * features.heard * understood(features))
}
