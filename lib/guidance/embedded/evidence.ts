/** Short pieces of the talk that caused a signal, newest last: what a teacher is shown. */
export interface Quote { at: number, text: string, words: string[] }

const kept = 3
const maxChars = 76
const maxBytes = 88

export function quote (at: number, text: string, words: readonly string[]): Quote {
  return { at, text: shorten(text), words: words.slice(0, 3).map((word) => shorten(word, 40, 40)) }
}

export function keep (quotes: Quote[], one: Quote): void {
  quotes.push(one)
  if (quotes.length > kept) quotes.shift()
}

/** Whole characters only: half a surrogate pair would not survive JSON on every peer. */
export function shorten (text: string, chars = maxChars, bytes = maxBytes): string {
  const plain = text.slice(0, chars * 4).replace(/[\s\p{C}]+/gu, ' ').trim()
  let short = ''; let size = 0; let count = 0
  for (const char of plain) {
    // Quotes and backslashes take two bytes in JSON.
    const next = Buffer.byteLength(char) + (char === '"' || char === '\\' ? 1 : 0)
    if (count >= chars || size + next > bytes) return short.trimEnd() + '…'
    short += char; size += next; count++
  }
  return short
}

const keyBytes = 36

/** An identifier of bounded length: a long one keeps its beginning and a hash (FNV-1a) of the whole. */
export function keyOf (id: string): string {
  if (id.length <= keyBytes && Buffer.byteLength(JSON.stringify(id)) <= keyBytes + 2) return id
  let hash = 2166136261
  for (let i = 0; i < id.length; i++) hash = Math.imul(hash ^ id.charCodeAt(i), 16777619)
  return `${shorten(id, 24, 24)}${(hash >>> 0).toString(36)}`
}
