import { ClasswavesError } from './errors.ts'
import { idempotencyDefaults, patiently, type Claim, type Idempotency, type IdempotencySettings, type StoredAnswer } from './idempotency.ts'

export interface MemoryIdempotencyOptions extends Partial<IdempotencySettings> {
  /** Milliseconds of a clock that is never set back. */
  now?: () => number
  /** How many claims may be under way, and how many answers are kept; past it the oldest answers are forgotten. */
  maxKeys?: number
  /** How many characters of answers are kept. */
  maxCharacters?: number
}

interface Entry { bodyHash: string, endsAt: number }

/** Claims and answers of this process alone. */
export function createMemoryIdempotency (options: MemoryIdempotencyOptions = {}): Idempotency {
  const { answerMs, claimMs, waitMs } = { ...idempotencyDefaults, ...options }
  const { now = () => performance.now(), maxKeys = 10_000, maxCharacters = 32 * 1024 * 1024 } = options
  // The entries of each map last equally long, so the oldest stand in front.
  const underWay = new Map<string, Entry>()
  const answers = new Map<string, Entry & { answer: StoredAnswer }>()
  let characters = 0

  function prune (): void {
    const at = now()
    for (const [key, { endsAt }] of underWay) {
      if (endsAt > at) break
      underWay.delete(key)
    }
    for (const [key, { endsAt, answer }] of answers) {
      if (endsAt > at && answers.size <= maxKeys && characters <= maxCharacters) break
      answers.delete(key)
      characters -= answer.body.length
    }
  }

  function attempt (key: string, bodyHash: string): Claim | { state: 'pending' } {
    prune()
    const done = answers.get(key)
    const known = done ?? underWay.get(key)
    if (known && known.bodyHash !== bodyHash) return { state: 'mismatch' }
    if (done) return { state: 'done', answer: { ...done.answer } }
    if (known) return { state: 'pending' }
    // To forget a claim that is under way would let its mutation run twice.
    if (underWay.size >= maxKeys) throw new ClasswavesError('UNAVAILABLE')
    underWay.set(key, { bodyHash, endsAt: now() + claimMs })
    return { state: 'new' }
  }

  return {
    claim: (key, bodyHash) => patiently(async () => attempt(key, bodyHash), waitMs),

    async complete (key, bodyHash, { status, body }) {
      prune()
      if (answers.has(key) || (underWay.get(key)?.bodyHash ?? bodyHash) !== bodyHash) return
      underWay.delete(key)
      answers.set(key, { bodyHash, endsAt: now() + answerMs, answer: { status, body } })
      characters += body.length
      prune()
    },

    async abandon (key, bodyHash) {
      if (underWay.get(key)?.bodyHash === bodyHash) underWay.delete(key)
    }
  }
}
