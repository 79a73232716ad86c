import type { Weights } from '../../../lib/guidance/embedded/model.ts'
import { uptakeFeatures, uptakeOf } from '../../../lib/guidance/embedded/uptake.ts'
import { words } from '../../../lib/guidance/embedded/words.ts'
import type { Data } from '../data.ts'
import { lessonOf, textFolds } from '../folds.ts'
import { hash } from '../random.ts'
import { linear } from '../regression.ts'

/** What experts' ratings of uptake make of its signs: least squares with a small ridge. */
export function fitUptake (data: Data, leaveOut: number | null): Weights['uptake'] | null {
  const rated = data.exchanges.filter((row) => row.uptake !== null && (leaveOut === null || hash(`lesson ${lessonOf(row.id)}`) % textFolds !== leaveOut))
  if (rated.length < 50) return null
  const w = linear(rated.map((row) => ({ x: uptakeOf(words(row.student).tokens, words(row.teacher)), y: row.uptake!, weight: 1 })), uptakeFeatures.length, 3)
  return Object.fromEntries(uptakeFeatures.map((name, i) => [name, w[i]!])) as Weights['uptake']
}
