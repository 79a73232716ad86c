import type { GroupContext, Utterance } from '../analyzer.ts'
import { ageConfusion, confusionStart, foldConfusion, type ConfusionState } from './confusion.ts'
import { keep, keyOf, quote, type Quote } from './evidence.ts'
import { ageFloor, dominant, floorStart, foldFloor, type FloorState } from './floor.ts'
import { goalStems } from './goals.ts'
import { absorb } from './history.ts'
import { baseOf } from './lexicon.ts'
import { weights as shipped, type Weights } from './model.ts'
import { ageMoves, foldMoves, movesStart, type MovesState } from './moves.ts'
import { clamp, decay, finite, round, sigmoid } from './numbers.ts'
import { agePace, energy, foldPace, paceStart, stalled, weigh, type PaceState } from './pace.ts'
import { channels, type Channel } from './signals.ts'
import { foldTopic, observe, topicStart, type TopicState } from './topic.ts'
import { isStop } from './stop.ts'
import { isNumber, words } from './words.ts'

/** All that is remembered of a group: plain JSON, at most 8 KB, whatever was said and for however long. */
export interface Features {
  v: 1
  /** Event time of the first and the newest talk; -1 before any. */
  first: number
  now: number
  /** Members' turns with words in them. */
  turns: number
  /** Evidence of any kind so far, and the share of words that the background knows. */
  mass: number
  known: number
  /** Mean confidence of the transcriber. */
  heard: number
  onFast: number
  onSlow: number
  topic: TopicState
  confusion: ConfusionState
  floor: FloorState
  pace: PaceState
  moves: MovesState
  /** When each channel last left zero. */
  since: Record<Channel, number>
  quotes: { topic: Quote[], confusion: Quote[], tail: Quote[] }
}

export function start (): Features {
  return {
    v: 1, first: -1, now: -1, turns: 0, mass: 0, known: 1, heard: 1, onFast: 0.7, onSlow: 0.7,
    topic: topicStart(), confusion: confusionStart(), floor: floorStart(), pace: paceStart(), moves: movesStart(),
    since: { topic: 0, confusion: 0, floor: 0, pace: 0 }, quotes: { topic: [], confusion: [], tail: [] }
  }
}

/** Longer than any silence within a lesson's talk: a break, not evidence. */
const maxSilence = 600_000
/** The last moment that a date can say. */
const latest = 8.64e15

/**
 * Folds one utterance in. Changes `features` and returns it: the caller owns it and keeps it as JSON. Constant time;
 * never throws; a timestamp that runs backwards is taken as now.
 */
export function fold (features: Features, utterance: Utterance, context: GroupContext, weights: Weights = shipped): Features {
  const ended = clamp(finite(utterance.endedAt, finite(utterance.startedAt, features.now)), 0, latest)
  const started = clamp(finite(utterance.startedAt, ended), Math.max(0, ended - 120_000), ended)
  if (features.now < 0) { features.first = started; features.now = started }
  age(features, started, weights)
  const busy = Math.max(0, ended - features.now)
  features.now = Math.max(features.now, ended)
  const said = words(utterance.text)
  if (said.tokens.length === 0) return features
  const goals = goalStems(context)
  const speaker = keyOf(utterance.speaker ?? '')
  const isMember = context.members.length === 0 || utterance.speaker === null || context.members.includes(utterance.speaker)
  if (!isMember) {
    // Teachers name the task: their words join the group's own. They do not move its scores.
    absorb(features.topic, observe(features.topic, said, goals, weights).content, 0)
    return features
  }
  features.turns++
  features.heard = round(0.9 * features.heard + 0.1 * clamp(finite(utterance.confidence, 1), 0, 1))
  forget(features, busy, weights)

  const known = said.tokens.filter((token) => isStop(token) || isNumber(token) || weights.lexicon.background.has(baseOf(token)) || goals.has(baseOf(token))).length
  features.known = round(0.8 * features.known + 0.2 * known / said.tokens.length)
  const topic = foldTopic(features.topic, said, goals, understood(features), weights)
  const stuck = foldConfusion(features.confusion, said, speaker, weights)
  if (utterance.speaker !== null) foldFloor(features.floor, speaker, said.tokens.length, features.now, context.members.length, weights)
  foldPace(features.pace, weigh(said.tokens.length), weights)
  foldMoves(features.moves, said, topic.content, speaker, goals, sigmoid(1.2 * energy(features.pace, 0)), weights)

  features.mass = round(Math.min(features.mass + Math.min(topic.content.length, 3), 1000))
  const onTrack = (1 - features.topic.heat) * (0.55 + 0.45 * features.topic.coverage)
  features.onFast = round(0.75 * features.onFast + 0.25 * onTrack)
  features.onSlow = round(0.94 * features.onSlow + 0.06 * onTrack)

  const sums = statistics(features)
  for (const channel of channels) if (sums[channel] <= 0) features.since[channel] = features.now
  if (topic.llr > 0.3) keep(features.quotes.topic, quote(features.now, utterance.text, topic.pulls))
  if (stuck.llr > 0.3) keep(features.quotes.confusion, quote(features.now, utterance.text, stuck.found))
  keep(features.quotes.tail, quote(features.now, utterance.text, [speaker]))
  return features
}

/** How far the talk is in a language that the lexicon knows, 0 to 1. */
export function understood (features: Features): number {
  return clamp((features.known - 0.3) / 0.3, 0, 1)
}

/** Lets time pass without a judgement: a pause or a break of the session is not silence. */
export function skip (features: Features, until: number): Features {
  if (features.now >= 0) features.now = clamp(finite(until, features.now), features.now, latest)
  return features
}

/** Lets silence pass until a moment. */
export function age (features: Features, at: number, weights: Weights = shipped): void {
  if (features.now < 0 || !(at > features.now)) return
  const ms = Math.min(at - features.now, maxSilence)
  agePace(features.pace, ms / 1000, weights)
  forget(features, ms, weights)
  features.now = Math.min(at, latest)
}

function forget (features: Features, ms: number, weights: Weights): void {
  ageConfusion(features.confusion, ms, weights)
  ageFloor(features.floor, ms)
  ageMoves(features.moves, ms)
  features.topic.sum = round(features.topic.sum * decay(ms, weights.topic.halfLifeMs))
}

/** What each channel has added up. */
export function statistics (features: Features): Record<Channel, number> {
  return {
    topic: features.topic.sum,
    confusion: features.confusion.sum,
    floor: dominant(features.floor)?.sum ?? 0,
    pace: round(stalled(features.pace))
  }
}
