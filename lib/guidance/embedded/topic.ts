import { absorb, historyStart, timesIn, type HistoryState } from './history.ts'
import { clamp, round, sigmoid } from './numbers.ts'
import { baseOf, units, unseen } from './lexicon.ts'
import { isStop } from './stop.ts'
import type { Weights } from './model.ts'
import { isNumber, type Words } from './words.ts'

/**
 * Is the group on its task? Each turn gives evidence: words of the goals, words of the group's own history, words that
 * talk at large uses off the task; a filter of two states (on, off) adds it up. What is usual
 * for the group itself is no evidence.
 */
export interface TopicState extends HistoryState {
  /** Probability that the talk is off the task now. */
  heat: number
  /** Evidence added up since the talk last looked on task, for the score. */
  sum: number
  /** Decayed sum of the group's own evidence and its weight: tasks and ages talk differently. */
  usual: number
  weight: number
  /** Among off-task turns: balance of chat about life (above 0) and talk about the classroom. */
  social: number
  coverage: number
}

export const topicStart = (): TopicState => ({ heat: 0.1, sum: 0, usual: 0, weight: 0, social: 0, coverage: 0.5, ...historyStart() })

export interface TurnEvidence {
  /** In the order of `Weights.topic.weights`. */
  x: number[]
  offTask: number
  social: number
  coverage: number
  content: string[]
  /** Words with the strongest pull, off the task. */
  pulls: string[]
}

export const topicFeatures = ['bias', 'goal', 'history', 'ratio', 'lexicon', 'number', 'novel', 'early', 'recent', 'fresh'] as const

export function observe (state: TopicState, said: Words, goals: ReadonlySet<string>, weights: Weights): TurnEvidence {
  const { background, offTask, social } = weights.lexicon
  let mass = 0; let goalMass = 0; let knownMass = 0; let novel = 0; let recent = 0; let ratio = 0
  const content: string[] = []
  const pull = new Map<string, number>()
  const waiting = ` ${state.waiting.map(([stems]) => stems).join(' ')} `
  const n = state.total
  const shareOfGoals = goals.size > 0 ? 0.12 : 0
  const shareOfHistory = 0.55 * n / (n + 150)
  let numbers = 0
  const seen = new Set<string>()
  for (const token of said.tokens) {
    const number = isNumber(token)
    if (number) numbers++
    if (isStop(token)) continue
    const base = baseOf(token)
    if (seen.has(base) || seen.size >= 40) continue
    seen.add(base)
    content.push(base)
    const commonness = background.get(base) ?? unseen
    // A new number is hardly news.
    const idf = clamp(-commonness / 8, 0.3, 1.4) * (number ? 0.5 : 1)
    const isGoal = goals.has(base)
    const times = timesIn(state, base)
    mass += idf
    if (isGoal) goalMass += idf
    if (times > 0) knownMass += idf
    if (!isGoal && times === 0) {
      novel += idf
      if (waiting.includes(` ${base} `)) recent += idf
    }
    const p = Math.exp(commonness)
    const on = (isGoal ? shareOfGoals / goals.size : 0) + (n > 0 ? shareOfHistory * times / n : 0) + (1 - shareOfGoals - shareOfHistory) * p
    const pulls = clamp(Math.log(p / on), -4, 1) * (number ? 0.5 : 1)
    ratio += pulls
    pull.set(token, pulls * weights.topic.weights.ratio)
  }
  let lexicon = 0; let chat = 0
  for (const one of units(said.tokens)) {
    const off = offTask.get(one) ?? 0
    // A word of the goals never counts against the group; one of its history hardly does.
    const times = timesIn(state, one)
    lexicon += off > 0 ? (goals.has(one) ? 0 : off * (times > 1 ? 0.5 : 1)) : off
    chat += social.get(one) ?? 0
  }
  for (const token of said.tokens) {
    const off = offTask.get(baseOf(token)) ?? 0
    if (off !== 0) pull.set(token, (pull.get(token) ?? 0) + off * weights.topic.weights.lexicon)
  }
  const e = mass / (mass + 1)
  const early = Math.exp(-n / 60)
  const share = (part: number): number => mass > 0 ? part / mass : 0
  const x = [
    1,
    goals.size > 0 ? (0.4 - share(goalMass)) * e : 0,
    (0.5 - share(knownMass)) * e * (1 - early),
    clamp(ratio, -8, 3),
    clamp(lexicon, -5, 5),
    said.tokens.length > 0 ? numbers / said.tokens.length : 0,
    (share(novel) - 0.3) * e * (1 - early),
    early,
    share(recent) * e * (1 - early),
    clamp(lexicon, -5, 5) * early
  ]
  const coverage = mass > 0 ? Math.max(share(goalMass), share(knownMass)) * e + 0.5 * (1 - e) : 0.5
  const pulls = [...pull].filter(([, by]) => by > 0.15).sort((a, b) => b[1] - a[1] || (a[0] < b[0] ? -1 : 1)).slice(0, 4).map(([token]) => token)
  return { x, offTask: lexicon, social: chat, coverage, content, pulls }
}

/** Evidence for off-task talk in one turn, as a log likelihood ratio. */
export function likelihood (x: readonly number[], weights: Weights): number {
  let z = 0
  for (let i = 0; i < topicFeatures.length; i++) z += (x[i] ?? 0) * weights.topic.weights[topicFeatures[i]!]
  return clamp(z - weights.topic.prior, -weights.topic.clip, weights.topic.clip)
}

/** One turn of a member: filter, running sum, history. Returns the evidence and how much the turn weighs. */
export function foldTopic (state: TopicState, said: Words, goals: ReadonlySet<string>, understood: number, weights: Weights): TurnEvidence & { llr: number } {
  const seen = observe(state, said, goals, weights)
  // Words that nobody here knows are no evidence: pupils may speak another language.
  const own = likelihood(seen.x, weights) * understood
  const llr = own - excess(state, weights) * understood
  const { stayOff, goOff, drift, cap, memory } = weights.topic
  const before = state.heat * stayOff + (1 - state.heat) * goOff
  const odds = before / (1 - before) * Math.exp(llr)
  state.heat = round(clamp(odds / (1 + odds), 0.0001, 0.9999))
  const learn = state.sum < 3 ? 1 : 0.2
  state.usual = round(state.usual * (1 - 1 / memory) + own * learn)
  state.weight = round(state.weight * (1 - 1 / memory) + learn)
  state.sum = round(clamp(state.sum + llr - drift, 0, cap))
  state.social = round(0.8 * state.social + 0.2 * clamp(seen.social, -4, 4) * sigmoid(4 * (state.heat - 0.5)) * 2)
  state.coverage = round(0.8 * state.coverage + 0.2 * seen.coverage)
  absorb(state, seen.content, state.heat)
  return { ...seen, llr }
}

/** What is usual for this group beyond what is usual for groups: their task and age, not their attention. */
function excess (state: TopicState, { topic: { baseline, trust, patience } }: Weights): number {
  return trust * Math.max(0, (state.usual + baseline * patience) / (state.weight + patience) - baseline)
}
