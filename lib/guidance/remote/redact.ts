/**
 * Takes names and contacts out of text that leaves the process. What is known by name goes wherever it stands, whole or
 * in part, in any case, with or without its accents: a pupil called Will costs the text its "will". What has the form
 * of a contact goes: e-mail addresses and links, also spoken ones, handles, phone numbers, long numbers.
 *
 * Limits: a name that nobody gave us passes, also a nickname; so do places, schools, and whatever only the sense of a
 * sentence gives away.
 */
export type Redact = (text: string) => string

/** No turn is longer than this, in characters. */
const longest = 4000
/** Words of made-up labels and ids, and particles: they tell nobody from anybody. */
const general = new Set(('student students pupil teacher speaker member participant guest user group leader child person unknown spk ' +
  'the of de da do di du del der den van von la le el al bin ibn').split(' '))

export function redactor (names: Iterable<string>): Redact {
  const { words, unspaced } = known(names)
  return text => withoutNames(withoutContacts(text), words, unspaced)
}

/** Contacts alone. */
export const withoutContacts: Redact = text => withoutNumbers(withoutAddresses(plain(text)))

/** Full-width and invisible characters would hide an address. A word that the cut goes through is left out: half a name is no known name. */
function plain (text: string): string {
  const line = text.slice(0, longest).replace(/\s+/gu, ' ')
  return (text.length > longest ? line.slice(0, line.lastIndexOf(' ') + 1) : line).normalize('NFKC').replace(/\p{Cf}/gu, '')
}

const label = '[\\p{L}\\p{N}_-]{1,64}'
const domain = /(?<![\p{L}\p{N}.-])[\p{L}\p{N}-]{1,63}(?:\.[\p{L}\p{N}-]{1,63}){0,6}\.\p{L}{2,24}(?![\p{L}\p{N}])/u
/** "anna dot s at school dot org" */
const spokenMail = new RegExp(`(?<![\\p{L}\\p{N}])${label}(?: dot ${label}){0,3} at ${label}(?: dot ${label}){1,4}`, 'giu')
const spokenLink = new RegExp(`(?<![\\p{L}\\p{N}])${label}(?: dot ${label}){0,3} dot (?:com|org|net|edu|gov|info|io|uk|de|fr|eu)(?![\\p{L}\\p{N}])`, 'giu')

function withoutAddresses (text: string): string {
  return text
    .replace(/\S+/gu, word => word.includes('@') ? '[contact]' : word.includes('://') || domain.test(word) ? '[link]' : word)
    .replace(spokenMail, '[contact]')
    .replace(spokenLink, '[link]')
}

const digit = '(?:zero|oh|one|two|three|four|five|six|seven|eight|nine|double|triple)'
const spokenNumber = new RegExp(`(?<![\\p{L}\\p{N}])${digit}(?:[ ,-]{1,3}${digit}){6,}(?![\\p{L}\\p{N}])`, 'giu')

/** Seven digits in a row are a phone number or a date, whatever stands between them; five without a gap are an id. Counting goes too. */
function withoutNumbers (text: string): string {
  return text
    .replace(/\+?\p{Nd}(?:[ ().,/-]{0,3}\p{Nd}){6,}/gu, '[number]')
    .replace(/\p{Nd}{5,}/gu, '[number]')
    .replace(spokenNumber, '[number]')
}

const word = /[\p{L}\p{M}\p{N}]+/gu

function withoutNames (text: string, words: ReadonlySet<string>, unspaced: readonly string[]): string {
  const rest = text.replace(word, said => {
    const one = fold(said)
    return words.has(one) || (one.endsWith('s') && words.has(one.slice(0, -1))) ? '[name]' : said
  })
  return unspaced.reduce((left, name) => left.replaceAll(name, '[name]'), rest)
}

/** The words that names are made of; and those in scripts that set no blanks, which stand inside what looks like one word. */
function known (names: Iterable<string>): { words: Set<string>, unspaced: string[] } {
  const words = new Set<string>()
  const unspaced = new Set<string>()
  const add = (part: string): void => {
    for (const one of [fold(part), fold(written(part))]) {
      if (one.length > 1 && !general.has(one) && !/^\d{1,4}$/.test(one)) words.add(one)
    }
    if (part.length > 1 && /[\p{sc=Han}\p{sc=Hiragana}\p{sc=Katakana}\p{sc=Thai}\p{sc=Lao}\p{sc=Khmer}\p{sc=Myanmar}]/u.test(part)) unspaced.add(part)
  }
  for (const name of names) {
    const line = plain(name)
    for (const one of [line, ...line.split(' ')]) {
      const parts = one.match(word) ?? []
      parts.forEach(add)
      // "Anna-Lena" and "O'Brien" are also heard as one word.
      add(parts.join(''))
    }
  }
  return { words, unspaced: [...unspaced].sort((a, b) => b.length - a.length) }
}

/** Recognisers leave accents out. */
function fold (word: string): string {
  return word.normalize('NFKD').replace(/\p{M}/gu, '').toLowerCase().replace(/[ßøłđæœ]/g, letter => ({ ß: 'ss', ø: 'o', ł: 'l', đ: 'd', æ: 'ae', œ: 'oe' })[letter] as string)
}

/** The other spelling of some letters, such as Mueller for Müller. */
function written (word: string): string {
  return word.toLowerCase().replace(/[äöüøå]/g, letter => ({ ä: 'ae', ö: 'oe', ü: 'ue', ø: 'oe', å: 'aa' })[letter] as string)
}
