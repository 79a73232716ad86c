import { confusionFeatures, confusionOf } from '../../../lib/guidance/embedded/confusion.ts'
import type { Weights } from '../../../lib/guidance/embedded/model.ts'
import { words } from '../../../lib/guidance/embedded/words.ts'
import type { Data } from '../data.ts'
import { plain, textFolds } from '../folds.ts'
import { hash, random } from '../random.ts'
import { logistic, type Row } from '../regression.ts'
import { settings } from './settings.ts'

/**
 * What each cue is worth. The only labelled help requests are of one kind (learners of a language), so the fit starts
 * from weights set by hand for every kind and moves them only as far as the data insist.
 */
const before = settings.confusion.weights
const sign = confusionFeatures.map((name): -1 | 0 | 1 => name === 'resolved' || name === 'tentative' ? -1 : name === 'bias' || name === 'mark' || name === 'short' || name === 'long' || name === 'first' ? 0 : 1)
const prior = 0.3

export function fitConfusion (data: Data, leaveOut: number | null): Weights['confusion']['weights'] {
  const found: { key: string, share: number, x: readonly number[], y: number }[] = []
  const add = (text: string, key: string, share: number, y: number): void => {
    const said = words(text)
    if (said.tokens.length === 0) return
    found.push({ key, share, x: confusionOf(said).x, y })
    // Recognisers leave the question mark out.
    if (said.asks) found.push({ key, share, x: confusionOf({ ...said, asks: false }).x, y })
  }
  for (const row of data.help) {
    if (leaveOut !== null && hash(`help ${plain(row.text)}`) % textFolds === leaveOut) continue
    add(row.text, row.asks ? 'asks' : 'answers', row.asks ? prior : 0.15, row.asks ? 1 : 0)
  }
  for (const [source, share] of [['justhink', 0.2], ['delidata', 0.25], ['ami', 0.1]] as const) {
    const next = random(source)
    for (const session of [...data.groups, ...data.meetings]) {
      if (session.source !== source) continue
      for (const turn of session.turns) if (!turn.adult && next() < 0.4) add(turn.text, source, share, 0)
    }
  }
  const count = new Map<string, number>()
  for (const one of found) count.set(one.key, (count.get(one.key) ?? 0) + 1)
  const rows: Row[] = found.map((one) => ({ x: one.x, y: one.y, weight: one.share / count.get(one.key)! * 2000 }))
  const w = logistic(rows, confusionFeatures.length, 12, sign, confusionFeatures.map((name) => before[name]))
  // As a likelihood ratio: what the turn says, not how common help requests are in this mix.
  w[0]! -= Math.log(prior / (1 - prior))
  return Object.fromEntries(confusionFeatures.map((name, i) => [name, w[i]!])) as Weights['confusion']['weights']
}
