import { answerWithin, notAsked } from '../core/ask.ts'
import { checks, checkSettings, type Checked, type Decision, type Input } from './gate-input.ts'
import { questions, type GateRedis } from './gate-scripts.ts'
import { gateDeadlineMs, type GateName, type Gates, type GateSettings } from './gates.ts'
import { createMemoryGates } from './gates-memory.ts'

export { gateKeys, gateScripts } from './gate-scripts.ts'

/** What the gates need of an ioredis client. */
export interface GateClient extends GateRedis { readonly status: string }

export interface RedisGatesOptions {
  /** Hears of each question that Redis did not answer, so that it is counted, and why. */
  onUnavailable?: (gate: GateName, cause: Error) => void
  /** The clock of the in-process gates that help out, for tests. */
  now?: () => number
}

/** `whenUnavailable` as answers; null: the in-process twin decides. */
const unavailable: { [G in GateName]: Decision<G> | null } = {
  energy: { reason: 'unavailable', mean: 0, variance: 0, count: 0, zScore: 0 },
  attention: { allowed: false, reason: 'unavailable', previousScore: null, previousAt: null, remainingMs: 0 },
  promptPressure: { reason: 'unavailable', pressure: 1, ackCount: 0 },
  acknowledge: { reason: 'unavailable', ackCount: 0 },
  cooldown: null,
  dedupe: null,
  promptStats: { reason: 'unavailable', successRate: null, successSum: 0, weightSum: 0, observationCount: 0, lastUpdate: null },
  tier2Snapshot: { reason: 'unavailable', previous: null, previousAt: null },
  tier2Shift: { allowed: false, reason: 'unavailable', remainingMs: 0, previousAt: null }
}

/** A connection that left one question without an answer is not asked again for so long, in milliseconds. */
const silenceMs = 1000

/** The twin's grants that are kept until Redis is back; of more, the oldest are forgotten. */
const debtLimit = 1000

/**
 * The gates in Redis, shared by every process. The client is looked at anew with each call, so the gates work again
 * as soon as it, or the one that replaced it, does.
 */
export function createRedisGates (
  settings: GateSettings,
  client: GateClient | (() => GateClient | null | undefined),
  options: RedisGatesOptions = {}
): Gates {
  checkSettings(settings)
  const clientOf = typeof client === 'function' ? client : () => client
  const now = options.now ?? Date.now
  const twin: { [G in GateName]: (input: Checked[G]) => Promise<Decision<G>> } = createMemoryGates(settings, { now })
  const silentUntil = new WeakMap<GateClient, number>()
  let debts: ((redis: GateClient) => void)[] = []

  function missed (gate: GateName, cause: unknown): void {
    options.onUnavailable?.(gate, cause instanceof Error ? cause : new Error(String(cause)))
  }

  async function decide<G extends GateName> (gate: G, question: Input<G>): Promise<Decision<G>> {
    const input = checks[gate](question, settings)
    const redis = clientOf()
    const quiet = redis && (silentUntil.get(redis) ?? 0) > performance.now()
    if (redis?.status !== 'ready' || quiet) {
      notAsked(redis)
      return without(gate, input, new Error(`Redis is ${quiet ? 'silent' : redis?.status ?? 'absent'}`))
    }
    try {
      settle(redis)
      const decision = await ask(gate, redis, input)
      // The twin learns of each grant, so that this process does not grant it again should Redis go away.
      if (unavailable[gate] === null && 'allowed' in decision && decision.allowed) await twin[gate](input)
      return decision
    } catch (cause) {
      return without(gate, input, cause)
    }
  }

  /** One Redis connection answers in order: while one question waits, the next ones would wait as well. */
  function ask<G extends GateName> (gate: G, redis: GateClient, input: Checked[G]): Promise<Decision<G>> {
    const reply = questions[gate](redis, settings, input)
    const heard = (): void => { silentUntil.delete(redis) }
    reply.then(heard, heard)
    return answerWithin(gateDeadlineMs, redis, reply, () => {
      if (!redis.isCluster) silentUntil.set(redis, performance.now() + silenceMs)
      throw new Error(`Redis did not answer within ${gateDeadlineMs} ms`)
    })
  }

  async function without<G extends GateName> (gate: G, input: Checked[G], cause: unknown): Promise<Decision<G>> {
    missed(gate, cause)
    const answer: Decision<G> | null = unavailable[gate]
    if (answer !== null) return { ...answer }
    const at = input.at ?? now()
    const decision = await twin[gate](input)
    if ('allowed' in decision && decision.allowed) {
      debts.push(redis => { questions[gate](redis, settings, { ...input, at }).catch(late => missed(gate, late)) })
      debts = debts.slice(-debtLimit)
    }
    return { ...decision, fallback: true }
  }

  /** Redis first hears what was granted without it; one connection keeps the order, so nothing has to wait. */
  function settle (redis: GateClient): void {
    for (const pay of debts.splice(0)) pay(redis)
  }

  return {
    energy: question => decide('energy', question),
    attention: question => decide('attention', question),
    promptPressure: question => decide('promptPressure', question),
    acknowledge: question => decide('acknowledge', question),
    cooldown: question => decide('cooldown', question),
    dedupe: question => decide('dedupe', question),
    promptStats: question => decide('promptStats', question),
    tier2Snapshot: question => decide('tier2Snapshot', question),
    tier2Shift: question => decide('tier2Shift', question)
  }
}
