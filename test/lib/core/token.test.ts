import { inspect } from 'node:util'
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
  const bad: Record<string, unknown[]> = {
    sub: [undefined, null, '', 's 1', 7, ['s1']],
    userId: ['', 's 1', 7],
    role: [undefined, 'king', ['teacher']],
    exp: [undefined, null, '2030', 1e300, NaN, -1, 0, exp + 0.5],
    iat: [null, '1900000000', 1e300, -1, NaN],
    type: ['refresh', null]
  }
  for (const [claim, values] of Object.entries(bad)) {
    for (const value of values) t.throws(() => userOf({ sub: 's1', role: 'teacher', exp, [claim]: value }, now), { code: 'AUTH_FAILED' }, `${claim}: ${inspect(value)}`)
  }
  for (const claims of [{}, null, 'text']) t.throws(() => userOf(claims, now), { code: 'AUTH_FAILED' }, JSON.stringify(claims))
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
