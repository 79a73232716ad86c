import { fold, start, type Features } from '../../lib/guidance/embedded/features.ts'
import type { Weights } from '../../lib/guidance/embedded/model.ts'
import type { Session } from './data.ts'

/** As the engine does it: every slice folds in when it ends, the score is looked at every 5 s of event time. */
export const tickMs = 5000

export function replay (session: Session, of: (text: string) => Weights, visit: (features: Features, at: number) => void): void {
  let features = start()
  const turns = [...session.turns].sort((a, b) => a.endedAt - b.endedAt)
  const first = session.turns[0]?.startedAt ?? 0
  const last = turns.at(-1)?.endedAt ?? 0
  let next = 0
  for (let at = Math.ceil(first / tickMs) * tickMs; at <= last; at += tickMs) {
    for (let turn = turns[next]; turn && turn.endedAt <= at; turn = turns[++next]) features = fold(features, turn, session.context, of(turn.text))
    visit(features, at)
  }
}

export function hours (sessions: readonly Session[]): number {
  return sessions.reduce((sum, one) => sum + Math.max(0, (one.turns.at(-1)?.endedAt ?? 0) - (one.turns[0]?.startedAt ?? 0)), 0) / 3_600_000
}
