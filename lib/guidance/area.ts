import type { Emit } from '../core/emit.ts'
import type { Resource, User } from '../core/access.ts'
import type { guidance as contract } from './contract.ts'
import type { Guidance } from './engine.ts'
import type { GuidanceState, PromptAction } from './schema.ts'

/** What a teacher may ask of guidance, over sockets and over REST alike: the right is asked here. */
export interface TeacherGuidance {
  /** @throws ClasswavesError SESSION_NOT_FOUND */
  session (user: User, sessionId: string): Promise<{ status: string, state: GuidanceState }>
  /** What stands now in one session, or in all own live ones. */
  current (user: User, sessionId?: string): Promise<GuidanceState>
  /** Sessions of one teacher, or of all, newest first, at most `limit`; `complete` unless there are more. */
  newest (teacherId: string | undefined, limit: number): Promise<{ sessionIds: string[], complete: boolean }>
  /** @throws ClasswavesError PROMPT_NOT_FOUND also when the user may not know of the prompt */
  interact (user: User, input: { promptId: string, action: PromptAction, feedback?: string, sessionId?: string }): Promise<{ promptId: string, action: PromptAction, timestamp: string }>
}

export interface GuidanceArea {
  guidance: Guidance
  teacher: TeacherGuidance
  emit: Emit<typeof contract>
  /** The home rooms of kept events that a user may hear: none for who may not see guidance. */
  homeRooms: (session: NonNullable<Resource['session']>, user: User) => Promise<{ namespace: string, room: string }[]>
}
