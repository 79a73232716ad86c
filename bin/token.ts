import { createHmac } from 'node:crypto'
import { roles } from '../lib/core/access.ts'
import { Mistake, read, whole } from './mistake.ts'

/** Signs a token as a host would, to try things by hand. */
export async function token (args: string[]): Promise<undefined> {
  const { role, sub, name, session, group, expires = '3600', json } = read(args, ['role', 'sub', 'name', 'session', 'group', 'expires'])
  if (!role || !(roles as readonly string[]).includes(role)) throw new Mistake(`--role must be one of ${roles.join(', ')}.`)
  if (!sub || !/^[A-Za-z0-9_.@-]{1,64}$/.test(sub)) throw new Mistake('--sub must name the user: 1 to 64 of A-Z a-z 0-9 _ . @ -')
  const secret = process.env.JWT_SECRET
  if (!secret) throw new Mistake('JWT_SECRET must hold the secret of the server.')
  const exp = Math.floor(Date.now() / 1000) + whole('expires', expires, 1, 365 * 24 * 3600)
  const claims = { sub, role, ...(name && { name }), ...(session && { sessionId: session }), ...(group && { groupId: group }), exp }
  const signed = [{ alg: 'HS256', typ: 'JWT' }, claims].map(part => Buffer.from(JSON.stringify(part)).toString('base64url')).join('.')
  const made = `${signed}.${createHmac('sha256', secret).update(signed).digest('base64url')}`
  process.stdout.write(`${json ? JSON.stringify({ token: made, expiresAt: new Date(exp * 1000).toISOString() }) : made}\n`)
}
