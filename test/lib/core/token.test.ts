import t from 'tap'
import { createAuthenticator, userOf } from '../../../lib/core/token.ts'

const exp = 2_000_000_000

t.test('sub or userId, role and exp make a user', async t => {
  t.same(userOf({ sub: 's1', role: 'student', exp, name: 'Ana', sessionId: 'x', groupId: 'g', email: 'left out' }),
    { userId: 's1', role: 'student', exp, name: 'Ana', sessionId: 'x', groupId: 'g' })
  t.same(userOf({ userId: 't1', role: 'teacher', exp, type: 'access' }), { userId: 't1', role: 'teacher', exp })
})

t.test('a claim that is missing or wrong is refused', async t => {
  const bad = [
    {}, null, 'text', { sub: 's1', exp }, { sub: 's1', role: 'teacher' }, { role: 'teacher', exp }, { sub: 's1', role: 'king', exp },
    { sub: 's1', role: 'teacher', exp: '2030' }, { sub: 's1', role: 'teacher', exp: 1e300 }, { sub: 's1', role: 'teacher', exp, type: 'refresh' },
    { sub: 's 1', role: 'teacher', exp }, { sub: '', role: 'teacher', exp }, { sub: 's1', role: ['teacher'], exp }
  ]
  for (const claims of bad) t.throws(() => userOf(claims), { code: 'AUTH_FAILED' }, JSON.stringify(claims))
})

t.test('the text of a token never stands in an error', async t => {
  const authenticate = createAuthenticator(() => { throw new Error('bad secret-token') })
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
  const authenticate = createAuthenticator(() => { throw Object.assign(new Error('expired'), { code: 'FAST_JWT_EXPIRED' }) })
  t.throws(() => authenticate('token'), { code: 'AUTH_EXPIRED' })
})
