import type { GroupContext } from '../analyzer.ts'
import type { Tier2Insights } from '../schema.ts'
import { age, type Features } from './features.ts'
import { balance } from './floor.ts'
import { confidenceOf } from './metrics.ts'
import { sigmoid, unit } from './numbers.ts'
import type { Move } from './cues.ts'

/**
 * Tier2 at a moment, from the counters alone. A rate per turn becomes a score by where it stands among groups: half is
 * what an ordinary group shows, `1 - 2^(-rate / ordinary)`.
 */
export function tier2 (features: Features, at: number, context: GroupContext): Tier2Insights {
  const then = structuredClone(features)
  age(then, at)
  const { moves, floor } = then
  const turns = Math.max(moves.turns, 3)
  const rate = (name: Move): number => moves.moves[name] / turns
  const against = (value: number, ordinary: number): number => unit(1 - Math.pow(2, -value / ordinary))
  const claimEvidence = against(rate('reason') + rate('evidence'), 0.16)
  const counterarguments = against(rate('counter'), 0.12)
  const synthesis = against(rate('synthesis'), 0.12)
  const logicalFlow = against(rate('reason') + 0.5 * rate('claim'), 0.2)
  const { entropy, speaking } = balance(floor, context.members.length)
  const members = Math.max(context.members.length, floor.speakers.length, 1)
  const conflicts = moves.conflicts
  const argument = 0.4 * claimEvidence + 0.3 * logicalFlow + 0.15 * counterarguments + 0.15 * synthesis
  const insights: Tier2Insights = {
    argumentationQuality: { score: unit(argument), claimEvidence, logicalFlow, counterarguments, synthesis },
    collaborationPatterns: {
      turnTaking: unit(entropy),
      buildingOnIdeas: unit(sigmoid(7 * (moves.uptake / Math.max(moves.replies, 5) + 0.58 * Math.min(1, moves.replies / 5)))),
      // No conflict is neither good nor bad.
      conflictResolution: unit((moves.settled + 1) / (conflicts + 2)),
      inclusivity: unit(floor.speakers.length === 0 ? 0.5 : speaking / members)
    },
    learningSignals: {
      conceptualGrowth: against(moves.goal / turns, 0.5),
      questionQuality: against(rate('probe'), 0.08),
      metacognition: against(rate('meta'), 0.1),
      knowledgeApplication: against(rate('apply'), 0.1)
    },
    groupEmotionalArc: { trajectory: trajectoryOf(then), averageEngagement: unit(0.5 * (moves.fast + moves.slow)) },
    recommendations: [],
    confidence: unit(confidenceOf(then) * Math.min(1, moves.turns / 10))
  }
  insights.recommendations = recommend(insights, then)
  return insights
}

function trajectoryOf ({ moves }: Features): Tier2Insights['groupEmotionalArc']['trajectory'] {
  if (moves.steps > 0.08) return 'volatile'
  const change = moves.fast - moves.slow
  return change > 0.06 ? 'ascending' : change < -0.06 ? 'descending' : 'stable'
}

/** What a teacher could do, the most pressing first, three at most; silent while too little is known. */
function recommend (insights: Tier2Insights, features: Features): Tier2Insights['recommendations'] {
  if (insights.confidence < 0.3) return []
  const found: Tier2Insights['recommendations'] = []
  const { argumentationQuality: argument, collaborationPatterns: together, learningSignals: learning } = insights
  if (features.topic.heat > 0.7) found.push({ type: 'redirect', priority: 'high', message: 'Ask the group to say in one sentence where they are in the task.' })
  if (features.confusion.sum > 8) found.push({ type: 'intervention', priority: 'high', message: 'Ask which step is unclear and let a member explain it in their own words.' })
  if (together.inclusivity < 0.6) found.push({ type: 'intervention', priority: 'medium', message: 'Invite those who have not spoken to add or question an idea.' })
  if (argument.claimEvidence < 0.1 && argument.logicalFlow < 0.2) found.push({ type: 'deepen', priority: 'medium', message: 'Ask what makes them think so, and what would show otherwise.' })
  if (together.buildingOnIdeas < 0.3) found.push({ type: 'deepen', priority: 'low', message: 'Ask a member to build on what somebody else just said.' })
  if (argument.score > 0.6 && together.buildingOnIdeas > 0.5) found.push({ type: 'praise', priority: 'low', message: 'Tell the group that giving reasons and using each other’s ideas works well.' })
  else if (learning.metacognition > 0.7) found.push({ type: 'praise', priority: 'low', message: 'Tell the group that checking their own thinking pays off.' })
  return found.slice(0, 3)
}
