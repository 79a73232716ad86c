/**
 * Talk as words: lower case, one spelling for what recognisers write three ways ("don't", "don t", "dont"), no
 * placeholders, bounded length. Everything downstream sees only this.
 */

/** Long enough for a minute of speech; what is longer is not one turn. */
const maxChars = 1500
const maxTokens = 160
const maxTokenChars = 24

const placeholders = /\[[^\]]{0,60}\]|<[^>]{0,60}>|\bstudent [a-z]\b(?!')/g
const word = /[\p{L}\p{N}\p{M}]+(?:'\p{L}+)*/gu
const quotes = /[\u2018\u2019\u02bc\u0060\u00b4]/g
const clitic = /'(?:s|m|re|ll|ve|d)$/
/** The verb of a question matters: "what's" asks, "that's" does not. */
const askingIs = /\b(what|where|who|how|why)(?:'?s| s)\b/g
const tails = new Set(['s', 'm', 're', 'll', 've', 'd'])

/** Spellings without the apostrophe, as recognisers leave them. Ambiguous ones ("well", "were", "id") stay. */
const joined = new Map([
  ['im', 'i'], ['ive', 'i'], ['youre', 'you'], ['youve', 'you'], ['theyre', 'they'], ['theyve', 'they'], ['weve', 'we'],
  ['hes', 'he'], ['shes', 'she'], ['its', 'it'], ['thats', 'that'], ['theres', 'there'], ['heres', 'here'], ['lets', 'let'], ['cannot', 'cant'], ['gonna', 'going'],
  ['dunno', 'dontknow'], ['ok', 'okay'], ['cuz', 'because'], ['cos', 'because'], ['coz', 'because'], ['cause', 'because'],
  ['doesn', 'doesnt'], ['didn', 'didnt'], ['isn', 'isnt'], ['wasn', 'wasnt'], ['couldn', 'couldnt'], ['wouldn', 'wouldnt']
])

const numbers = new Set(('zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen seventeen ' +
  'eighteen nineteen twenty thirty forty fourty fifty sixty seventy eighty ninety hundred thousand half third quarter').split(' '))

export interface Words {
  tokens: string[]
  /** The tokens with one space between and around them, for cues. */
  line: string
  /** The talk carries a question mark; recognisers often leave it out. */
  asks: boolean
}

export function words (text: string): Words {
  const raw = text.slice(0, maxChars).normalize('NFKC').slice(0, maxChars).toLowerCase().replace(quotes, "'").replace(placeholders, ' ').replace(askingIs, '$1 is')
  const tokens: string[] = []
  for (const [found] of raw.matchAll(word)) {
    if (tokens.length >= maxTokens) break
    const previous = tokens[tokens.length - 1]
    if (previous !== undefined) {
      if (found === 't' && previous.endsWith('n')) { tokens[tokens.length - 1] = previous + 't'; continue }
      if (tails.has(found)) continue
    }
    const plain = found.replace(clitic, '').replaceAll("'", '')
    if (plain === '' || plain.length > maxTokenChars) continue
    tokens.push(joined.get(plain) ?? plain)
  }
  return { tokens, line: ` ${tokens.join(' ')} `, asks: raw.includes('?') || raw.includes('\u061f') || raw.includes('\uff1f') }
}

export function isNumber (token: string): boolean {
  return numbers.has(token) || /^\d/.test(token)
}
