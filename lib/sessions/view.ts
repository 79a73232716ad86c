import { groupOf, relationTo, type User } from '../core/access.ts'
import { rooms } from './contract.ts'
import type { Group, GroupStatus, Session } from './schema.ts'

/** The session as its reader may see it: a student sees the people of their own group only, and not what the teacher noted. */
export function viewOf (session: Session, user: User): Session {
  if (relationTo(user, session) !== 'member') return session
  const own = groupOf(user, session)
  const theirs = (group: Group): Group => group.groupId === own ? group : { ...group, leaderId: null, memberIds: [], issueReason: null }
  return {
    ...session,
    reason: null,
    teacherNotes: null,
    groups: session.groups.map(theirs),
    participants: session.participants.filter(one => one.userId === user.userId || (own !== null && one.groupId === own))
  }
}

/** How far the groups are, for the teacher who wants to start. */
export function readinessOf (session: Session) {
  const ready = session.groups.filter(group => group.isReady).length
  return {
    groups: session.groups.map(group => ({ ...group, memberCount: group.memberIds.length })),
    summary: {
      totalGroups: session.groups.length,
      readyGroups: ready,
      issueGroups: session.groups.filter(group => group.status === 'issue').length,
      canStartSession: session.status === 'created' && (!session.requireGroupsReady || ready === session.groups.length)
    }
  }
}

/** What a status says of readiness when the sender does not say it: some imply it, the others leave it as it is. */
export function impliedReadiness (status: GroupStatus): boolean | undefined {
  if (status === 'ready') return true
  return status === 'issue' || status === 'waiting' ? false : undefined
}

/** The home rooms of a session that a user may hear: a student those of the session and their own group. */
export function audibleRooms (session: Session, user: User): string[] {
  const { sessionId } = session
  const everybody = rooms.session({ sessionId })
  if (user.role === 'student') {
    const groupId = groupOf(user, session)
    return groupId === null ? [everybody] : [everybody, rooms.group({ sessionId, groupId })]
  }
  const groups = session.groups.map(({ groupId }) => rooms.group({ sessionId, groupId }))
  const relation = relationTo(user, session)
  return relation === 'owner' || relation === 'admin' ? [everybody, rooms.teacher({ sessionId }), ...groups] : [everybody, ...groups]
}
