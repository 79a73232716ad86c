import { Socket } from 'socket.io-client'

/**
 * Where tokens and what people said may not be: logs, metrics, errors, what goes to Redis but the keys that are declared
 * to hold it. Each server and each Redis of a test is looked at when it ends, each error when it comes, so every test is
 * a test of this. `canary.test.ts` looks for more.
 */

/** Three parts in base64url, of which the first two are JSON. */
export const tokens = /eyJ[\w-]{10,}\.eyJ[\w-]{10,}\.[\w-]{16,}/g
/** Where people's words stand in what is sent. */
const spoken = new Set(['text', 'message', 'issueReason', 'teacherNotes', 'reason', 'topic', 'goal', 'displayName'])
/** Shorter words stand in logs by chance. */
const least = 12

/** So many are looked for at most: each is, in each line of a log. */
const most = 1_000

/** What was said in this process. */
export const said = new Set<string>()

/** Remembers what is said with a request or an event. */
export function remember (payload: unknown): void {
  if (typeof payload !== 'object' || payload === null || ArrayBuffer.isView(payload)) return
  for (const [name, value] of Object.entries(payload as Record<string, unknown>)) {
    if (typeof value === 'string' && spoken.has(name) && value.length >= least && said.size < most) said.add(value)
    else remember(value)
  }
}

/** @throws for tokens and words in what somebody is told */
export function spotless (what: string, text: string): void {
  const leaks = leaksIn(text)
  if (leaks.length > 0) throw new Error(`${what} holds ${leaks.join(', ')}`)
}

/** Also what clients say that a test opens by itself, or by the client SDK. */
const { emit } = Socket.prototype
Socket.prototype.emit = function (this: Socket, ...said: Parameters<typeof emit>) {
  remember(said.slice(1))
  return emit.apply(this, said)
}

/** Tokens and words in a text. */
export function leaksIn (text: string): string[] {
  return [...text.match(tokens) ?? [], ...[...said].filter(one => text.includes(one) || text.includes(JSON.stringify(one).slice(1, -1)))]
}
