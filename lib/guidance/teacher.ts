import type { User } from '../core/access.ts'
import { ClasswavesError } from '../core/errors.ts'
import type { TeacherGuidance } from './area.ts'
import type { Guidance } from './engine.ts'

/** What the sessions area knows, passed in by the plugin. */
export interface SessionAccess {
  /** @throws ClasswavesError SESSION_NOT_FOUND unless the user may see the guidance of the session */
  open (user: User, sessionId: string): Promise<{ sessionId: string, status: string }>
  /** The user's own sessions that are going on. */
  live (user: User): Promise<readonly { sessionId: string }[]>
  newest: TeacherGuidance['newest']
}

export function createTeacherGuidance (guidance: Guidance, access: SessionAccess): TeacherGuidance {
  return {
    async session (user, sessionId) {
      const { status } = await access.open(user, sessionId)
      return { status, state: await guidance.state(sessionId) }
    },

    async current (user, sessionId) {
      const sessions = sessionId === undefined ? await access.live(user) : [await access.open(user, sessionId)]
      const states = await Promise.all(sessions.map(async one => await guidance.state(one.sessionId)))
      return {
        attention: states.flatMap(state => state.attention).sort((a, b) => b.attentionScore - a.attentionScore),
        prompts: states.flatMap(state => state.prompts),
        insights: states.flatMap(state => state.insights)
      }
    },

    newest: access.newest,

    async interact (user, { promptId, action, feedback, sessionId: said }) {
      const sessionId = guidance.sessionOf(promptId)
      if (sessionId === undefined || (said !== undefined && said !== sessionId)) throw new ClasswavesError('PROMPT_NOT_FOUND')
      try {
        await access.open(user, sessionId)
      } catch (error) {
        throw error instanceof ClasswavesError && error.code !== 'UNAVAILABLE' ? new ClasswavesError('PROMPT_NOT_FOUND') : error
      }
      const { timestamp } = await guidance.interact({ promptId, action, ...(feedback !== undefined && { feedback }) })
      return { promptId, action, timestamp }
    }
  }
}
