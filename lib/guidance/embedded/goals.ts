import type { GroupContext } from '../analyzer.ts'
import { baseOf } from './lexicon.ts'
import { isStop } from './stop.ts'
import { words } from './words.ts'

/** Words of the task as the teacher wrote it. They change rarely, so the last few are remembered by their text. */
const remembered = new Map<string, ReadonlySet<string>>()
const maxGoals = 20

export function goalStems (context: GroupContext): ReadonlySet<string> {
  const goals = context.goals.slice(0, maxGoals)
  const text = [context.topic, ...goals].map((goal) => goal.slice(0, 500)).join('\n')
  const known = remembered.get(text)
  if (known) return known
  const stems = new Set<string>()
  // Line by line: one line may be as long as a turn.
  for (const line of text.split('\n')) for (const token of words(line).tokens) if (!isStop(token)) stems.add(baseOf(token))
  if (remembered.size >= 64) remembered.clear()
  remembered.set(text, stems)
  return stems
}
