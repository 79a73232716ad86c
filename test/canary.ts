import { randomBytes } from 'node:crypto'

/** Texts that stand nowhere else, and where they were found. */

/**
 * `secret` opens a door, `word` was said or written by somebody, `name` is somebody's. Where words may be, names may be
 * as well; a secret may be nowhere.
 */
export type Kind = 'secret' | 'word' | 'name'

export class Canaries {
  readonly #texts = new Map<string, Kind>()

  /** A new text of a kind; it has characters that travel under other names in URLs, in JSON and in logs. */
  text (kind: Exclude<Kind, 'secret'>, what: string): string {
    const text = `${what} "${randomBytes(6).toString('hex')}" & Zoë`
    this.#texts.set(text, kind)
    return text
  }

  /** A token: what it says of its user and its signature are looked for, each alone. */
  token (token: string): string {
    for (const part of token.split('.').slice(1)) this.#texts.set(part, 'secret')
    return token
  }

  secret (text: string): string {
    this.#texts.set(text, 'secret')
    return text
  }

  /** Those of which something stands in the bytes, in whatever writing. */
  in (bytes: Buffer | string, kinds: readonly Kind[] = ['secret', 'word', 'name']): string[] {
    const haystack = typeof bytes === 'string' ? Buffer.from(bytes) : bytes
    return [...this.#texts].filter(([text, kind]) => kinds.includes(kind) && needles(text).some(needle => haystack.includes(needle))).map(([text]) => text)
  }
}

const known = new Map<string, string[]>()

/** A text as it is, as in a URL, in JSON once and twice, and in both kinds of base64, wherever in them it begins. */
export function needles (text: string): string[] {
  const there = known.get(text)
  if (there) return there
  const json = JSON.stringify(text).slice(1, -1)
  const all = [text, encodeURIComponent(text), json, JSON.stringify(json).slice(1, -1)]
  for (const before of [0, 1, 2]) {
    const bytes = Buffer.concat([Buffer.alloc(before), Buffer.from(text)])
    // The first and last characters also stand for what is around it.
    const inner = (encoded: string): string => encoded.slice(before === 0 ? 0 : before + 1, Math.floor(bytes.length / 3) * 4)
    all.push(inner(bytes.toString('base64')), inner(bytes.toString('base64url')))
  }
  const unique = [...new Set(all)]
  known.set(text, unique)
  return unique
}
