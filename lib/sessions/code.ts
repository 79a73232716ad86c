import { randomInt } from 'node:crypto'

/** No 0 O 1 I L: what is read from a board must not be mistaken. 31 characters, so six of them make 8.9e8 codes. */
export const codeAlphabet = '23456789ABCDEFGHJKMNPQRSTUVWXYZ'

/** A join code from a cryptographic source. */
export function makeCode (length: number): string {
  return Array.from({ length }, () => codeAlphabet[randomInt(codeAlphabet.length)]).join('')
}

const readable = new RegExp(`^[${codeAlphabet}]{1,10}$`)

/** What a person typed, as a code: upper case, without spaces and dashes. Null when no code looks like that. */
export function readCode (typed: string): string | null {
  const code = typed.toUpperCase().replace(/[\s-]/g, '')
  return readable.test(code) ? code : null
}
