/** Short pieces of the talk that caused a signal, newest last: what a teacher is shown. */
export interface Quote { at: number, text: string, words: string[] }

const kept = 3
const maxChars = 80
const maxBytes = 120

export function quote (at: number, text: string, words: readonly string[]): Quote {
  return { at, text: shorten(text), words: words.slice(0, 3).map((word) => shorten(word, 24, 36)) }
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
