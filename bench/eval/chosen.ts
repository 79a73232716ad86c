import { weights as shipped, type Weights } from '../../lib/guidance/embedded/model.ts'
import type { Data } from './data.ts'
import { fit } from './fit/index.ts'
import { groupFold, groupFolds, textFold, without, type Fitted } from './folds.ts'
import { groupKey, helpKey, lessonKey, seenBefore } from './seen.ts'

/**
 * Which weights may judge what. Talk that the shipped weights never saw is judged by them. Talk that they were fitted
 * on is judged by weights fitted afresh without it: without its group, and without the fold of its text.
 */
export interface Chosen {
  /** For a turn of a group. */
  turn: (group: string, text: string) => Weights
  /** For what does not look at words' weights: thresholds. */
  group: (group: string) => Weights
  lesson: (id: string, text: string) => Weights
  help: (text: string) => Weights
  /** True if this was in the fit and could not be left out, for want of files to fit on again. */
  tainted: (key: string) => boolean
}

export function choose (data: Data, progress: (line: string) => void): Chosen {
  const seen = seenBefore()
  const groups = [...data.splices, ...data.scenarios, ...data.groups, ...data.meetings]
  const any = groups.some((one) => seen(groupKey(one.group))) || data.exchanges.some((row) => seen(lessonKey(row.id))) || data.help.some((row) => seen(helpKey(row.text)))
  const able = data.splices.length > 0 && data.groups.length > 0 && data.exchanges.length > 0 && data.social.length > 0 && data.help.length > 0
  if (!any || !able) {
    progress(any ? 'The shipped weights have seen some of this, and files to fit them afresh are missing: such rows are marked.' : 'The shipped weights have seen nothing of this: they are judged as they are.')
    return { turn: () => shipped, group: () => shipped, lesson: () => shipped, help: () => shipped, tainted: seen }
  }
  const foldOf = groupFold(data); const textOf = textFold(data)
  const folds: Fitted[] = []
  for (let k = 0; k < groupFolds; k++) {
    progress(`Fitting without fold ${k + 1} of ${groupFolds} of the groups ...`)
    folds.push(fit(without(data, (group) => foldOf(group) === k), textOf))
  }
  return {
    turn: (group, text) => seen(groupKey(group)) ? folds[foldOf(group)]!.variants[textOf(text, group)]! : shipped,
    group: (group) => seen(groupKey(group)) ? folds[foldOf(group)]!.whole : shipped,
    lesson: (id, text) => seen(lessonKey(id)) ? folds[0]!.variants[textOf(text, id)]! : shipped,
    help: (text) => seen(helpKey(text)) ? folds[0]!.variants[textOf(text, text)]! : shipped,
    tainted: () => false
  }
}
