import Type from 'typebox'
import { teachers } from '../core/access.ts'
import { confirms, contract, Payload, receives, sends } from '../core/contract.ts'
import { Positions, recoveryProperties } from '../core/recovery.ts'
import { room } from '../core/room.ts'
import { Closed, Id, Timestamp } from '../core/schema.ts'
import {
  AttentionEvent, GuidanceState, Metric, metrics, PromptAction, Subscription, subscriptions, TeacherPrompt,
  Tier1Insights, Tier2Insights, Tier2ShiftEvent, type Metric as MetricName
} from './schema.ts'

/** `/guidance`: what a teacher should look at now, why, and what to say. */

export const rooms = {
  session: room('guidance:session:{sessionId}'),
  /** One teacher's own sessions, one room for each kind of news. */
  teacher: room('guidance:teacher:{teacherId}:{subscription}'),
  /** Every session, for admins. */
  all: room('guidance:all:{subscription}'),
  metric: room('analytics:session:{sessionId}:{metric}'),
  teacherMetric: room('analytics:global:{metric}:{teacherId}'),
  /** Every session, for admins. */
  globalMetric: room('analytics:global:{metric}')
} as const

const Subscriptions = Type.Array(Subscription, { maxItems: subscriptions.length, uniqueItems: true })
const Metrics = Type.Array(Metric, { maxItems: metrics.length, uniqueItems: true })
const Backend = Type.Enum(['memory', 'redis'])
const SessionSubscribed = Payload({ sessionId: Id, sessionStatus: Type.String(), timestamp: Timestamp })
const GlobalSubscribed = Payload({ subscriptions: Subscriptions, timestamp: Timestamp })
const AnalyticsSubscribed = Type.Object({ sessionId: Type.Optional(Id), metrics: Metrics, backend: Backend })

const who = teachers
const analytics = (summary: string) => receives({
  summary,
  payload: Closed({ sessionId: Type.Optional(Id), metrics: Type.Optional(Metrics) }),
  ack: AnalyticsSubscribed,
  who
})
/** An event of one kind of news: to the session's subscribers, its teacher's feed and the admins' feed. */
const news = { rooms: [rooms.session, rooms.teacher, rooms.all], kept: true } as const
const about = (subscription: string) => () => ({ subscription })

export const guidance = contract({
  namespace: '/guidance',
  summary: 'What a teacher should look at now, why, and what to say.',
  admits: teachers,
  receives: {
    'guidance:subscribe': receives({
      summary: 'Joins the feed of all own sessions; the list says which kinds of news. Places are those of the sessions.',
      payload: Closed({ subscriptions: Type.Optional(Subscriptions), since: Type.Optional(Positions) }),
      ack: Type.Object({
        ...GlobalSubscribed.properties,
        backend: Backend,
        snapshot: Type.Optional(GuidanceState),
        ...recoveryProperties
      }),
      who
    }),
    'guidance:unsubscribe': receives({
      summary: 'Leaves the feed, or the kinds of news in the list.',
      payload: Closed({ subscriptions: Type.Optional(Subscriptions) }),
      ack: Type.Object({ ...GlobalSubscribed.properties, backend: Backend }),
      who
    }),
    'session:guidance:subscribe': receives({
      summary: 'Joins the guidance of one session.',
      payload: Closed({ sessionId: Id, since: Type.Optional(Positions) }),
      ack: Type.Object({ ...SessionSubscribed.properties, backend: Backend, snapshot: GuidanceState, ...recoveryProperties }),
      who
    }),
    'session:guidance:unsubscribe': receives({ summary: 'Leaves the guidance of one session.', payload: Closed({ sessionId: Id }), who }),
    'analytics:subscribe': analytics('Joins analytics of one session, or of all own sessions.'),
    'analytics:unsubscribe': analytics('Leaves analytics; the answer says what remains.'),
    'prompt:interact': receives({
      summary: 'The teacher acts on a prompt; the template learns from it.',
      payload: Closed({
        promptId: Id,
        action: PromptAction,
        feedback: Type.Optional(Type.String({ maxLength: 1000 })),
        sessionId: Type.Optional(Id)
      }),
      ack: Type.Object({ promptId: Id, action: PromptAction, timestamp: Timestamp }),
      who
    }),
    'guidance:get_current_state': receives({
      summary: 'What stands now, for one session or for all own ones.',
      payload: Closed({ sessionId: Type.Optional(Id) }),
      ack: GuidanceState,
      who
    })
  },
  sends: {
    'guidance:subscribed': confirms('The kinds of news that this socket gets now.', GlobalSubscribed),
    'session:guidance:subscribed': confirms('This socket gets the guidance of the session now.', SessionSubscribed),
    'prompt:interaction_confirmed': confirms('The interaction was recorded.', Payload({ promptId: Id, action: PromptAction, timestamp: Timestamp })),
    'teacher:alert': sends({ summary: 'An urgent prompt.', payload: TeacherPrompt, ...news, params: about('teacher_alerts') }),
    'teacher:recommendations': sends({
      summary: 'Prompts that can wait for a moment.', payload: Type.Array(TeacherPrompt), ...news, params: about('recommendations')
    }),
    'ai:tier1:insight': sends({
      summary: 'What the last window of a group showed.',
      payload: Payload({ sessionId: Id, groupId: Id, insights: Tier1Insights, timestamp: Timestamp }),
      ...news,
      params: about('insights')
    }),
    'ai:tier2:insight': sends({
      summary: 'What the last minutes of a group showed.',
      payload: Payload({ sessionId: Id, groupId: Id, insights: Tier2Insights, timestamp: Timestamp }),
      ...news,
      params: about('insights')
    }),
    'guidance:analytics': sends({
      summary: 'A live attention score, or a shift in tier2.',
      payload: Type.Union([AttentionEvent, Tier2ShiftEvent]),
      rooms: [rooms.metric, rooms.teacherMetric, rooms.globalMetric],
      kept: false,
      params: (event): { metric: MetricName } => ({ metric: event.category }),
      newest: ({ category, sessionId, metrics }) => `${category} ${sessionId} ${metrics.groupId} ${'metric' in metrics ? metrics.metric : ''}`
    })
  }
})
