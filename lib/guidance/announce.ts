import type { Emit } from '../core/emit.ts'
import type { Look } from './advance.ts'
import type { Tier1Metrics } from './analyzer.ts'
import type { guidance as contract } from './contract.ts'
import type { Shift } from './embedded/index.ts'
import type { Gates } from './gates.ts'
import type { Driver, TeacherPrompt, Tier1Insights, Tier2Insights } from './schema.ts'

/** What goes out to teachers, each behind its gate. */
export function createAnnouncer (emit: () => Emit<typeof contract>, gates: Gates) {
  return {
    async attention ({ groupId, at, assessment }: Look, sessionId: string, attentionScore: number, why: readonly Driver[]): Promise<void> {
      const { allowed } = await gates.attention({ sessionId, groupId, score: attentionScore, at })
      if (!allowed) return
      const { confidence: _, ...metrics }: Tier1Metrics = assessment.metrics
      await emit().to({ sessionId, groupId }).emit('guidance:analytics', {
        category: 'attention', sessionId, metrics: { groupId, attentionScore, ...metrics, why: [...why], sentence: assessment.sentence }, timestamp: new Date(at).toISOString()
      })
    },

    async tier1 (sessionId: string, groupId: string, insights: Tier1Insights): Promise<void> {
      await emit().to({ sessionId, groupId }).emit('ai:tier1:insight', { sessionId, groupId, insights, timestamp: insights.windowEnd })
    },

    async tier2 (sessionId: string, groupId: string, insights: Tier2Insights, at: number): Promise<void> {
      await emit().to({ sessionId, groupId }).emit('ai:tier2:insight', { sessionId, groupId, insights, timestamp: new Date(at).toISOString() })
    },

    /** Shifts of one analysis go out together or wait together; true when they went out. */
    async shifts (sessionId: string, groupId: string, shifts: readonly Shift[], at: number): Promise<boolean> {
      const { allowed } = await gates.tier2Shift({ sessionId, groupId, at })
      if (!allowed) return false
      for (const { metric, previous, current, delta, threshold } of shifts) {
        await emit().to({ sessionId, groupId }).emit('guidance:analytics', {
          category: 'tier2-shift', sessionId, metrics: { groupId, metric, previous, current, delta, threshold }, timestamp: new Date(at).toISOString()
        })
      }
      return true
    },

    async prompt (prompt: TeacherPrompt): Promise<void> {
      const { sessionId, groupId } = prompt
      const urgent = prompt.priority === 'high' && prompt.suggestedTiming === 'immediate'
      if (urgent) await emit().to({ sessionId, groupId }).emit('teacher:alert', prompt)
      else await emit().to({ sessionId, groupId }).emit('teacher:recommendations', [prompt])
    }
  }
}

export type Announcer = ReturnType<typeof createAnnouncer>
