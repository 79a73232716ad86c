import { within } from './deadline.ts'
import { ClasswavesError } from './errors.ts'
import type { ScriptClient } from './script.ts'

/** What the core needs of an ioredis `Redis` or `Cluster`. */
export interface AskedClient extends ScriptClient { readonly status: string }

/** Gives the client of this moment; it is asked with each call, so nothing is tied to a connection that has died. */
export type ClientOf = () => AskedClient | null | undefined

/** Told how long Redis took to answer (ms), or why it did not. */
export interface RedisWatch {
  answered (ms: number): void
  failed (why: 'away' | 'late' | 'refused'): void
}

const watches = new WeakMap<object, RedisWatch>()

/** Whoever asks this client from now on is timed. */
export function watchRedis (client: object, watch: RedisWatch): void { watches.set(client, watch) }

/** The answer, or after `ms` what `onLate` says. The watch of the client hears of one failure at most, and how long an answer took, however late. */
export function answerWithin<T> (ms: number, client: object, answer: Promise<T>, onLate: () => T): Promise<T> {
  const watch = watches.get(client)
  if (!watch) return within(ms, answer, onLate)
  const began = performance.now()
  let isLate = false
  answer.then(() => watch.answered(performance.now() - began), () => { if (!isLate) watch.failed('refused') })
  return within(ms, answer, () => {
    isLate = true
    watch.failed('late')
    return onLate()
  })
}

/** Tells the watch of a client that it could not be asked. */
export function notAsked (client: object | null | undefined): void {
  if (client) watches.get(client)?.failed('away')
}

/** No question to Redis holds its caller longer than this, in milliseconds. */
export const askDeadlineMs = 250

/**
 * Puts a question to Redis, if it can be reached at once.
 *
 * @param onLate told when the deadline has passed; Redis may still do what was asked
 * @throws ClasswavesError UNAVAILABLE, with the `cause`, when there is no answer in time or it is "not now"; what is
 * wrong with the question itself keeps its own error
 */
export async function ask<C extends { readonly status: string }, T> (
  client: () => C | null | undefined,
  question: (redis: C) => Promise<T>,
  { deadlineMs = askDeadlineMs, onLate }: { deadlineMs?: number, onLate?: () => void } = {}
): Promise<T> {
  const redis = client()
  // A client that is not ready would keep the command until it is, and send it then.
  if (redis?.status !== 'ready') {
    notAsked(redis)
    throw unavailable(new Error(`Redis is not ready: ${redis?.status ?? 'no client'}`))
  }
  const answer = question(redis).catch((cause: unknown) => { throw isPassing(cause) ? unavailable(cause) : cause })
  return await answerWithin(deadlineMs, redis, answer, () => {
    onLate?.()
    throw unavailable(new Error(`Redis gave no answer in ${deadlineMs} ms`))
  })
}

/** What a store is asked is worth waiting for a little longer (ms): its caller has nobody else to ask. */
const storeDeadlineMs = 1000

/** `ask` for reads and writes of a store. */
export async function askStore<C extends { readonly status: string }, T> (client: () => C | null | undefined, question: (redis: C) => Promise<T>): Promise<T> {
  return await ask(client, question, { deadlineMs: storeDeadlineMs })
}

/** Redis' answers that mean "not now" rather than "never so". */
const passing = /^(LOADING|BUSY|OOM|READONLY|MASTERDOWN|CLUSTERDOWN|TRYAGAIN|NOREPLICAS|MISCONF|UNBLOCKED)\b/

/** A lost connection or a Redis that recovers, not a fault of ours: those keep their own stack. */
function isPassing (error: unknown): boolean {
  if (!(error instanceof Error) || error instanceof ClasswavesError || error instanceof TypeError || error instanceof SyntaxError) return false
  return error.name !== 'ReplyError' || passing.test(error.message)
}

function unavailable (cause: unknown): ClasswavesError {
  return Object.assign(new ClasswavesError('UNAVAILABLE'), { cause })
}
