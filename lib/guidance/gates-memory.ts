import { decayed, observe, pressure, type Decaying } from './decay.ts'
import { Expiring } from './expiring.ts'
import { fingerprint } from './fingerprint.ts'
import { checks, checkSettings, type Decision, type Input } from './gate-input.ts'
import { gateTtl } from './gate-ttl.ts'
import type { GateName, Gates, GateSettings, Tier2Snapshot } from './gates.ts'
import { eventTime, maxAheadMs, slot } from './throttle.ts'
import { emptyBaseline, fold, zScore, type Baseline } from './welford.ts'

type Recent = readonly (string | undefined)[]

/** Observations of one key whose ids are remembered. */
const recentLimit = 16

/** What a gate decides at once; what is wrong with a question is thrown. */
export type Decisions = { [G in GateName]: (question: Input<G>) => Decision<G> }

export interface MemoryGatesOptions { now?: () => number }

/**
 * The gates in this process: for servers without Redis, and for the gates that decide here while Redis is away.
 * The same law as the scripts, lives of keys included; nothing is kept longer, and no timer runs.
 */
export function createMemoryDecisions (settings: GateSettings, options: MemoryGatesOptions = {}): Decisions {
  checkSettings(settings)
  const now = (): number => Math.floor(options.now?.() ?? Date.now())
  const baselines = new Expiring<Baseline & { recent: Recent }>(now)
  const scores = new Expiring<{ score: number, at: number }>(now)
  const acks = new Expiring<Decaying & { recent: Recent }>(now)
  const prompted = new Expiring<number>(now)
  const shown = new Expiring<Set<string>>(now)
  const outcomes = new Expiring<{ success: number, weight: number, count: number, at: number, recent: Recent }>(now)
  const snapshots = new Expiring<{ snapshot: Tier2Snapshot, at: number }>(now)
  const shifted = new Expiring<number>(now)

  /** A stored time far ahead of the clock was written before the clock was set back; it must not block for long. */
  const believe = (at: number, time = now()): number => Math.min(at, time + maxAheadMs)

  const claim = (slots: Expiring<number>, name: string, at: number | undefined, intervalMs: number, ttlSeconds: number) => {
    const time = eventTime(at, now())
    const stored = slots.get(name)
    const previousAt = stored === undefined ? null : believe(stored)
    const { reason, remainingMs } = slot(previousAt, time, intervalMs)
    const allowed = reason === 'first' || reason === 'elapsed'
    if (allowed) slots.set(name, time, ttlSeconds)
    return { allowed, reason, remainingMs, previousAt }
  }

  return {
    energy (question) {
      const { id, sample, ...input } = checks.energy(question, settings)
      const known = baselines.get(nameOf(input)) ?? { ...emptyBaseline, recent: [] }
      const z = zScore(known, sample)
      if (repeated(known.recent, id)) return { reason: 'repeated', mean: known.mean, variance: known.variance, count: known.count, zScore: z }
      const next = fold(known, sample)
      baselines.set(nameOf(input), { ...next, recent: remember(known.recent, id) }, gateTtl.session(settings))
      return { reason: 'updated', ...next, zScore: z }
    },

    attention (question) {
      const input = checks.attention(question, settings)
      const time = now()
      const at = eventTime(input.at, time)
      const name = nameOf(input)
      const known = scores.get(name, time)
      const previousAt = known ? believe(known.at, time) : null
      const moved = known !== undefined && Math.abs(input.score - known.score) >= input.minScoreDelta
      const { reason, remainingMs } = slot(previousAt, at, input.minTimeDeltaMs)
      const previousScore = known ? known.score : null
      if (reason === 'late') return { allowed: false, reason, remainingMs, previousScore, previousAt }
      if (reason === 'waiting' && !moved) return { allowed: false, reason: 'unchanged', remainingMs, previousScore, previousAt }
      scores.set(name, { score: input.score, at }, gateTtl.session(settings), time)
      return { allowed: true, reason: reason === 'first' ? reason : moved ? 'score' : 'time', remainingMs: 0, previousScore, previousAt }
    },

    promptPressure (question) {
      const input = checks.promptPressure(question, settings)
      const known = acks.get(nameOf(input))
      if (!known) return { reason: 'none', pressure: 1, ackCount: 0 }
      const ackCount = decayed(known.weight, eventTime(input.at, now()) - believe(known.at), settings.attention.halfLifeMs)
      return { reason: 'acknowledged', pressure: pressure(ackCount), ackCount }
    },

    acknowledge (question) {
      const input = checks.acknowledge(question, settings)
      const at = eventTime(input.at, now())
      const stored = acks.get(nameOf(input))
      const known = stored ? { ...stored, at: believe(stored.at) } : { weight: 0, at, recent: [] }
      if (repeated(known.recent, input.id)) {
        return { reason: 'repeated', ackCount: decayed(known.weight, at - known.at, settings.attention.halfLifeMs) }
      }
      const next = observe(known, 1, at, settings.attention.halfLifeMs)
      acks.set(nameOf(input), { ...next, recent: remember(known.recent, input.id) }, gateTtl.session(settings))
      return { reason: 'counted', ackCount: next.weight }
    },

    cooldown (question) {
      const input = checks.cooldown(question, settings)
      const { reason, ...rest } = claim(prompted, nameOf(input), input.at, input.cooldownMs, gateTtl.autoprompt(settings, input.cooldownMs))
      return { reason: reason === 'elapsed' ? 'cooled' : reason === 'waiting' ? 'cooling' : reason, ...rest }
    },

    dedupe (question) {
      const input = checks.dedupe(question, settings)
      const print = fingerprint(input.category, input.message)
      const known = shown.get(nameOf(input)) ?? new Set()
      if (known.has(print)) return { allowed: false, reason: 'duplicate', fingerprint: print }
      if (!input.peek) shown.set(nameOf(input), known.add(print), gateTtl.autoprompt(settings))
      return { allowed: true, reason: 'new', fingerprint: print }
    },

    promptStats (question) {
      const { templateKey, outcome, id, at } = checks.promptStats(question, settings)
      const time = eventTime(at, now())
      const halfLife = settings.promptStatsHalfLifeMs
      const stored = outcomes.get(templateKey)
      if (!stored && outcome === undefined) return { reason: 'read', successRate: null, successSum: 0, weightSum: 0, observationCount: 0, lastUpdate: null }
      const known = stored ? { ...stored, at: believe(stored.at) } : { success: 0, weight: 0, count: 0, at: time, recent: [] }
      if (outcome === undefined || repeated(known.recent, id)) {
        return {
          reason: outcome === undefined ? 'read' : 'repeated',
          successRate: rate(known),
          successSum: decayed(known.success, time - known.at, halfLife),
          weightSum: decayed(known.weight, time - known.at, halfLife),
          observationCount: known.count,
          lastUpdate: known.at
        }
      }
      const success = observe({ weight: known.success, at: known.at }, outcome, time, halfLife)
      const { weight, at: lastUpdate } = observe(known, 1, time, halfLife)
      const next = { success: success.weight, weight, count: known.count + 1, at: lastUpdate, recent: remember(known.recent, id) }
      outcomes.set(templateKey, next, gateTtl.promptStats)
      return { reason: 'updated', successRate: rate(next), successSum: next.success, weightSum: weight, observationCount: next.count, lastUpdate }
    },

    tier2Snapshot (question) {
      const input = checks.tier2Snapshot(question, settings)
      const at = eventTime(input.at, now())
      const known = snapshots.get(nameOf(input))
      const previous = { previous: known?.snapshot ?? null, previousAt: known ? believe(known.at) : null }
      if (!input.snapshot) return { reason: 'read', ...previous }
      if (previous.previousAt !== null && at < previous.previousAt) return { reason: 'late', ...previous }
      snapshots.set(nameOf(input), { snapshot: input.snapshot, at }, gateTtl.session(settings))
      return { reason: 'stored', ...previous }
    },

    tier2Shift (question) {
      const input = checks.tier2Shift(question, settings)
      const { reason, ...rest } = claim(shifted, nameOf(input), input.at, input.throttleMs, gateTtl.tier2Shift(input.throttleMs))
      return { reason: reason === 'waiting' ? 'throttled' : reason, ...rest }
    }
  }
}

/** The same as promises, as whoever asks a gate wants them. */
export function createMemoryGates (settings: GateSettings, options?: MemoryGatesOptions): Gates {
  const promised = Object.entries(createMemoryDecisions(settings, options)).map(([gate, decide]) => [gate, async (question: never) => (decide as (question: never) => unknown)(question)])
  return Object.fromEntries(promised) as Gates
}

/** Identifiers hold no colon, so no two groups share a name. */
function nameOf ({ sessionId, groupId }: { sessionId: string, groupId: string }): string {
  return `${sessionId}:${groupId}`
}

function repeated (recent: Recent, id: string | undefined): boolean {
  return id !== undefined && recent.includes(id)
}

function remember (recent: Recent, id: string | undefined): Recent {
  return [...recent, id].slice(-recentLimit)
}

function rate ({ success, weight }: { success: number, weight: number }): number | null {
  return weight > 0 ? Math.min(1, success / weight) : null
}
