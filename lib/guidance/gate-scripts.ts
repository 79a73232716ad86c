import { randomUUID } from 'node:crypto'
import { key } from '../core/key.ts'
import { script, type ScriptClient } from '../core/script.ts'
import { pressure } from './decay.ts'
import { fingerprint } from './fingerprint.ts'
import type { Checked, Decision } from './gate-input.ts'
import { gateTtl } from './gate-ttl.ts'
import type { AcknowledgeDecision, GateName, GateSettings, PressureDecision, Tier2Snapshot } from './gates.ts'

/** The keys of the gates, exactly as in seed 000, section 4. */
export const gateKeys = {
  energy: key('guidance:energy:stats:{sessionId}:{groupId}', { ttl: 'SLI_SESSION_TTL_SECONDS', purpose: 'Welford stats for energy baseline' }),
  acks: key('guidance:prompt:acks:{sessionId}:{groupId}', { ttl: 'Session TTL', purpose: 'Prompt acknowledgements for prompt pressure' }),
  attention: key('guidance:attention:last:{sessionId}:{groupId}', { ttl: 'SLI_SESSION_TTL_SECONDS', purpose: 'Last attention score/time' }),
  cooldown: key('guidance:autoprompt:last:{sessionId}:{groupId}', { ttl: 'Session TTL + 1h', purpose: 'Autoprompt cooldown timestamp' }),
  hashes: key('guidance:autoprompt:hashes:{sessionId}:{groupId}', { ttl: 'Session TTL + 1h', purpose: 'Prompt dedupe set' }),
  templateStats: key('guidance:prompt:template_stats:{templateKey}', { ttl: '30 days', purpose: 'Prompt learning stats' }),
  tier2: key('guidance:tier2:last:{sessionId}:{groupId}', { ttl: 'SLI_SESSION_TTL_SECONDS', purpose: 'Tier2 snapshot' }),
  tier2Shift: key('guidance:tier2:shift:last_emit:{sessionId}:{groupId}', { ttl: '10 minutes', purpose: 'Tier2 shift throttle' })
}

// Replies come as texts: Redis would cut the fraction off a number, and end the list at a nil.
const optional = (text: string): number | null => text === '' ? null : Number(text)

const welford = script('guidance_energy_welford', ['stats'], ['sample', 'id', 'ttlSeconds'], (reply): Decision<'energy'> => {
  const [reason, mean, variance, count, zScore] = reply as ['updated' | 'repeated', string, string, string, string]
  return { reason, mean: Number(mean), variance: Number(variance), count: Number(count), zScore: Number(zScore) }
}, { once: true, often: true })

const attention = script('guidance_attention_gate', ['last'], ['score', 'minScoreDelta', 'minTimeDeltaMs', 'ttlSeconds', 'at'], (reply): Decision<'attention'> => {
  const [reason, score, time, remaining] = reply as ['first' | 'score' | 'time' | 'unchanged' | 'late', string, string, string]
  const allowed = reason !== 'unchanged' && reason !== 'late'
  return { allowed, reason, previousScore: optional(score), previousAt: optional(time), remainingMs: Number(remaining) }
}, { once: true, often: true })

const acks = script('guidance_prompt_acks', ['acks'], ['id', 'halfLifeMs', 'ttlSeconds', 'at'], reply => {
  const [reason, count] = reply as [AcknowledgeDecision['reason'] | PressureDecision['reason'], string]
  return { reason, ackCount: Number(count) }
}, { once: true, often: true })

const cooldown = script('guidance_autoprompt_cooldown', ['last'], ['cooldownMs', 'ttlSeconds', 'at'], (reply): Decision<'cooldown'> => {
  const [reason, time, remaining] = reply as ['first' | 'cooled' | 'cooling' | 'late', string, string]
  return { allowed: reason === 'first' || reason === 'cooled', reason, remainingMs: Number(remaining), previousAt: optional(time) }
}, { once: true, often: true })

const dedupe = script('guidance_autoprompt_dedupe', ['hashes'], ['fingerprint', 'peek', 'ttlSeconds'], reply => {
  const [reason] = reply as ['new' | 'duplicate']
  return reason
}, { once: true, often: true })

const promptStats = script('guidance_prompt_stats', ['stats'], ['outcome', 'id', 'halfLifeMs', 'ttlSeconds', 'at'], (reply): Decision<'promptStats'> => {
  const [reason, success, weight, count, rate, time] = reply as ['updated' | 'repeated' | 'read', string, string, string, string, string]
  return {
    reason, successRate: optional(rate), successSum: Number(success), weightSum: Number(weight), observationCount: Number(count), lastUpdate: optional(time)
  }
}, { once: true, often: true })

const tier2Snapshot = script('guidance_tier2_snapshot', ['last'], ['snapshot', 'ttlSeconds', 'at'], (reply): Decision<'tier2Snapshot'> => {
  const [reason, json, time] = reply as ['stored' | 'read' | 'late', string, string]
  return { reason, previous: json === '' ? null : JSON.parse(json) as Tier2Snapshot, previousAt: optional(time) }
}, { once: true, often: true })

const tier2Shift = script('guidance_tier2_shift', ['last'], ['throttleMs', 'ttlSeconds', 'at'], (reply): Decision<'tier2Shift'> => {
  const [reason, time, remaining] = reply as ['first' | 'elapsed' | 'throttled' | 'late', string, string]
  return { allowed: reason === 'first' || reason === 'elapsed', reason, remainingMs: Number(remaining), previousAt: optional(time) }
}, { once: true, often: true })

/** Every script of this area; a test compares each with the header of its file. */
export const gateScripts = [welford, attention, acks, cooldown, dedupe, promptStats, tier2Snapshot, tier2Shift] as const

/** A `Redis` or a `Cluster`: runs scripts, and says which of the two it is. */
export type GateRedis = ScriptClient

/**
 * One question to Redis for each gate. A command that the client sends again after a lost connection counts once and is
 * answered as before (`once`); an observation counts once for its id as well, which each call without one gets.
 */
export const questions: { [G in GateName]: (redis: GateRedis, settings: GateSettings, input: Checked[G]) => Promise<Decision<G>> } = {
  energy: (redis, settings, input) => welford(redis, { stats: gateKeys.energy(input, redis.isCluster) }, {
    sample: input.sample, id: input.id ?? randomUUID(), ttlSeconds: gateTtl.session(settings)
  }),

  attention: (redis, settings, { score, minScoreDelta, minTimeDeltaMs, at = '', ...group }) =>
    attention(redis, { last: gateKeys.attention(group, redis.isCluster) }, { score, minScoreDelta, minTimeDeltaMs, ttlSeconds: gateTtl.session(settings), at }),

  async promptPressure (redis, settings, { at = '', ...group }) {
    const { reason, ackCount } = await acks(redis, { acks: gateKeys.acks(group, redis.isCluster) }, {
      id: '', halfLifeMs: settings.attention.halfLifeMs, ttlSeconds: gateTtl.session(settings), at
    })
    return { reason: reason as PressureDecision['reason'], pressure: pressure(ackCount), ackCount }
  },

  async acknowledge (redis, settings, { id = randomUUID(), at = '', ...group }) {
    const { reason, ackCount } = await acks(redis, { acks: gateKeys.acks(group, redis.isCluster) }, {
      id, halfLifeMs: settings.attention.halfLifeMs, ttlSeconds: gateTtl.session(settings), at
    })
    return { reason: reason as AcknowledgeDecision['reason'], ackCount }
  },

  cooldown: (redis, settings, { cooldownMs, at = '', ...group }) =>
    cooldown(redis, { last: gateKeys.cooldown(group, redis.isCluster) }, { cooldownMs, ttlSeconds: gateTtl.autoprompt(settings, cooldownMs), at }),

  async dedupe (redis, settings, { category, message, peek, ...group }) {
    const print = fingerprint(category, message)
    const reason = await dedupe(redis, { hashes: gateKeys.hashes(group, redis.isCluster) }, {
      fingerprint: print, peek: peek ? 1 : 0, ttlSeconds: gateTtl.autoprompt(settings)
    })
    return { allowed: reason === 'new', reason, fingerprint: print }
  },

  promptStats: (redis, settings, { templateKey, outcome = '', id = randomUUID(), at = '' }) =>
    promptStats(redis, { stats: gateKeys.templateStats({ templateKey }, redis.isCluster) }, {
      outcome, id, halfLifeMs: settings.promptStatsHalfLifeMs, ttlSeconds: gateTtl.promptStats, at
    }),

  tier2Snapshot: (redis, settings, { snapshot, at = '', ...group }) =>
    tier2Snapshot(redis, { last: gateKeys.tier2(group, redis.isCluster) }, {
      snapshot: snapshot ? JSON.stringify(snapshot) : '', ttlSeconds: gateTtl.session(settings), at
    }),

  tier2Shift: (redis, _settings, { throttleMs, at = '', ...group }) =>
    tier2Shift(redis, { last: gateKeys.tier2Shift(group, redis.isCluster) }, { throttleMs, ttlSeconds: gateTtl.tier2Shift(throttleMs), at })
}
