import Type, { type Static } from 'typebox'
import { Id, Timestamp, Unit } from '../core/schema.ts'

/** The nouns of guidance, as they travel. Names and ranges are the seed's. */

export const metrics = ['attention', 'tier2-shift'] as const
export const Metric = Type.Enum([...metrics])
export type Metric = typeof metrics[number]

export const subscriptions = ['teacher_alerts', 'recommendations', 'insights'] as const
export const Subscription = Type.Enum([...subscriptions])
export type Subscription = typeof subscriptions[number]

const Score = Type.Integer({ minimum: 0, maximum: 100 })

/** One reason for a score: what was measured, and how many of the points it brought. */
export const Driver = Type.Object({
  signal: Type.String(),
  value: Type.Number(),
  contribution: Type.Number(),
  words: Type.Optional(Type.Array(Type.String(), { description: 'what was said that caused it' }))
})
export type Driver = Static<typeof Driver>

/** What one window of a group's talk shows: 0 to 1, but `discussionMomentum` from -1 (falling) to 1 (rising). */
export const Tier1Insights = Type.Object({
  topicalCohesion: Unit,
  conceptualDensity: Unit,
  offTopicHeat: Unit,
  discussionMomentum: Type.Number({ minimum: -1, maximum: 1 }),
  confusionRisk: Unit,
  energyLevel: Unit,
  onTrackScore: Unit,
  confidence: Unit,
  windowStart: Timestamp,
  windowEnd: Timestamp,
  summary: Type.String()
})
export type Tier1Insights = Static<typeof Tier1Insights>

export const trajectories = ['ascending', 'descending', 'stable', 'volatile'] as const

/** What some minutes of a group's talk show. */
export const Tier2Insights = Type.Object({
  argumentationQuality: Type.Object({ score: Unit, claimEvidence: Unit, logicalFlow: Unit, counterarguments: Unit, synthesis: Unit }),
  collaborationPatterns: Type.Object({ turnTaking: Unit, buildingOnIdeas: Unit, conflictResolution: Unit, inclusivity: Unit }),
  learningSignals: Type.Object({ conceptualGrowth: Unit, questionQuality: Unit, metacognition: Unit, knowledgeApplication: Unit }),
  groupEmotionalArc: Type.Object({ trajectory: Type.Enum([...trajectories]), averageEngagement: Unit }),
  recommendations: Type.Array(Type.Object({
    type: Type.Enum(['intervention', 'praise', 'redirect', 'deepen']),
    priority: Type.Enum(['high', 'medium', 'low']),
    message: Type.String()
  })),
  confidence: Unit
})
export type Tier2Insights = Static<typeof Tier2Insights>

export const promptCategories = ['facilitation', 'deepening', 'redirection', 'collaboration', 'assessment', 'energy', 'clarity'] as const

export const TeacherPrompt = Type.Object({
  promptId: Id,
  sessionId: Id,
  groupId: Id,
  category: Type.Enum([...promptCategories]),
  priority: Type.Enum(['high', 'medium', 'low']),
  message: Type.String(),
  why: Type.Array(Driver),
  evidence: Type.Optional(Type.Array(Type.String())),
  suggestedTiming: Type.Enum(['immediate', 'next_break', 'session_end']),
  generatedAt: Timestamp,
  expiresAt: Timestamp,
  templateKey: Type.String()
})
export type TeacherPrompt = Static<typeof TeacherPrompt>

export const promptActions = ['acknowledge', 'use', 'dismiss'] as const
export const PromptAction = Type.Enum([...promptActions])
export type PromptAction = typeof promptActions[number]

/** Seed 000 section 3. */
export const AttentionEvent = Type.Object({
  category: Type.Literal('attention'),
  sessionId: Id,
  metrics: Type.Object({
    groupId: Id,
    attentionScore: Score,
    onTrackScore: Unit,
    topicalCohesion: Type.Optional(Unit),
    conceptualDensity: Type.Optional(Unit),
    offTopicHeat: Type.Optional(Unit),
    discussionMomentum: Type.Optional(Type.Number({ minimum: -1, maximum: 1 })),
    confusionRisk: Type.Optional(Unit),
    energyLevel: Type.Optional(Unit),
    why: Type.Optional(Type.Array(Driver)),
    sentence: Type.Optional(Type.String({ description: 'why, in one plain sentence' }))
  }),
  timestamp: Timestamp
})
export type AttentionEvent = Static<typeof AttentionEvent>

export const Tier2ShiftEvent = Type.Object({
  category: Type.Literal('tier2-shift'),
  sessionId: Id,
  metrics: Type.Object({
    groupId: Id,
    metric: Type.String(),
    previous: Type.Union([Type.Number(), Type.String()]),
    current: Type.Union([Type.Number(), Type.String()]),
    delta: Type.Optional(Type.Number()),
    threshold: Type.Number()
  }),
  timestamp: Timestamp
})
export type Tier2ShiftEvent = Static<typeof Tier2ShiftEvent>

/** The seed's heat buckets: Focus Now from 70, Watch Next from 40, Stable below. */
export const heats = ['Focus Now', 'Watch Next', 'Stable'] as const
export type Heat = typeof heats[number]

export const AttentionNow = Type.Object({
  sessionId: Id,
  groupId: Id,
  attentionScore: Score,
  heat: Type.Enum([...heats]),
  why: Type.Array(Driver),
  sentence: Type.Optional(Type.String({ description: 'why, in one plain sentence' })),
  timestamp: Timestamp
})
export type AttentionNow = Static<typeof AttentionNow>

export const InsightNow = Type.Object({
  sessionId: Id,
  groupId: Id,
  tier1: Type.Optional(Tier1Insights),
  tier2: Type.Optional(Tier2Insights),
  timestamp: Timestamp
})
export type InsightNow = Static<typeof InsightNow>

/** What a teacher who just came should know. */
export const GuidanceState = Type.Object({
  attention: Type.Array(AttentionNow),
  prompts: Type.Array(TeacherPrompt),
  insights: Type.Array(InsightNow)
})
export type GuidanceState = Static<typeof GuidanceState>
