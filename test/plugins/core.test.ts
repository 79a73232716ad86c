import t from 'tap'
import { build, onBoth, token, type App } from '../app.ts'
import { startRedis } from '../redis.ts'

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

onBoth(t, 'who has a /64 of IPv6 has one address', async (t, options) => {
  const limits = { failedConnectsPerMinute: 2, wrongCodesPerMinute: 2, handshakesPer10Seconds: 8 }
  const app = await build(t, { ...options, limits, addressOf: headers => String(headers['x-forwarded-for'] ?? '127.0.0.1') })
  const { code } = await app.session(token())
  const from = (address: string) => ({ extraHeaders: { 'x-forwarded-for': address } })
  const connect = async (address: string, auth: string | object = token()) =>
    await app.connect('/', auth, from(address)).catch((error: { data: { code: string } }) => error.data.code)
  const guess = async (address: string) =>
    (await app.app.inject({ method: 'POST', url: '/api/v1/sessions/join', remoteAddress: address, payload: { code: 'WRONG2', displayName: 'Ada' } })).statusCode
  t.same([await connect('2001:db8::1', {}), await connect('2001:DB8:0:0:f::2', {}), await connect('2001:db8::3')], ['AUTH_FAILED', 'AUTH_FAILED', 'RATE_LIMITED'], 'refused connects')
  const neighbour = await connect('2001:db8:0:1::1')
  t.type(neighbour, 'object', 'the next /64 is somebody else')
  t.same([await guess('2001:db8:0:2::1'), await guess('2001:db8:0:2::2'), await guess('2001:db8:0:2::3')], [404, 404, 429], 'codes over REST')
  const pupil = await connect('2001:db8:0:2:f::4', token({ role: 'student' }))
  if (typeof pupil === 'object') t.equal(await pupil.code('joinSession', code), 'RATE_LIMITED', 'which count in / as well')
  t.same([await guess('::ffff:192.0.2.1'), await guess('192.0.2.1'), await guess('::ffff:192.0.2.1')], [404, 404, 429], 'an IPv4 address on an IPv6 socket')
  t.equal(await guess('2001:db8:0:3::1'), 404)
  const handshake = async (i: number) => (await fetch(`${app.url}/socket.io/?EIO=4&transport=polling`, { headers: { 'x-forwarded-for': `2001:db8:0:4::${i}` } })).status
  const statuses = []
  for (let i = 1; i <= 9; i++) statuses.push(await handshake(i))
  t.same(statuses, [...Array.from({ length: 8 }, () => 200), 403], 'handshakes')
})

t.test('connects of a /64 are counted together', async t => {
  const app = await build(t, { limits: { connectsPer10Seconds: 2 }, addressOf: headers => String(headers['x-forwarded-for']) })
  const connect = async (address: string) => await app.connect('/', token(), { extraHeaders: { 'x-forwarded-for': address } }).then(() => 'ok', (error: { data: { code: string } }) => error.data.code)
  t.same([await connect('2001:db8::1'), await connect('2001:db8::2'), await connect('2001:db8::3'), await connect('2001:db8:0:1::')], ['ok', 'ok', 'RATE_LIMITED', 'ok'])
})

t.test('a Redis that takes no writes lets each process count for itself, one that is gone finds nobody a class', async t => {
  const redis = await startRedis(t)
  const apps = [await build(t, { redis: redis.url, limits: { wrongCodesPerMinute: 3 } }), await build(t, { redis: redis.url, limits: { wrongCodesPerMinute: 3 } })]
  const { code } = await (apps[0] as App).session(token())
  const guess = async ({ app }: App, code: string, remoteAddress: string): Promise<number> =>
    (await app.inject({ method: 'POST', url: '/api/v1/sessions/join', remoteAddress, payload: { code, displayName: 'Ada' } })).statusCode
  await redis.client().config('SET', 'maxmemory', '1')
  for (const app of apps) {
    const statuses: number[] = []
    for (let i = 0; i < 5; i++) statuses.push(await guess(app, '222222', '192.0.2.1'))
    t.same(statuses, [404, 404, 404, 429, 429])
  }
  await redis.kill()
  for (const app of apps) t.same([await guess(app, code, '192.0.2.2'), await guess(app, '222222', '192.0.2.2')], [503, 503])
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
