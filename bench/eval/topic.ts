import { fold, start } from '../../lib/guidance/embedded/features.ts'
import type { Chosen } from './chosen.ts'
import type { Data, Session } from './data.ts'
import { rows, type Measure, type Part } from './measure.ts'
import { noisy, talkAtLarge } from './noise.ts'
import { groupKey, lessonKey } from './seen.ts'
import { auc } from './statistics.ts'

/** Does `offTopicHeat` know off-task talk, turn by turn? Members' turns only; adults are neither. */
interface Judged extends Part { scores: number[], labels: boolean[] }

const areaOf = (parts: readonly Judged[]): number | null => auc(parts.flatMap((one) => one.scores), parts.flatMap((one) => one.labels))

function judge (session: Session, chosen: Chosen, heard: Session = session): Judged {
  const scores: number[] = []; const labels: boolean[] = []
  let features = start()
  heard.turns.forEach((turn, i) => {
    features = fold(features, turn, session.context, chosen.turn(session.group, session.turns[i]!.text))
    if (turn.adult) return
    scores.push(features.topic.heat)
    labels.push(turn.off)
  })
  return { source: session.source, n: scores.length, scores, labels }
}

const kinds = [
  { kind: 'realoff', name: 'off-topic-auc-real-off-task-talk-spliced-in', goal: 0.94 },
  { kind: 'cross', name: 'off-topic-auc-another-tasks-talk', goal: 0.83 },
  { kind: 'persona', name: 'off-topic-auc-social-chat', goal: null }
] as const

export function topicMeasures (data: Data, chosen: Chosen): Measure[] {
  const found: Measure[] = []
  const seen = data.splices.some((one) => chosen.tainted(groupKey(one.group)))
  for (const { kind, name, goal } of kinds) {
    const sessions = data.splices.filter((one) => one.kind === kind)
    if (sessions.length > 0) found.push(...rows(name, sessions.map((one) => judge(one, chosen)), areaOf, { goal, better: 'higher' }, 'mean', seen))
  }
  const real = data.splices.filter((one) => one.kind === 'realoff')
  if (real.length > 0) {
    const pool = talkAtLarge(data.splices)
    found.push(...rows('the-same-under-40-percent-simulated-recognition-errors', real.map((one) => judge(one, chosen, noisy(one, 0.4, pool))), areaOf, { goal: 0.89, better: 'higher' }, 'mean', seen))
  }
  return found
}

/** One turn without a task, a history or neighbours against what people said of it. */
export function singleTurns (data: Data, chosen: Chosen): Measure[] {
  const rated = data.exchanges.filter((row) => row.onTask !== null)
  if (rated.length === 0) return []
  const parts = rated.map((row): Judged => {
    const turn = { startedAt: 0, endedAt: 2000, speaker: 'S', text: row.student }
    const features = fold(start(), turn, { topic: '', goals: [], members: [] }, chosen.lesson(row.id, row.student))
    return { source: 'ontask_uptake', n: 1, scores: [features.topic.heat], labels: [row.onTask === 0] }
  })
  return rows('single-turn-on-off-task-auc', byLesson(rated.map((row) => row.id), parts), areaOf, { goal: 0.83, better: 'higher' }, 'pool', rated.some((row) => chosen.tainted(lessonKey(row.id))))
}

/** Rows of one lesson are one cluster. */
function byLesson (ids: readonly string[], parts: readonly Judged[]): Judged[] {
  const lessons = new Map<string, Judged>()
  parts.forEach((one, i) => {
    const key = lessonKey(ids[i]!)
    const lesson = lessons.get(key)
    if (!lesson) { lessons.set(key, one); return }
    lessons.set(key, { ...lesson, n: lesson.n + 1, scores: [...lesson.scores, ...one.scores], labels: [...lesson.labels, ...one.labels] })
  })
  return [...lessons.values()]
}
