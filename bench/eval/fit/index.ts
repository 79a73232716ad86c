import type { Weights } from '../../../lib/guidance/embedded/model.ts'
import type { Data } from '../data.ts'
import { textFold, textFolds, type Fitted } from '../folds.ts'
import { fitAttention } from './attention.ts'
import { fitConfusion } from './confusion.ts'
import { settings } from './settings.ts'
import { fitTopic, topicRows } from './topic.ts'
import { fitUptake } from './uptake.ts'
import { corpus, lexicon } from './words.ts'

/** Rounds of fitting: the group's history depends on what was taken for off-task talk. */
const rounds = 2

/** Fits everything on the given data: words, topic, confusion, then what the score makes of them. Sources of unverified licence are left out. */
export function fit (data: Data, textFoldOf = textFold(data), from: Weights = settings): Fitted {
  const make = (leaveOut: number | null): Weights => ({
    ...from,
    lexicon: lexicon(corpus(data, leaveOut)),
    confusion: { ...from.confusion, weights: fitConfusion(data, leaveOut) },
    uptake: fitUptake(data, leaveOut) ?? from.uptake
  })
  let fitted: Fitted = { variants: Array.from({ length: textFolds }, (_, i) => make(i)), whole: make(null) }
  const closed = new Set(data.groups.filter((one) => one.source === 'wtd').flatMap((one) => one.turns.map((turn) => turn.text)))
  const free = data.splices.filter((one) => one.source !== 'wtd')
  for (let round = 0; round < rounds; round++) {
    const { variants } = fitted
    const learned = fitTopic(topicRows(free, (group, text) => variants[textFoldOf(text, group)]!, (turn) => !(turn.off && closed.has(turn.text))))
    const prior = Math.log(0.25 / 0.75)
    const put = (one: Weights): Weights => ({ ...one, topic: { ...one.topic, weights: learned, prior } })
    fitted = { variants: variants.map(put), whole: put(fitted.whole) }
  }
  const { variants } = fitted
  const control = [...data.groups, ...data.meetings].filter((one) => one.source !== 'wtd')
  const attention = fitAttention(control, (group, text) => variants[textFoldOf(text, group)]!)
  return { variants: variants.map((one) => ({ ...one, attention })), whole: { ...fitted.whole, attention } }
}
