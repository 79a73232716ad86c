import Type from 'typebox'
import type { Core } from '../lib/core/core.ts'
import { ClasswavesError } from '../lib/core/errors.ts'
import { Closed, Id, Timestamp } from '../lib/core/schema.ts'
import { Participant, Session } from '../lib/sessions/schema.ts'
import { viewOf } from '../lib/sessions/view.ts'
import type { SessionsArea } from '../lib/sessions/area.ts'
import type { Scope } from './scope.ts'

interface JoinDependencies extends Pick<SessionsArea, 'sessions' | 'guesses'>, Pick<Core, 'now'> {
  sign: (claims: Record<string, unknown>) => string
  tokenSeconds: number
}

/** The one door without a token: a pupil types the code and a name. Wrong codes are counted by address. */
export function joinRoutes (scope: Scope, { sessions, guesses, now, sign, tokenSeconds }: JoinDependencies): void {
  async function look (code: string): Promise<Session> {
    const found = await sessions.byCode(code)
    if (!found) throw new ClasswavesError('SESSION_NOT_FOUND', 'No session has this code.')
    return found
  }

  scope.post('/sessions/join', {
    config: { who: 'public', kept: { of: body => withToken(body, claimsOf), answer: body => withToken(body, sign) } },
    schema: {
      tags: ['sessions'],
      operationId: 'joinSession',
      summary: 'Joins a session by its code; answers with the pupil\'s token.',
      security: [],
      body: Closed({
        code: Type.String({ minLength: 1, maxLength: 20 }),
        displayName: Type.String({ minLength: 1, maxLength: 100, pattern: '\\S' }),
        groupId: Type.Optional(Id)
      }),
      response: { 201: Type.Object({ token: Type.String(), expiresAt: Timestamp, session: Session, participant: Participant }) }
    }
  }, async (request, reply) => {
    const found = await guesses.look(request.ip, async () => await look(request.body.code))
    const { displayName, groupId } = request.body
    const { session, participant } = await sessions.enrol(found.sessionId, { displayName: displayName.trim(), ...(groupId !== undefined && { groupId }) })
    const iat = Math.floor(now() / 1000)
    const exp = iat + tokenSeconds
    const user = {
      userId: participant.userId,
      role: 'student' as const,
      name: participant.displayName,
      sessionId: session.sessionId,
      ...(participant.groupId !== null && { groupId: participant.groupId }),
      exp
    }
    const { userId: sub, ...claims } = user
    return await reply.code(201).send({
      token: sign({ sub, ...claims, iat, type: 'access' }),
      expiresAt: new Date(exp * 1000).toISOString(),
      session: viewOf(session, user),
      participant
    })
  })
}

/**
 * The answer with something else in place of its token. Under an Idempotency-Key the claims are kept for a day, not the
 * token, which is signed again for who asks again: nothing that opens a door lies in Redis.
 */
function withToken<From, To> (body: string, change: (token: From) => To): string {
  const { token, ...rest } = JSON.parse(body) as { token: From }
  return JSON.stringify({ token: change(token), ...rest })
}

function claimsOf (token: string): Record<string, unknown> {
  return JSON.parse(Buffer.from(token.split('.')[1] as string, 'base64url').toString()) as Record<string, unknown>
}
