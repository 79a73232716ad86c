import { find, isQuestion, moveCues, moveNames, type Move } from './cues.ts'
import { decay, clamp, round } from './numbers.ts'
import { shorten } from './evidence.ts'
import type { Weights } from './model.ts'
import { uptake } from './uptake.ts'
import type { Words } from './words.ts'

/** What turns do, counted with a memory of some minutes: the stuff of tier2. */
export interface MovesState {
  /** Decayed counts. */
  turns: number
  words: number
  content: number
  goal: number
  rare: number
  questions: number
  uptake: number
  replies: number
  conflicts: number
  settled: number
  moves: Record<Move, number>
  /** The last turn of somebody else, to see who takes up whose words. */
  last: { speaker: string, words: string }
  before: { speaker: string, words: string }
  /** Turns in which an open conflict may still be met with a reason. */
  open: number
  /** Fast and slow means of engagement, and the mean absolute step, for the arc. */
  fast: number
  slow: number
  steps: number
}

export const movesStart = (): MovesState => ({
  turns: 0, words: 0, content: 0, goal: 0, rare: 0, questions: 0, uptake: 0, replies: 0, conflicts: 0, settled: 0,
  moves: { reason: 0, claim: 0, evidence: 0, counter: 0, synthesis: 0, conflict: 0, agree: 0, probe: 0, meta: 0, apply: 0, positive: 0, negative: 0 },
  last: { speaker: '', words: '' }, before: { speaker: '', words: '' }, open: 0, fast: 0.5, slow: 0.5, steps: 0
})

const halfLifeMs = 150_000
const counted = ['turns', 'words', 'content', 'goal', 'rare', 'questions', 'uptake', 'replies', 'conflicts', 'settled'] as const

export function ageMoves (state: MovesState, ms: number): void {
  if (ms <= 0) return
  const left = decay(ms, halfLifeMs)
  for (const name of counted) state[name] = round(state[name] * left)
  for (const name of moveNames) state.moves[name] = round(state.moves[name] * left)
}

export function foldMoves (state: MovesState, said: Words, content: readonly string[], speaker: string, goals: ReadonlySet<string>, energy: number, weights: Weights): void {
  state.turns = round(state.turns + 1)
  state.words = round(state.words + said.tokens.length)
  state.content = round(state.content + content.length)
  for (const one of content) {
    if (goals.has(one)) state.goal = round(state.goal + 1)
    if ((weights.lexicon.background.get(one) ?? -11) < -8) state.rare = round(state.rare + 1)
  }
  if (isQuestion(said)) state.questions = round(state.questions + 1)
  const hit = {} as Record<Move, boolean>
  for (const name of moveNames) {
    hit[name] = find(moveCues[name], said) !== null
    if (hit[name]) state.moves[name] = round(state.moves[name] + 1)
  }
  if (state.last.speaker !== speaker) state.before = state.last
  if (state.before.words !== '' && state.before.speaker !== speaker) {
    state.uptake = round(state.uptake + clamp(uptake(state.before.words.split(' '), said, weights), -2, 2))
    state.replies = round(state.replies + 1)
  }
  state.last = { speaker, words: shorten(said.tokens.slice(0, 30).join(' '), 140, 140) }
  if (state.open > 0) {
    state.open--
    if (hit.reason || hit.evidence || hit.agree) { state.settled = round(state.settled + 1); state.open = 0 }
  } else if (hit.conflict || hit.counter) {
    state.conflicts = round(state.conflicts + 1)
    state.open = 3
  }
  const feeling = 0.5 + 0.3 * (hit.positive ? 1 : 0) - 0.4 * (hit.negative ? 1 : 0)
  const engaged = 0.6 * energy + 0.4 * feeling
  // The first turns weigh more, so that the arc does not begin with a rise from nowhere.
  const first = 1 / (1 + state.turns)
  state.steps = round(0.95 * state.steps + 0.05 * Math.abs(engaged - state.fast))
  state.fast = round(state.fast + Math.max(0.12, first) * (engaged - state.fast))
  state.slow = round(state.slow + Math.max(0.03, first) * (engaged - state.slow))
}
