import type { Action, Authorize, User } from '../core/access.ts'
import { ClasswavesError } from '../core/errors.ts'
import type { Session } from './schema.ts'

/** Finds a session for a user who wants to do something with it. */
export interface Rights {
  /**
   * The session, when the user may.
   * @throws ClasswavesError SESSION_NOT_FOUND when there is none or the user may not know of it, GROUP_NOT_FOUND when
   * the group is not in it, FORBIDDEN when the user may see it but not do this
   */
  session (user: User, action: Action, sessionId: string, groupId?: string): Promise<Session>
  /** @throws ClasswavesError FORBIDDEN */
  create (user: User): Promise<void>
}

export function createRights (authorize: Authorize, load: (sessionId: string) => Promise<Session | null>): Rights {
  const may = async (user: User, action: Action, session: Session, groupId?: string): Promise<boolean> =>
    await authorize(user, action, { session, ...(groupId !== undefined && { groupId }) }) === true

  return {
    async session (user, action, sessionId, groupId) {
      const session = await load(sessionId)
      if (!session) throw new ClasswavesError('SESSION_NOT_FOUND')
      const known = groupId === undefined || session.groups.some(group => group.groupId === groupId)
      if (known && await may(user, action, session, groupId)) return session
      if (!await may(user, 'session:read', session)) throw new ClasswavesError('SESSION_NOT_FOUND')
      throw new ClasswavesError(known ? 'FORBIDDEN' : 'GROUP_NOT_FOUND')
    },
    async create (user) {
      if (await authorize(user, 'session:create', {}) !== true) throw new ClasswavesError('FORBIDDEN')
    }
  }
}
