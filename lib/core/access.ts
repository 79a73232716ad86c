import type { ClasswavesError } from './errors.ts'

/** Who a token says its bearer is. */
export const roles = ['student', 'teacher', 'instructor', 'admin', 'super_admin', 'parent', 'staff', 'partner', 'worker'] as const
export type Role = typeof roles[number]

export const teachers = ['teacher', 'instructor', 'admin', 'super_admin'] as const satisfies readonly Role[]
export const admins = ['admin', 'super_admin'] as const satisfies readonly Role[]

export interface User {
  userId: string
  role: Role
  name?: string
  /** The one session that this token is bound to, if any. */
  sessionId?: string
  groupId?: string
  /** When the token ends, in seconds since 1970. */
  exp: number
}

/** Everything that access can be asked for; the host's `authorize` gets one of these. */
export const actions = [
  'session:create',
  'session:read',
  'session:manage',
  'session:transcribe',
  'session:emit',
  'group:read',
  'group:update',
  'group:lead',
  'group:speak',
  'guidance:read'
] as const
export type Action = typeof actions[number]

/** What the question is about. `session` is absent for `session:create`. */
export interface Resource {
  session?: {
    sessionId: string
    teacherId: string
    participants: readonly { userId: string, groupId: string | null }[]
    groups: readonly { groupId: string, leaderId: string | null, memberIds: readonly string[] }[]
  }
  groupId?: string
}

/** The host's word on access. It overrides the default policy, for REST and sockets alike. */
export type Authorize = (user: User, action: Action, resource: Resource) => boolean | Promise<boolean>

export type Relation = 'owner' | 'admin' | 'member' | 'worker' | 'none'

/** How a user stands to a session. A student's token that is bound to another session makes them a stranger here. */
export function relationTo (user: User, session: NonNullable<Resource['session']>): Relation {
  if ((admins as readonly Role[]).includes(user.role)) return 'admin'
  if (user.role === 'worker') return 'worker'
  if (user.role === 'teacher' || user.role === 'instructor') return session.teacherId === user.userId ? 'owner' : 'none'
  if (user.role !== 'student') return 'none'
  if (user.sessionId !== undefined) return user.sessionId === session.sessionId ? 'member' : 'none'
  const enrolled = session.participants.some(participant => participant.userId === user.userId)
  return enrolled || groupOf(user, session) !== null ? 'member' : 'none'
}

/** The group that a student belongs to: as a participant, else as the teacher planned it, else as the token says. */
export function groupOf (user: User, session: NonNullable<Resource['session']>): string | null {
  const participant = session.participants.find(one => one.userId === user.userId)
  if (participant) return participant.groupId
  const planned = session.groups.find(group => group.leaderId === user.userId || group.memberIds.includes(user.userId))
  if (planned) return planned.groupId
  const claimed = user.sessionId === session.sessionId && session.groups.find(group => group.groupId === user.groupId)
  return claimed ? claimed.groupId : null
}

/** The default policy, one row an action: which relations may. Members are held to their own group. */
export const policy: Record<Exclude<Action, 'session:create'>, readonly Relation[]> = {
  'session:read': ['owner', 'admin', 'member'],
  'session:manage': ['owner', 'admin'],
  'session:transcribe': ['owner', 'admin', 'worker'],
  'session:emit': ['worker'],
  'group:read': ['owner', 'admin', 'member'],
  'group:update': ['owner', 'admin', 'member'],
  'group:lead': ['owner', 'admin', 'member'],
  'group:speak': ['member'],
  'guidance:read': ['owner', 'admin']
}

export const defaultAuthorize: Authorize = (user, action, { session, groupId }) => {
  if (action === 'session:create') return (teachers as readonly Role[]).includes(user.role)
  if (session === undefined) return false
  const relation = relationTo(user, session)
  if (!policy[action].includes(relation)) return false
  if (relation !== 'member' || groupId === undefined) return true
  if (groupOf(user, session) !== groupId) return false
  if (action !== 'group:lead') return true
  return session.groups.some(group => group.groupId === groupId && group.leaderId === user.userId)
}

/** Asks the host's word first, else the default policy, and throws what `otherwise` makes when the answer is no. */
export async function demand (authorize: Authorize, user: User, action: Action, resource: Resource, otherwise: () => ClasswavesError): Promise<void> {
  if (await authorize(user, action, resource) !== true) throw otherwise()
}
