import { fold, start } from '../../../lib/guidance/embedded/features.ts'
import { goalStems } from '../../../lib/guidance/embedded/goals.ts'
import type { Weights } from '../../../lib/guidance/embedded/model.ts'
import { observe, topicFeatures } from '../../../lib/guidance/embedded/topic.ts'
import { words } from '../../../lib/guidance/embedded/words.ts'
import type { Session, Turn } from '../data.ts'
import { logistic, type Row } from '../regression.ts'

/** Signs that the evidence must have: what shows the task can never speak against it. */
const sign: Record<typeof topicFeatures[number], -1 | 0 | 1> = {
  bias: 0, goal: 1, history: 1, ratio: 1, lexicon: 1, number: -1, novel: 1, early: 0, recent: 1, fresh: 0
}

/** The turns of spliced sessions as rows: every pool and every source counts the same. */
export function topicRows (sessions: readonly Session[], of: (group: string, text: string) => Weights, counts: (turn: Turn) => boolean): Row[] {
  const found: { key: string, x: readonly number[], y: number }[] = []
  for (const session of sessions) {
    const goals = goalStems(session.context)
    let features = start()
    for (const turn of session.turns) {
      const weights = of(session.group, turn.text)
      if (!turn.adult && counts(turn)) {
        const said = words(turn.text)
        if (said.tokens.length > 0) found.push({ key: `${session.source} ${session.kind} ${turn.off}`, x: observe(features.topic, said, goals, weights).x, y: turn.off ? 1 : 0 })
      }
      features = fold(features, turn, session.context, weights)
    }
  }
  const count = new Map<string, number>()
  for (const one of found) count.set(one.key, (count.get(one.key) ?? 0) + 1)
  return found.map((one) => ({ x: one.x, y: one.y, weight: (one.y === 1 ? 0.25 : 0.75) * found.length / count.size / count.get(one.key)! * 2 }))
}

export function fitTopic (rows: readonly Row[]): Weights['topic']['weights'] {
  const w = logistic(rows, topicFeatures.length, 5, topicFeatures.map((name) => sign[name]))
  return Object.fromEntries(topicFeatures.map((name, i) => [name, w[i]!])) as Weights['topic']['weights']
}
