/**
 * What may stand in no log: tokens, and what people said. Each server that a test builds logs all it can, and is looked
 * at when it ends, so every test is a test of this. `canary.test.ts` looks in more places, and for more.
 */

/** Three parts in base64url, of which the first two are JSON. */
const token = /eyJ[\w-]{10,}\.eyJ[\w-]{10,}\.[\w-]{16,}/g
/** Where people's words stand in what is sent. */
const spoken = new Set(['text', 'message', 'issueReason', 'teacherNotes', 'reason', 'topic', 'goal', 'displayName'])
/** Shorter words stand in logs by chance. */
const least = 12

const said = new Set<string>()

/** Remembers what is said with a request or an event. */
export function remember (payload: unknown): void {
  if (typeof payload !== 'object' || payload === null) return
  for (const [name, value] of Object.entries(payload as Record<string, unknown>)) {
    if (typeof value === 'string' && spoken.has(name) && value.length >= least) said.add(value)
    else remember(value)
  }
}

/** Tokens and words in a text. */
export function leaksIn (text: string): string[] {
  return [...text.match(token) ?? [], ...[...said].filter(one => text.includes(one) || text.includes(JSON.stringify(one).slice(1, -1)))]
}
