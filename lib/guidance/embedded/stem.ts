/**
 * A light English stemmer (after Harman 1991, "How effective is suffixing?": light suffixing does as well as heavy):
 * plural, -ing, -ed, -ly, with the doubled letter and the silent e evened out. Other scripts pass through.
 */

/** Longer stems are cut: a group's history must stay small. */
const maxStem = 12

const cache = new Map<string, string>()

export function stem (token: string): string {
  const known = cache.get(token)
  if (known !== undefined) return known
  const made = strip(token).slice(0, maxStem)
  // Bounded: talk has few distinct words, hostile input has many.
  if (cache.size > 20_000) cache.clear()
  cache.set(token, made)
  return made
}

function strip (token: string): string {
  if (token.length < 4 || !/^[a-z]+$/.test(token)) return token
  let word = token
  if (word.endsWith('ies') && word.length > 4) word = word.slice(0, -3) + 'y'
  else if (/(?:s|x|z|ch|sh)es$/.test(word)) word = word.slice(0, -2)
  else if (/[^su]s$/.test(word)) word = word.slice(0, -1)
  if (word.endsWith('ing') && /[aeiouy].*ing$/.test(word) && word.length > 5) word = even(word.slice(0, -3))
  else if (word.endsWith('ed') && /[aeiouy].*ed$/.test(word) && word.length > 4) word = even(word.slice(0, -2))
  else if (word.endsWith('ly') && word.length > 5) word = word.slice(0, -2)
  if (word.endsWith('e') && word.length > 3) word = word.slice(0, -1)
  return word.endsWith('y') && word.length > 3 ? word.slice(0, -1) + 'i' : word
}

/** "stopp" to "stop", but not "spell" or "miss". */
function even (base: string): string {
  return /([bdgmnprt])\1$/.test(base) ? base.slice(0, -1) : base
}
