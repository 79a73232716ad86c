import t from 'tap'
import { build, onBoth, token } from '../app.ts'

/** What one address and one user may do; the same on every process. */

onBoth(t, 'a user has so many sockets in a namespace', async (t, options) => {
  const app = await build(t, options)
  const mine = token({ sub: 'teacher-1' })
  for (const [namespace, most] of [['/sessions', 5], ['/guidance', 3]] as const) {
    const open = await Promise.all(Array.from({ length: most }, () => app.connect(namespace as string, mine)))
    t.match(await app.refusal(namespace, mine), { code: 'RATE_LIMITED', details: { retryAfterMs: Number } }, namespace)
    await app.connect(namespace, token({ sub: 'teacher-2' }))
    open[0]?.close()
    await t.resolves(eventually(() => app.connect(namespace, mine)), 'one that goes makes room')
  }
  await Promise.all(Array.from({ length: 10 }, () => app.connect('/', mine)))
})

t.test('a refused connect holds no place', async t => {
  const app = await build(t)
  for (let i = 0; i < 8; i++) await app.refusal('/guidance', token({ sub: 'teacher-1', role: 'student' }))
  for (let i = 0; i < 3; i++) t.ok(await app.connect('/guidance', token({ sub: 'teacher-1' })))
})

onBoth(t, 'an address may fail so often', async (t, options) => {
  const app = await build(t, { ...options, limits: { failedConnectsPerMinute: 5 } })
  const before = await app.connect('/sessions', token())
  for (let i = 0; i < 5; i++) t.match(await app.refusal('/sessions', {}), { code: 'AUTH_FAILED' })
  t.match(await app.refusal('/sessions', token()), { code: 'RATE_LIMITED', details: { retryAfterMs: Number } }, 'even with a good token')
  t.match(await app.refusal('/', token()), { code: 'RATE_LIMITED' }, 'on every namespace')
  t.equal(await before.code('flush'), 'UNSUPPORTED_OPERATION', 'who is in stays in')
})

t.test('the address behind a proxy', async t => {
  const app = await build(t, { limits: { failedConnectsPerMinute: 2 }, addressOf: headers => String(headers['x-forwarded-for']) })
  const from = (address: string) => ({ extraHeaders: { 'x-forwarded-for': address } })
  const code = async (address: string, auth: string | object): Promise<unknown> => {
    try {
      await app.connect('/sessions', auth, from(address))
      return 'ok'
    } catch (error) {
      return (error as { data: { code: string } }).data.code
    }
  }
  t.same([await code('1.1.1.1', {}), await code('1.1.1.1', {}), await code('1.1.1.1', token())], ['AUTH_FAILED', 'AUTH_FAILED', 'RATE_LIMITED'])
  t.equal(await code('2.2.2.2', token()), 'ok')
})

t.test('an address may connect so often', async t => {
  const app = await build(t, { limits: { connectsPer10Seconds: 3 } })
  for (let i = 0; i < 3; i++) await app.connect('/', token())
  t.match(await app.refusal('/', token()), { code: 'RATE_LIMITED', details: { retryAfterMs: Number } })
})

onBoth(t, 'an address may guess so many codes', async (t, options) => {
  const app = await build(t, options)
  const { code } = await app.session(token(), { start: false })
  const join = async (code: string) => await app.call('POST', '/sessions/join', { code, displayName: 'Ada' })
  for (let i = 0; i < 20; i++) t.match(await join('WRONG2'), { status: 404, body: { code: 'SESSION_NOT_FOUND' } })
  const refused = await join(code)
  t.match(refused, { status: 429, body: { statusCode: 429, code: 'RATE_LIMITED', details: { retryAfterMs: Number } } }, 'even the right one')
  t.ok(Number(refused.headers.get('retry-after')) > 0 && Number(refused.headers.get('retry-after')) <= 60)
})

t.test('right codes are not counted', async t => {
  const app = await build(t, { limits: { wrongCodesPerMinute: 2 } })
  const { code } = await app.session(token())
  for (let i = 0; i < 10; i++) t.equal((await app.call('POST', '/sessions/join', { code, displayName: `Pupil ${i}` })).status, 201)
})

t.test('by day as well as by minute', async t => {
  const app = await build(t, { limits: { wrongCodesPerDay: 3 } })
  const statuses = []
  for (let i = 0; i < 4; i++) statuses.push((await app.call('POST', '/sessions/join', { code: 'WRONG2', displayName: 'Ada' })).status)
  t.same(statuses, [404, 404, 404, 429])
})

async function eventually<T> (attempt: () => Promise<T>): Promise<T> {
  for (let tries = 0; ; tries++) {
    try {
      return await attempt()
    } catch (error) {
      if (tries > 40) throw error
      await new Promise(resolve => setTimeout(resolve, 25))
    }
  }
}
