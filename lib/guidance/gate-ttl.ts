import type { GateSettings } from './gates.ts'

/**
 * How long each gate remembers, in seconds. A time stamp lives at least as long as the interval that is measured
 * against it; forgetting it earlier would open the gate.
 */
export const gateTtl = {
  session: (settings: GateSettings): number => settings.ttlSeconds,
  autoprompt: (settings: GateSettings, cooldownMs = 0): number => atLeast(settings.ttlSeconds + 3600, cooldownMs),
  promptStats: 30 * 24 * 3600,
  tier2Shift: (throttleMs: number): number => atLeast(600, throttleMs)
}

function atLeast (seconds: number, intervalMs: number): number {
  return Math.max(seconds, Math.ceil(intervalMs / 1000))
}
