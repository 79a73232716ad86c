import type { User } from '../core/access.ts'

/** What the classroom needs to know of a class session; the sessions area tells, through its plugin. */
export interface ClassSession {
  sessionId: string
  code: string
  status: 'created' | 'active' | 'paused' | 'ending' | 'ended'
  teacherId: string
  /** Users who are enrolled or planned for a group. */
  pupilIds: ReadonlySet<string>
}

export interface Directory {
  /** A code as a person typed it, in the one way in which it is written. */
  codeOf (typed: string): string
  /**
   * The session that a code opens to this user; a student whose token is bound to none is enrolled.
   * @throws ClasswavesError SESSION_NOT_FOUND, RATE_LIMITED after too many wrong codes from the address
   */
  enter (user: User, address: string, code: string): Promise<ClassSession & { manages: boolean }>
  find (sessionId: string): Promise<ClassSession | null>
  /** May the user lead this class: choose the mode, let messages out, delete any? */
  manages (user: User, sessionId: string): Promise<boolean>
}
