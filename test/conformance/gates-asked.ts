import type { Test } from 'tap'
import { gateNames, whenUnavailable, type GateName, type Gates } from '../../lib/guidance/gates.ts'
import { newGroup } from './gates.ts'

/** One fair question for each gate. */
const questions = (group: { sessionId: string, groupId: string }) => ({
  energy: { ...group, sample: 5 },
  attention: { ...group, score: 50 },
  promptPressure: group,
  acknowledge: group,
  cooldown: group,
  dedupe: { ...group, category: 'redirection', message: 'Why?' },
  promptStats: { templateKey: group.sessionId, outcome: 1 },
  tier2Snapshot: { ...group, snapshot: { learningSignals: 1 } },
  tier2Shift: group
}) satisfies { [G in GateName]: Parameters<Gates[G]>[0] }

export async function askAll (gates: Gates, group = newGroup()): Promise<Record<GateName, { reason: string, allowed?: boolean, fallback?: true }>> {
  const asked = questions(group)
  const { energy, attention, promptPressure, acknowledge, cooldown, dedupe, promptStats, tier2Snapshot, tier2Shift } = gates
  return {
    energy: await energy(asked.energy),
    attention: await attention(asked.attention),
    promptPressure: await promptPressure(asked.promptPressure),
    acknowledge: await acknowledge(asked.acknowledge),
    cooldown: await cooldown(asked.cooldown),
    dedupe: await dedupe(asked.dedupe),
    promptStats: await promptStats(asked.promptStats),
    tier2Snapshot: await tier2Snapshot(asked.tier2Snapshot),
    tier2Shift: await tier2Shift(asked.tier2Shift)
  }
}

/** Each gate answers as the table of policies says for a Redis that is away. */
export function follows (t: Test, answers: Awaited<ReturnType<typeof askAll>>): void {
  for (const gate of gateNames) {
    const { reason, allowed, fallback } = answers[gate]
    const policy = fallback ? 'twin' : allowed === false ? 'closed' : reason === 'unavailable' ? 'neutral or dropped' : 'none'
    t.equal(policy, whenUnavailable[gate].replace(/^(neutral|dropped)$/, 'neutral or dropped'), `${gate} is ${whenUnavailable[gate]}`)
  }
}
