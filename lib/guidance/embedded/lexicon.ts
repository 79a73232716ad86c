import { stem } from './stem.ts'

/**
 * What words say regardless of the task: `background`, how common a stem is in talk at large; `offTask`, how much more
 * likely it is off the task than on it; `social`, off the task, how much more it is chat about life than about the
 * classroom. Looked up in maps, never on plain objects: "constructor" is a word too.
 */
export interface Lexicon {
  /** Natural logarithm of the share among content words. */
  background: ReadonlyMap<string, number>
  offTask: ReadonlyMap<string, number>
  social: ReadonlyMap<string, number>
}

/** About one in fifty thousand: a word that the background never saw. */
export const unseen = Math.log(2e-5)

/** Packed as `stem:tenths` with blanks between, which is a third of JSON. */
export function unpack (text: string, scale: number): Map<string, number> {
  const map = new Map<string, number>()
  for (const entry of text.split(' ')) {
    const colon = entry.lastIndexOf(':')
    if (colon > 0) map.set(entry.slice(0, colon), Number(entry.slice(colon + 1)) * scale)
  }
  return map
}

/** A word as it is looked up: its stem; all figures are one word, for no task is told by its sums. */
export function baseOf (token: string): string {
  return /^\d/.test(token) ? '#' : stem(token)
}

/** The units that lexicons weigh: every stem once, and every pair of neighbours once. */
export function units (tokens: readonly string[]): string[] {
  const seen = new Set<string>()
  let previous = '^'
  for (const token of tokens) {
    const one = baseOf(token)
    seen.add(one)
    seen.add(`${previous}_${one}`)
    previous = one
  }
  return [...seen]
}
