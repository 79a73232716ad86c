import type { Assessment, GroupContext } from '../analyzer.ts'
import type { Driver } from '../schema.ts'
import { age, statistics, type Features } from './features.ts'
import { metricsOf } from './metrics.ts'
import { weights as shipped, type Weights } from './model.ts'
import { clamp, round, sigmoid } from './numbers.ts'
import { stalled } from './pace.ts'
import type { Peers } from './peers.ts'
import { evidenceOf, sentenceOf } from './reason.ts'
import { channels, type Channel, type Signal } from './signals.ts'

/** A reason for a score, with the words that caused it. */
export interface Reason extends Driver { signal: Signal, words: string[] }

/**
 * How the group stands at event time `at`. Pure: works on a copy. `peers` says how much the session's other groups
 * talk, so that a group silent from the start is seen too.
 */
export function assess (features: Features, at: number, context: GroupContext, peers?: Peers, weights: Weights = shipped): Assessment {
  const then = glance(features)
  age(then, at, weights)
  const sums = statistics(then)
  if (peers && then.first >= 0) sums.pace = Math.max(sums.pace, quietStart(then, peers, weights))
  const points = pointsOf(sums, then, weights)
  const { score, drivers } = blend(points)
  const reasons: Reason[] = drivers.map(({ signal, contribution }) => {
    const quotes = evidenceOf(signal, then)
    return { signal, value: round(points[signal] / 100), contribution, words: [...new Set(quotes.flatMap((one) => one.words))].slice(0, 5) }
  })
  const top = reasons[0]
  return {
    score,
    metrics: metricsOf(then, peers),
    drivers: reasons,
    evidence: top ? evidenceOf(top.signal, then).map((one) => one.text) : [],
    sentence: sentenceOf(top, then, context)
  }
}

/** What each channel has added up by `at`, without changing the features. */
export function statisticsAt (features: Features, at: number, weights: Weights = shipped): Record<Channel, number> {
  const then = glance(features)
  age(then, at, weights)
  return statistics(then)
}

/** Copies what ageing changes. */
function glance (features: Features): Features {
  return {
    ...features,
    topic: { ...features.topic },
    confusion: { ...features.confusion },
    pace: { ...features.pace },
    floor: { ...features.floor, speakers: features.floor.speakers.map((one) => ({ ...one })) },
    moves: { ...features.moves, moves: { ...features.moves.moves } }
  }
}

/** Missing talk since the start, at the pace of the session's other groups; counts while there is no usual pace. */
function quietStart (features: Features, peers: Peers, weights: Weights): number {
  const seconds = (features.now - features.first) / 1000
  if (seconds > 180) return 0
  const debt = clamp(seconds * weights.pace.drift - features.pace.words / Math.max(peers.rate, 0.05), 0, weights.pace.cap)
  return stalled({ ...features.pace, debt })
}

/** Points of each signal on its own: 70 where all channels together call less than once an hour without cause, 40 where less than four times. */
export function pointsOf (sums: Record<Channel, number>, features: Features, weights: Weights): Record<Signal, number> {
  const own = {} as Record<Channel, number>
  for (const channel of channels) own[channel] = ladder(sums[channel], weights.attention[channel])
  const social = sigmoid(weights.topic.socialSlope * (features.topic.social - weights.topic.socialAt))
  // Friends who chat ask each other many questions: that is not being stuck.
  const asking = own.confusion * (1 - 0.5 * social * Math.min(1, own.topic / 70))
  return { offreal: own.topic * (1 - social), social: own.topic * social, confusion: asking, dominance: own.floor, stall: own.pace }
}

function ladder (sum: number, [at40, at70, at100]: readonly [number, number, number]): number {
  if (!(sum > 0)) return 0
  if (sum < at40) return 40 * sum / at40
  if (sum < at70) return 40 + 30 * (sum - at40) / (at70 - at40)
  return Math.min(100, 70 + 30 * (sum - at70) / (at100 - at70))
}

/** Several reasons count a little more than the strongest alone. */
const power = 6

/** One score, and whole points of each signal that add up to it, the largest first. */
export function blend (points: Record<Signal, number>): { score: number, drivers: { signal: Signal, contribution: number }[] } {
  const topic = points.offreal + points.social
  const strengths = [topic, points.confusion, points.dominance, points.stall].map((one) => Math.pow(one / 100, power))
  const whole = strengths.reduce((sum, one) => sum + one, 0)
  const score = Math.min(100, Math.round(100 * Math.pow(whole, 1 / power)))
  if (score === 0) return { score: 0, drivers: [] }
  const shares: [Signal, number][] = [
    ['offreal', topic > 0 ? strengths[0]! * points.offreal / topic : 0],
    ['social', topic > 0 ? strengths[0]! * points.social / topic : 0],
    ['confusion', strengths[1]!], ['dominance', strengths[2]!], ['stall', strengths[3]!]
  ]
  const exact = shares.map(([signal, share]) => ({ signal, exact: score * share / whole }))
  const drivers = exact.map(({ signal, exact }) => ({ signal, contribution: Math.floor(exact), rest: exact - Math.floor(exact) }))
  let missing = score - drivers.reduce((sum, one) => sum + one.contribution, 0)
  for (const one of [...drivers].sort((a, b) => b.rest - a.rest)) {
    if (missing <= 0) break
    one.contribution++
    missing--
  }
  return {
    score,
    drivers: drivers.filter((one) => one.contribution > 0).sort((a, b) => b.contribution - a.contribution)
      .map(({ signal, contribution }) => ({ signal, contribution }))
  }
}
