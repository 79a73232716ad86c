import { setTimeout as pause } from 'node:timers/promises'
import { ask, type ClientOf } from './ask.ts'
import { idempotencyDefaults, patiently, type Claim, type Idempotency, type IdempotencySettings } from './idempotency.ts'
import { key } from './key.ts'
import { script } from './script.ts'

export const idempotencyKeys = {
  claim: key('core:idempotency:{key}', { ttl: '30 s under way, 24 h answered', purpose: 'A mutation under an Idempotency-Key, and its answer, such as a session; never a token', holds: 'words' })
}

const claim = script('core_idempotency_claim', ['claim'], ['bodyHash', 'claimMs'], (reply): Claim | { state: 'pending' } => {
  const [state, status, body] = reply as ['new' | 'mismatch' | 'pending' | 'done', string, string]
  return state === 'done' ? { state, answer: { status: Number(status), body } } : { state }
}, { once: true })

const complete = script('core_idempotency_complete', ['claim'], ['bodyHash', 'status', 'body', 'answerMs'], reply => reply === 1)

const abandon = script('core_idempotency_abandon', ['claim'], ['bodyHash'], reply => reply === 1)

export const idempotencyScripts = [claim, complete, abandon] as const

export interface RedisIdempotencyOptions extends Partial<IdempotencySettings> {
  client: ClientOf
}

const retryMs = 200

/** Claims and answers that all processes share. Without Redis nobody knows whether a mutation was done, so none is let through. */
export function createRedisIdempotency ({ client, ...settings }: RedisIdempotencyOptions): Idempotency {
  const { answerMs, claimMs, waitMs } = { ...idempotencyDefaults, ...settings }
  const named = (key: string): { claim: string } => ({ claim: idempotencyKeys.claim({ key }) })

  function attempt (key: string, bodyHash: string): Promise<Claim | { state: 'pending' }> {
    let late = false
    return ask(client, async redis => {
      const answer = await claim(redis, named(key), { bodyHash, claimMs })
      // The caller has gone with UNAVAILABLE; a claim that nobody works on would only block the next attempt.
      if (late && answer.state === 'new') await abandon(redis, named(key), { bodyHash })
      return answer
    }, { onLate: () => { late = true } })
  }

  return {
    claim: (key, bodyHash) => patiently(() => attempt(key, bodyHash), waitMs),

    /** The mutation has happened by now, so an answer that Redis does not take is offered as long as the claim may hold. */
    async complete (key, bodyHash, { status, body }) {
      const until = performance.now() + claimMs
      for (;;) {
        try {
          await ask(client, redis => complete(redis, named(key), { bodyHash, status, body, answerMs }))
          return
        } catch (unavailable) {
          if (performance.now() + retryMs > until) throw unavailable
        }
        await pause(retryMs, undefined, { ref: false })
      }
    },

    async abandon (key, bodyHash) {
      await ask(client, redis => abandon(redis, named(key), { bodyHash }))
    }
  }
}
