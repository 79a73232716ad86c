import type { Emit } from '../core/emit.ts'
import type { Tier1Metrics } from './analyzer.ts'
import type { guidance as contract } from './contract.ts'
import type { Shift } from './embedded/index.ts'
import type { Gates } from './gates.ts'
import type { Look } from './record.ts'
import type { Driver, TeacherPrompt, Tier1Insights, Tier2Insights } from './schema.ts'

/**
 * What goes out to teachers, each behind its gate. What is kept carries the id of what it is about: told again by the
 * process that takes over from one that died, it is dropped by the journal.
 */
export function createAnnouncer (emit: () => Emit<typeof contract>, gates: Gates) {
  return {
    /** True when it went out. */
    async attention ({ groupId, at, assessment }: Look, sessionId: string, attentionScore: number, why: readonly Driver[]): Promise<boolean> {
      const { allowed } = await gates.attention({ sessionId, groupId, score: attentionScore, at })
      if (!allowed) return false
      const { confidence: _, ...metrics }: Tier1Metrics = assessment.metrics
      await emit().to({ sessionId, groupId }).emit('guidance:analytics', {
        category: 'attention', sessionId, metrics: { groupId, attentionScore, ...metrics, why: [...why], sentence: assessment.sentence }, timestamp: new Date(at).toISOString()
      })
      return true
    },

    /** @param id of the window */
    async tier1 (sessionId: string, groupId: string, insights: Tier1Insights, id: string): Promise<void> {
      await emit().to({ sessionId, groupId }).emit('ai:tier1:insight', { sessionId, groupId, insights, timestamp: insights.windowEnd }, id)
    },

    async tier2 (sessionId: string, groupId: string, insights: Tier2Insights, at: number, id: string): Promise<void> {
      await emit().to({ sessionId, groupId }).emit('ai:tier2:insight', { sessionId, groupId, insights, timestamp: new Date(at).toISOString() }, id)
    },

    /**
     * Shifts of one analysis go out together or wait together; true when they went out. A slot that was taken at this
     * very moment was taken for them, by a process that died.
     */
    async shifts (sessionId: string, groupId: string, shifts: readonly Shift[], at: number): Promise<boolean> {
      const { allowed, previousAt } = await gates.tier2Shift({ sessionId, groupId, at })
      if (!allowed && previousAt !== at) return false
      for (const { metric, previous, current, delta, threshold } of shifts) {
        await emit().to({ sessionId, groupId }).emit('guidance:analytics', {
          category: 'tier2-shift', sessionId, metrics: { groupId, metric, previous, current, delta, threshold }, timestamp: new Date(at).toISOString()
        })
      }
      return true
    },

    /** The event as which it went out. */
    async prompt (prompt: TeacherPrompt): Promise<'teacher:alert' | 'teacher:recommendations'> {
      const { sessionId, groupId } = prompt
      const urgent = prompt.priority === 'high' && prompt.suggestedTiming === 'immediate'
      if (urgent) await emit().to({ sessionId, groupId }).emit('teacher:alert', prompt, prompt.promptId)
      else await emit().to({ sessionId, groupId }).emit('teacher:recommendations', [prompt], prompt.promptId)
      return urgent ? 'teacher:alert' : 'teacher:recommendations'
    }
  }
}

export type Announcer = ReturnType<typeof createAnnouncer>
