import { admins, type Role, type User } from '../core/access.ts'
import type { Context, Handlers } from '../core/context.ts'
import type { Backend } from '../core/core.ts'
import { ClasswavesError } from '../core/errors.ts'
import { feedHomes } from '../core/recovery.ts'
import type { TeacherGuidance } from './area.ts'
import { rooms, type guidance as contract } from './contract.ts'
import { metrics as allMetrics, subscriptions as allSubscriptions, type Metric, type Subscription } from './schema.ts'

type GuidanceContext = Context<typeof contract>

/** One function for each event of `/guidance`. */
export function guidanceHandlers (teacher: TeacherGuidance, backend: Backend): Handlers<typeof contract> {
  const timestamp = (context: GuidanceContext): string => new Date(context.now()).toISOString()

  function subscribed (context: GuidanceContext) {
    const subscriptions = allSubscriptions.filter(one => context.joined(feedRoom(context.user, one)))
    const answer = { subscriptions, timestamp: timestamp(context) }
    context.reply('guidance:subscribed', answer)
    return { ...answer, backend }
  }

  function analytics (context: GuidanceContext, sessionId: string | undefined) {
    const metrics = allMetrics.filter(metric => context.joined(metricRoom(context.user, metric, sessionId)))
    return { ...(sessionId !== undefined && { sessionId }), metrics, backend }
  }

  return {
    async 'guidance:subscribe' (context, { subscriptions = allSubscriptions, since }) {
      const { user } = context
      // The kinds that are heard already share the places, so they are made up for as well.
      const kinds = allSubscriptions.filter(one => subscriptions.includes(one) || context.joined(feedRoom(user, one)))
      const recovery = await context.followFeed({
        rooms: kinds.map(one => feedRoom(user, one)),
        home: rooms.session,
        homes: async () => {
          const { sessionIds, complete } = await teacher.newest(isAdmin(user) ? undefined : user.userId, feedHomes)
          return { rooms: sessionIds.map(sessionId => rooms.session({ sessionId })), complete }
        }
      }, since)
      return { ...subscribed(context), ...recovery, ...(!recovery.recovered && { snapshot: await teacher.current(user) }) }
    },

    async 'guidance:unsubscribe' (context, { subscriptions = allSubscriptions }) {
      await context.leave(...subscriptions.map(one => feedRoom(context.user, one)))
      return subscribed(context)
    },

    async 'session:guidance:subscribe' (context, { sessionId, since }) {
      await teacher.session(context.user, sessionId)
      const recovery = await context.follow([rooms.session({ sessionId })], since)
      // Read after the positions are known, so that the snapshot lacks nothing that came before them.
      const { status: sessionStatus, state } = await teacher.session(context.user, sessionId)
      const answer = { sessionId, sessionStatus, timestamp: timestamp(context) }
      context.reply('session:guidance:subscribed', answer)
      return { ...answer, backend, snapshot: state, ...recovery }
    },

    async 'session:guidance:unsubscribe' (context, { sessionId }) {
      const room = rooms.session({ sessionId })
      if (!context.joined(room)) throw new ClasswavesError('NOT_IN_SESSION')
      await context.leave(room)
    },

    async 'analytics:subscribe' (context, { sessionId, metrics = ['attention'] }) {
      if (sessionId !== undefined) await teacher.session(context.user, sessionId)
      await context.join(...metrics.map(metric => metricRoom(context.user, metric, sessionId)))
      return analytics(context, sessionId)
    },

    async 'analytics:unsubscribe' (context, { sessionId, metrics = ['attention'] }) {
      await context.leave(...metrics.map(metric => metricRoom(context.user, metric, sessionId)))
      return analytics(context, sessionId)
    },

    async 'prompt:interact' (context, input) {
      const confirmed = await teacher.interact(context.user, input)
      context.reply('prompt:interaction_confirmed', confirmed)
      return confirmed
    },

    'guidance:get_current_state': async (context, { sessionId }) => await teacher.current(context.user, sessionId)
  }
}

const isAdmin = ({ role }: User): boolean => (admins as readonly Role[]).includes(role)

/** A teacher's feed holds their own sessions; an admin's holds all. */
function feedRoom (user: User, subscription: Subscription): string {
  return isAdmin(user) ? rooms.all({ subscription }) : rooms.teacher({ teacherId: user.userId, subscription })
}

function metricRoom (user: User, metric: Metric, sessionId: string | undefined): string {
  if (sessionId !== undefined) return rooms.metric({ sessionId, metric })
  return isAdmin(user) ? rooms.globalMetric({ metric }) : rooms.teacherMetric({ metric, teacherId: user.userId })
}
