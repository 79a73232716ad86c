import { setTimeout as pause } from 'node:timers/promises'
import { ClasswavesError } from './errors.ts'

/**
 * A mutation that is asked for twice happens once: whoever claims a key first does the work, everyone after gets its
 * answer. `bodyHash` stands for what was asked; the same key with another one is a mismatch.
 */
export interface Idempotency {
  /**
   * `new`: do it, then `complete` or `abandon`. While another caller is doing it, waits for that answer; when the
   * other abandons, one of those who wait gets `new`.
   * @throws ClasswavesError UNAVAILABLE when the other takes too long, or when nobody can say what happened before
   */
  claim (key: string, bodyHash: string): Promise<Claim>
  /** Keeps the answer. The first answer of a key stays. Rejects with UNAVAILABLE when it could not be kept in the time of a claim. */
  complete (key: string, bodyHash: string, answer: StoredAnswer): Promise<void>
  /** Gives a claim up, so that the key may be tried anew. An answer that is kept stays. */
  abandon (key: string, bodyHash: string): Promise<void>
}

export interface StoredAnswer { status: number, body: string }

export type Claim = { state: 'new' } | { state: 'mismatch' } | { state: 'done', answer: StoredAnswer }

export interface IdempotencySettings {
  /** How long an answer is kept, in milliseconds. */
  answerMs: number
  /** How long a claim holds without an answer: its process may have died. */
  claimMs: number
  /** How long `claim` waits for the answer of another caller. */
  waitMs: number
}

export const idempotencyDefaults: IdempotencySettings = { answerMs: 24 * 3600 * 1000, claimMs: 30_000, waitMs: 10_000 }

const firstPauseMs = 10
const longestPauseMs = 250

/** Tries to claim until the key is no longer under way elsewhere. */
export async function patiently (attempt: () => Promise<Claim | { state: 'pending' }>, waitMs: number): Promise<Claim> {
  const until = performance.now() + waitMs
  for (let pauseMs = firstPauseMs; ; pauseMs = Math.min(pauseMs * 2, longestPauseMs)) {
    const claim = await attempt()
    if (claim.state !== 'pending') return claim
    if (performance.now() + pauseMs > until) throw new ClasswavesError('UNAVAILABLE', 'The same request is still under way; try again.')
    await pause(pauseMs)
  }
}
