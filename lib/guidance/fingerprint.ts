import { createHash } from 'node:crypto'

/**
 * What two wordings of the same prompt have in common: letters, marks and digits of any script, in lower case, one
 * space between words. A message without any of those (an emoji) stands for itself.
 */
export function normalise (message: string): string {
  const folded = message.normalize('NFKC').toLowerCase().normalize('NFKC')
  return folded.replace(/[^\p{L}\p{M}\p{N}]+/gu, ' ').trim() || folded.trim()
}

/** Identifies a prompt of a category (40 hex digits); nobody can read the message from it. */
export function fingerprint (category: string, message: string): string {
  return createHash('sha1').update(`${category}/${normalise(message)}`).digest('hex')
}
