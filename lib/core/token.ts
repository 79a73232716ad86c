import Type from 'typebox'
import { Compile } from 'typebox/compile'
import { roles, type User } from './access.ts'
import { ClasswavesError } from './errors.ts'
import { Id } from './schema.ts'

/** What a token must say. Other claims are the host's own business. */
const Claims = Compile(Type.Object({
  sub: Type.Optional(Id),
  userId: Type.Optional(Id),
  role: Type.Enum([...roles]),
  name: Type.Optional(Type.String({ maxLength: 200 })),
  sessionId: Type.Optional(Type.String({ maxLength: 64 })),
  groupId: Type.Optional(Type.String({ maxLength: 64 })),
  exp: Type.Integer({ minimum: 1, maximum: 8_640_000_000_000, description: 'at most what a Date can say' }),
  iat: Type.Optional(Type.Number({ minimum: 0 })),
  type: Type.Optional(Type.Literal('access'))
}))

/** How far ahead of our time a token may have been signed (ms): clocks of servers are wrong by less. */
const aheadMs = 3_600_000

/**
 * The user of a verified token.
 * @throws ClasswavesError AUTH_FAILED when a claim is missing or of the wrong kind, or the token was signed in the future; there is no default role
 */
export function userOf (claims: unknown, now: number): User {
  if (!Claims.Check(claims)) throw new ClasswavesError('AUTH_FAILED')
  const userId = claims.sub ?? claims.userId
  if (userId === undefined || (claims.iat ?? 0) * 1000 > now + aheadMs) throw new ClasswavesError('AUTH_FAILED')
  return {
    userId,
    role: claims.role,
    exp: claims.exp,
    ...(claims.name && { name: claims.name }),
    ...(claims.sessionId && { sessionId: claims.sessionId }),
    ...(claims.groupId && { groupId: claims.groupId })
  }
}

/** Clocks that differ by less are one (ms): to verify by another time than the machine's is dearer. */
const agreedMs = 50

/** The verifier of @fastify/jwt, by a clock that all processes share. */
export function verifierAt (now: () => number, verify: (token: string, options?: { clockTimestamp: number }) => unknown): (token: string) => unknown {
  return token => {
    const clockTimestamp = now()
    return Math.abs(clockTimestamp - Date.now()) < agreedMs ? verify(token) : verify(token, { clockTimestamp })
  }
}

/** Verifies a token, wherever it came from. Whatever is wrong with it, the error is the same, and never has its text. */
export function createAuthenticator (verify: (token: string) => unknown, now: () => number): (token: unknown) => User {
  return token => {
    if (typeof token !== 'string' || token === '' || token.length > 16_384) throw new ClasswavesError('AUTH_FAILED')
    let claims: unknown
    try {
      claims = verify(token)
    } catch (error) {
      const expired = error instanceof Error && 'code' in error && error.code === 'FAST_JWT_EXPIRED'
      throw new ClasswavesError(expired ? 'AUTH_EXPIRED' : 'AUTH_FAILED')
    }
    return userOf(claims, now())
  }
}

/** The token of an `Authorization` header, if it has one. */
export function bearerOf (authorization: string | undefined): string | undefined {
  return /^Bearer\s+(\S+)$/i.exec(authorization ?? '')?.[1]
}
