import Type, { type Static } from 'typebox'
import { count, flag, isFunction, ms, thing } from '../core/options.ts'
import { Closed } from '../core/schema.ts'
import type { Analyzer } from './analyzer.ts'

function isAnalyzer (value: unknown): boolean {
  const { tier1, tier2 } = (value ?? {}) as Record<string, unknown>
  return [tier1, tier2].some(isFunction) && [tier1, tier2].every(tier => tier === undefined || isFunction(tier))
}

export const GuidanceOptions = Closed({
  tier1WindowMs: count(30_000, 'length of a tier1 window (ms)'),
  tier1WarmupMs: ms(60_000, 'talk before the first tier1 window'),
  tier2WindowMs: count(180_000, 'length of a tier2 window (ms)'),
  evaluateEveryMs: count(5_000, 'event time between two looks at the attention score (ms)'),
  minScoreDelta: Type.Number({ minimum: 0, default: 5, description: 'change of the attention score that is worth an event' }),
  minTimeDeltaMs: ms(30_000, 'after this time an unchanged score is sent again'),
  halfLifeMs: count(300_000, 'half-life of acknowledgements in the prompt pressure (ms)'),
  autoPrompts: flag(true, 'make prompts'),
  cooldownMs: ms(90_000, 'time between two prompts to one group'),
  alertAfterMs: ms(30_000, 'time after which an alert may follow a mere recommendation within the cooldown; as long as the cooldown: never'),
  maxPromptsPerSession: count(15, 'open prompts of one session'),
  promptExpiryMinutes: count(30, 'life of a prompt'),
  promptStatsHalfLifeMs: count(14 * 24 * 3600 * 1000, 'half-life of what a template has learnt (ms)'),
  tier2ShiftEnabled: flag(true, 'announce shifts in tier2'),
  tier2ShiftThrottleMs: ms(600_000, 'time between two announced shifts of one group'),
  analyzer: thing<Analyzer>('replaces the embedded analyzer for tier1, tier2 or both', isAnalyzer, 'an object with the functions tier1, tier2 or both')
})
export type GuidanceOptions = Static<typeof GuidanceOptions>
