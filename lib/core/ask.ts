import { within } from './deadline.ts'
import { ClasswavesError } from './errors.ts'
import type { ScriptClient } from './script.ts'

/** What the core needs of an ioredis `Redis` or `Cluster`. */
export interface AskedClient extends ScriptClient { readonly status: string }

/** Gives the client of this moment; it is asked with each call, so nothing is tied to a connection that has died. */
export type ClientOf = () => AskedClient | null | undefined

/** No question to Redis holds its caller longer than this, in milliseconds. */
export const askDeadlineMs = 250

/**
 * Puts a question to Redis, if it can be reached at once.
 *
 * @param onLate told when the deadline has passed; Redis may still do what was asked
 * @throws ClasswavesError UNAVAILABLE, with the `cause`, when there is no answer in time
 */
export async function ask<T> (client: ClientOf, question: (redis: AskedClient) => Promise<T>, onLate?: () => void): Promise<T> {
  try {
    const redis = client()
    // A client that is not ready would keep the command until it is, and send it then.
    if (redis?.status !== 'ready') throw new Error(`Redis is not ready: ${redis?.status ?? 'no client'}`)
    return await within(askDeadlineMs, question(redis), () => {
      onLate?.()
      throw new Error(`Redis gave no answer in ${askDeadlineMs} ms`)
    })
  } catch (cause) {
    throw Object.assign(new ClasswavesError('UNAVAILABLE'), { cause })
  }
}
