import { confusionOf, confusionScore } from '../../lib/guidance/embedded/confusion.ts'
import { uptake } from '../../lib/guidance/embedded/uptake.ts'
import { words } from '../../lib/guidance/embedded/words.ts'
import type { Chosen } from './chosen.ts'
import type { Data } from './data.ts'
import { rows, type Measure, type Part } from './measure.ts'
import { helpKey, lessonKey } from './seen.ts'
import { auc, spearman } from './statistics.ts'

interface Pair extends Part { a: number, b: number }

/** Do the cues tell help requests from answers? */
export function confusionMeasures (data: Data, chosen: Chosen): Measure[] {
  if (data.help.length === 0) return []
  const parts = data.help.map((row): Pair => ({ source: row.source, n: 1, a: confusionScore(confusionOf(words(row.text)).x, chosen.help(row.text)), b: row.asks ? 1 : 0 }))
  const area = (of: readonly Pair[]): number | null => auc(of.map((one) => one.a), of.map((one) => one.b === 1))
  return rows('confusion-auc', parts, area, { goal: 0.94, better: 'higher' }, 'pool', data.help.some((row) => chosen.tainted(helpKey(row.text))))
}

/** Does uptake order exchanges as experts do? */
export function uptakeMeasures (data: Data, chosen: Chosen): Measure[] {
  const rated = data.exchanges.filter((row) => row.uptake !== null)
  if (rated.length === 0) return []
  const parts = rated.map((row): Pair => {
    return { source: 'ontask_uptake', n: 1, a: uptake(words(row.student).tokens, words(row.teacher), chosen.lesson(row.id, row.student)), b: row.uptake! }
  })
  const rho = (of: readonly Pair[]): number | null => spearman(of.map((one) => one.a), of.map((one) => one.b))
  return rows('uptake-spearman-with-experts', parts, rho, { goal: 0.55, better: 'higher' }, 'pool', rated.some((row) => chosen.tainted(lessonKey(row.id))))
}
