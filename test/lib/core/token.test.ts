import t from 'tap'
import { createAuthenticator, userOf } from '../../../lib/core/token.ts'

const exp = 2_000_000_000
const now = 1_900_000_000_000

t.test('sub or userId, role and exp make a user', async t => {
  t.same(userOf({ sub: 's1', role: 'student', exp, name: 'Ana', sessionId: 'x', groupId: 'g', email: 'left out' }, now),
    { userId: 's1', role: 'student', exp, name: 'Ana', sessionId: 'x', groupId: 'g' })
  t.same(userOf({ userId: 't1', role: 'teacher', exp, type: 'access' }, now), { userId: 't1', role: 'teacher', exp })
})

t.test('a claim that is missing or wrong is refused', async t => {
  const bad = [
    {}, null, 'text', { sub: 's1', exp }, { sub: 's1', role: 'teacher' }, { role: 'teacher', exp }, { sub: 's1', role: 'king', exp },
    { sub: 's1', role: 'teacher', exp: '2030' }, { sub: 's1', role: 'teacher', exp: 1e300 }, { sub: 's1', role: 'teacher', exp, type: 'refresh' },
    { sub: 's 1', role: 'teacher', exp }, { sub: '', role: 'teacher', exp }, { sub: 's1', role: ['teacher'], exp },
    { sub: 's1', role: 'teacher', exp, iat: '1900000000' }, { sub: 's1', role: 'teacher', exp, iat: 1e300 }, { sub: 's1', role: 'teacher', exp, iat: -1 }
  ]
  for (const claims of bad) t.throws(() => userOf(claims, now), { code: 'AUTH_FAILED' }, JSON.stringify(claims))
})

t.test('a token that was signed in the future is refused, but clocks may differ', async t => {
  const signed = (secondsAhead: number) => () => userOf({ sub: 's1', role: 'teacher', exp, iat: now / 1000 + secondsAhead }, now)
  t.throws(signed(3601), { code: 'AUTH_FAILED' })
  t.same(signed(3600)().userId, 's1')
})

t.test('the text of a token never stands in an error', async t => {
  const authenticate = createAuthenticator(() => { throw new Error('bad secret-token') }, () => now)
  for (const token of ['secret-token', '', undefined, 7, {}, 'x'.repeat(20_000)]) {
    try {
      authenticate(token)
      t.fail('must throw')
    } catch (error) {
      t.match(error, { code: 'AUTH_FAILED' })
      t.notMatch((error as Error).message, /secret-token/)
    }
  }
})

t.test('an expired token is told apart', async t => {
  const authenticate = createAuthenticator(() => { throw Object.assign(new Error('expired'), { code: 'FAST_JWT_EXPIRED' }) }, () => now)
  t.throws(() => authenticate('token'), { code: 'AUTH_EXPIRED' })
})
