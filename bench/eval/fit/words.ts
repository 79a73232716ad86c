import { baseOf, units, type Lexicon } from '../../../lib/guidance/embedded/lexicon.ts'
import { isStop } from '../../../lib/guidance/embedded/stop.ts'
import { words } from '../../../lib/guidance/embedded/words.ts'
import type { Data, Session } from '../data.ts'
import { lessonOf } from '../folds.ts'
import { hash } from '../random.ts'
import { textFolds } from '../folds.ts'
import { wordWeights, type Document } from '../regression.ts'

/** What words say regardless of the task: learned from talk on tasks, talk off them, and chat. */

interface Said { tokens: string[], has: string[], source: string, off: boolean, social: boolean }

const cache = new Map<string, { tokens: string[], has: string[] }>()
function read (text: string): { tokens: string[], has: string[] } {
  let known = cache.get(text)
  if (!known) {
    const { tokens } = words(text)
    known = { tokens, has: units(tokens) }
    cache.set(text, known)
  }
  return known
}

/** Texts of one fold are left out; a group's own talk counts as a text of its fold. */
export function corpus (data: Data, leaveOut: number | null): Said[] {
  const said: Said[] = []
  const add = (text: string, source: string, key: string, off = false, social = false): void => {
    if (leaveOut !== null && hash(key) % textFolds === leaveOut) return
    const found = read(text)
    if (found.tokens.length > 0) said.push({ ...found, source, off, social })
  }
  const talk = (sessions: readonly Session[]): void => {
    for (const one of sessions) for (const turn of one.turns) if (!turn.adult) add(turn.text, one.source, one.group)
  }
  talk(data.groups.filter((one) => one.source !== 'wtd'))
  talk(data.meetings)
  for (const row of data.exchanges) if (row.onTask !== null) add(row.student, 'lessons', `lesson ${lessonOf(row.id)}`, row.onTask === 0)
  for (const row of data.followUps) add(row.student, 'follow-ups', `follow ${row.student}`)
  data.social.forEach((turns, i) => { for (const text of turns) add(text, 'social', `chat ${i}`, true, true) })
  return said
}

/** How the classes of talk weigh against each other in the fit. */
const balance: Record<string, number> = { justhink: 1, delidata: 1.2, ami: 0.7, lessons: 2, 'follow-ups': 0.8 }

export function lexicon (said: readonly Said[]): Lexicon {
  const size = new Map<string, number>()
  const key = (one: Said): string => one.off ? (one.social ? 'social' : 'classroom') : one.source
  for (const one of said) size.set(key(one), (size.get(key(one)) ?? 0) + 1)
  const onShare = Object.entries(balance).reduce((sum, [source, share]) => sum + (size.has(source) ? share : 0), 0)
  const weight = (one: Said): number => {
    const count = size.get(key(one))!
    const share = one.off ? (one.social ? 0.25 : 0.75) : (balance[one.source] ?? 1) / onShare
    return share / count * said.length * 0.5
  }
  const documents: Document[] = said.map((one) => ({ has: one.has, y: one.off ? 1 : 0, weight: Math.min(weight(one), 8) }))
  const off = wordWeights(documents, { least: 3, ridge: 3, epochs: 6 })
  // A word speaks for being on task only if more than one task uses it: the lexicon must not know the tasks.
  const tasks = new Map<string, Set<string>>()
  for (const one of said) if (!one.off) for (const unit of one.has) tasks.set(unit, (tasks.get(unit) ?? new Set()).add(one.source))
  const offTask = new Map<string, number>()
  for (const [unit, value] of off) {
    if (Math.abs(value) < 0.1 || (value < 0 && (tasks.get(unit)?.size ?? 0) < 2)) continue
    offTask.set(unit, Math.max(-2.5, Math.min(2.5, value)))
  }
  const kinds: Document[] = said.filter((one) => one.off).map((one) => ({ has: one.has, y: one.social ? 1 : 0, weight: one.social ? 0.5 : 0.5 * (size.get('social') ?? 1) / (size.get('classroom') ?? 1) }))
  const social = new Map([...wordWeights(kinds, { least: 3, ridge: 3, epochs: 6 })].filter(([, value]) => Math.abs(value) > 0.15))
  return { background: background(said), offTask, social }
}

/** Every kind of talk counts the same; rare words are left to `unseen`. */
function background (said: readonly Said[]): Map<string, number> {
  const total = new Map<string, number>()
  const counts = new Map<string, Map<string, number>>()
  for (const one of said) {
    const source = one.off && one.source === 'lessons' ? 'classroom' : one.source
    const of = counts.get(source) ?? new Map<string, number>()
    counts.set(source, of)
    for (const token of one.tokens) {
      if (isStop(token)) continue
      const base = baseOf(token)
      of.set(base, (of.get(base) ?? 0) + 1)
      total.set(source, (total.get(source) ?? 0) + 1)
    }
  }
  const share = new Map<string, number>(); const seen = new Map<string, number>()
  for (const [source, of] of counts) {
    for (const [base, count] of of) {
      // A source is one kind of talk: no word of its task may look common in talk at large.
      share.set(base, (share.get(base) ?? 0) + Math.min(count / total.get(source)!, 0.02) / counts.size)
      seen.set(base, (seen.get(base) ?? 0) + count)
    }
  }
  return new Map([...share].filter(([base]) => (seen.get(base) ?? 0) >= 3).map(([base, value]) => [base, Math.log(value)]))
}
