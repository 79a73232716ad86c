import type { Weights } from '../../lib/guidance/embedded/model.ts'
import { hash } from './random.ts'
import { sourceOf, type Data, type Session } from './data.ts'

/**
 * Two splits at once. Groups: a session is judged by weights that never saw its group. Texts: what was spliced in comes
 * from pools (lessons, chats, help requests) that other sessions share, so every text of a pool is judged by words'
 * weights from the rest of the pool. Which texts belong together is known without any label.
 */
export const groupFolds = 4
export const textFolds = 4

/** Weights of one fold of groups: one set for each fold of texts, and one from all texts. */
export interface Fitted { variants: Weights[], whole: Weights }

export interface Chosen { of: (group: string, text: string) => Weights, base: (group: string) => Weights }

export const plain = (text: string): string => text.toLowerCase().replace(/[^a-z0-9]+/g, ' ').trim()

/** Groups of a source are dealt out in turn, so that small sources reach every fold. */
export function groupFold (data: Data): (group: string) => number {
  const bySource = new Map<string, string[]>()
  const all = new Set([...data.splices, ...data.scenarios, ...data.groups, ...data.meetings].map((one) => one.group))
  for (const group of [...all].sort((a, b) => hash(a) - hash(b))) {
    const source = sourceOf(group)
    bySource.set(source, [...bySource.get(source) ?? [], group])
  }
  const fold = new Map<string, number>()
  for (const groups of bySource.values()) groups.forEach((group, i) => fold.set(group, i % groupFolds))
  return (group) => fold.get(group) ?? hash(group) % groupFolds
}

export const lessonOf = (id: string): string => id.split('-')[0] ?? id

/** The fold of a text: that of its lesson or chat, or any, the same for the same key. */
export function textFold (data: Data): (text: string, otherwise: string) => number {
  const fold = new Map<string, number>()
  for (const row of data.exchanges) fold.set(plain(row.student), hash(`lesson ${lessonOf(row.id)}`) % textFolds)
  data.social.forEach((turns, i) => { for (const text of turns) fold.set(plain(text), hash(`chat ${i}`) % textFolds) })
  for (const row of data.help) fold.set(plain(row.text), hash(`help ${plain(row.text)}`) % textFolds)
  for (const one of [...data.groups, ...data.meetings]) {
    for (const { text } of one.turns) {
      const key = plain(text)
      if (key.length >= 12 && !fold.has(key)) fold.set(key, hash(one.group) % textFolds)
    }
  }
  // Asked for every turn of every session, often the same.
  const known = new Map<string, number | null>()
  return (text, otherwise) => {
    let found = known.get(text)
    if (found === undefined) known.set(text, found = fold.get(plain(text)) ?? null)
    return found ?? hash(otherwise) % textFolds
  }
}

export function without (data: Data, out: (group: string) => boolean): Data {
  const keep = (sessions: readonly Session[]): Session[] => sessions.filter((one) => !out(one.group))
  return { ...data, splices: keep(data.splices), scenarios: keep(data.scenarios), groups: keep(data.groups), meetings: keep(data.meetings) }
}
