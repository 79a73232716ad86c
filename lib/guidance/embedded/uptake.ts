import { isQuestion } from './cues.ts'
import { baseOf } from './lexicon.ts'
import type { Weights } from './model.ts'
import { isStop } from './stop.ts'
import type { Words } from './words.ts'

/**
 * How far a reply builds on the turn before (Demszky et al. 2021, "Measuring conversational uptake"): which of its words
 * come back, content words and all, whether the reply asks, whether it wonders, and how much is said at all. The scale
 * is the experts': 0 is ordinary.
 */
export const uptakeFeatures = ['bias', 'content', 'every', 'question', 'wonder', 'length', 'turn'] as const

const wondering = / (?:why|how|what|explain|think|mean|because) /

export function uptakeOf (turn: readonly string[], reply: Words): number[] {
  const there = new Set(turn)
  const again = new Set(reply.tokens)
  const content = new Set(turn.filter((token) => !isStop(token)).map(baseOf))
  const back = new Set(reply.tokens.filter((token) => !isStop(token)).map(baseOf))
  return [
    1,
    shared(content, back),
    shared(there, again),
    isQuestion(reply) ? 1 : 0,
    wondering.test(reply.line) ? 1 : 0,
    Math.log(1 + Math.min(reply.tokens.length, 60)),
    Math.log(1 + Math.min(turn.length, 60))
  ]
}

export function uptake (turn: readonly string[], reply: Words, weights: Weights): number {
  return uptakeOf(turn, reply).reduce((sum, x, i) => sum + x * weights.uptake[uptakeFeatures[i]!], 0)
}

function shared (turn: ReadonlySet<string>, reply: ReadonlySet<string>): number {
  if (turn.size === 0) return 0
  let count = 0
  for (const one of turn) if (reply.has(one)) count++
  return count / turn.size
}
