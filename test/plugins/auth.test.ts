import jwt from '@fastify/jwt'
import Fastify from 'fastify'
import t from 'tap'
import classwaves from '../../index.ts'
import { build, inSeconds, secret, token, wayOfTests, type App } from '../app.ts'

t.test('a token in a URL opens nothing', async t => {
  // Fastify's own lines have URLs as they came, which is the host's affair.
  const app = await build(t, {}, host => { host.log.level = 'warn' })
  t.equal((await app.call('GET', `/sessions?token=${token()}`)).status, 401)
  const error: unknown = await app.connect('/sessions', {}, { query: { token: token() } }).catch((error: unknown) => error)
  t.match(error, { data: { code: 'AUTH_FAILED' } })
})

t.test('a role that a namespace does not admit', async t => {
  const app = await build(t)
  const strangers = { '/sessions': ['parent', 'staff', 'partner', 'worker'], '/guidance': ['student', 'parent', 'staff', 'partner', 'worker'] }
  for (const [namespace, roles] of Object.entries(strangers)) {
    for (const role of roles) t.match(await app.refusal(namespace, token({ role })), { code: 'FORBIDDEN' }, `${namespace} ${role}`)
  }
})

t.test('userId stands for sub', async t => {
  const app = await build(t)
  const { body } = await app.call('POST', '/sessions', { topic: 'x' }, token({ sub: undefined, userId: 'teacher-7' }))
  t.equal(body.teacherId, 'teacher-7')
})

t.test('a token that was looked at is not kept', async t => {
  const app = await build(t)
  const shown = token()
  const secrets = { authorization: `Bearer ${shown}`, cookie: 'login=needle', 'x-api-key': 'needle', referer: 'https://school.example/?needle' }
  const first = await app.connect('/sessions', shown, { extraHeaders: { ...secrets, 'x-forwarded-for': '10.1.1.1' }, query: { token: shown, more: 'needle' } })
  await first.also('/guidance', { token: shown, more: 'needle' })
  for (const namespace of ['/sessions', '/guidance']) {
    const [socket] = await app.app.io.of(namespace).fetchSockets()
    t.notMatch(JSON.stringify(socket?.handshake), shown)
    t.notMatch(JSON.stringify(socket?.handshake), 'needle')
    t.match(socket?.handshake, { url: '/socket.io/', query: {}, auth: {}, headers: { host: String, 'x-forwarded-for': '10.1.1.1' }, address: '127.0.0.1' }, 'what is known to be harmless stays')
  }
})

t.test('no token comes into a log, however much is logged', async t => {
  const app = await build(t)
  const shown = [token({ sub: 'teacher-1' }), token({ exp: inSeconds(-5) }), token({ role: 'none' }), token({ sub: 'teacher-1', name: 'newer' })] as const
  for (const one of shown) await app.call('POST', '/sessions', { topic: 'x' }, one)
  await app.refusal('/sessions', shown[1])
  await app.refusal('/guidance', shown[2])
  const socket = await app.connect('/sessions', shown[0])
  await socket.ok('auth:refresh', { token: shown[3] })
  await socket.raw('auth:refresh', { token: shown[1] })
  await socket.raw('auth:refresh', { token: `${shown[0]}x` })
  await socket.raw('group:join', { token: shown[0] })
  t.ok(app.log().split('\n').length > 8)
  for (const one of shown) t.notMatch(app.log(), one.split('.')[2])
})

t.test('a live socket does not outlive its token', async t => {
  const app = await build(t)
  app.app.io.of('/of-the-host')
  const exp = inSeconds(4)
  const sockets = await Promise.all(['/', '/sessions', '/guidance', '/of-the-host'].map(namespace => app.connect(namespace, token({ exp }))))
  for (const socket of sockets) {
    t.same(await socket.next('auth:expiring'), { expiresAt: new Date(exp * 1000).toISOString() }, 'at once, for less than a minute is left')
    t.match(await socket.next('error'), { code: 'AUTH_EXPIRED', event: 'auth', message: String })
    t.ok(Date.now() >= exp * 1000, 'not before its end')
    t.equal(await socket.end(), 'io server disconnect')
    t.ok(Date.now() < exp * 1000 + 10_000, `and soon after it: ${Date.now() - exp * 1000} ms`)
  }
  t.equal((await app.call<{ code: string }>('GET', '/sessions', undefined, token({ exp }))).body.code, 'AUTH_EXPIRED')
})

t.test('auth:refresh renews all sockets of the connection', async t => {
  const app = await build(t)
  app.app.io.of('/of-the-host')
  const soon = token({ sub: 'teacher-1', exp: inSeconds(4) })
  const sessions = await app.connect('/sessions', soon)
  const guidance = await sessions.also('/guidance', { token: soon })
  const own = await sessions.also('/of-the-host', { token: soon })
  const alone = await app.connect('/sessions', soon)
  const exp = inSeconds(600)
  t.same(await sessions.ack('auth:refresh', { token: token({ sub: 'teacher-1', exp }) }), { ok: true, expiresAt: new Date(exp * 1000).toISOString() })
  t.equal(await alone.end(), 'io server disconnect', 'another connection has to do it by itself')
  for (const socket of [sessions, guidance, own]) t.equal(socket.socket.connected, true)
  t.equal(await guidance.code('guidance:get_current_state', {}), 'ok')
})

t.test('auth:refresh takes a token of the same user only', async t => {
  const app = await build(t)
  const mine = { sub: 'student-1', role: 'student', sessionId: 's1' }
  const socket = await app.connect('/sessions', token({ ...mine, exp: inSeconds(4) }))
  const refresh = (claims: object): Promise<string> => socket.code('auth:refresh', { token: token({ ...mine, ...claims }) })
  t.equal(await refresh({ sub: 'student-2' }), 'FORBIDDEN')
  t.equal(await refresh({ role: 'teacher' }), 'FORBIDDEN')
  t.equal(await refresh({ sessionId: 's2' }), 'FORBIDDEN')
  t.equal(await refresh({ exp: inSeconds(-5) }), 'AUTH_EXPIRED')
  t.equal(await refresh({ type: 'refresh' }), 'AUTH_FAILED')
  t.equal(await socket.code('auth:refresh', { token: 7 }), 'INVALID_PAYLOAD')
  t.equal(await socket.end(), 'io server disconnect', 'none of them renewed it')
})

t.test('@fastify/jwt of the host is used', async t => {
  const app = await build(t, { jwt: undefined }, async host => { await host.register(jwt, { secret: 'the secret of the host' }) })
  t.match(await app.refusal('/sessions', token()), { code: 'AUTH_FAILED' })
  const good = app.app.jwt.sign({ sub: 'teacher-1', role: 'teacher' }, { expiresIn: '1m' })
  await app.connect('/sessions', good)
  const { body: { code } } = await app.call('POST', '/sessions', { topic: 'x', groups: [{ name: 'A' }] }, good)
  const { body } = await app.call('POST', '/sessions/join', { code, displayName: 'Ada' })
  t.match(app.app.jwt.verify(String(body.token)), { role: 'student', type: 'access', exp: Number })
})

t.test('without a secret there is no server', async t => {
  const boot = async (options: object, host = false): Promise<unknown> => {
    const app = Fastify()
    t.teardown(() => app.close())
    if (host) await app.register(jwt, { secret })
    return await app.register(classwaves, { ...wayOfTests, ...options })
  }
  await t.rejects(boot({}), { message: /option jwt is needed/ })
  await t.rejects(boot({ jwt: {} }), { message: /jwt\.secret/ })
  await t.rejects(boot({ jwt: { secret: '' } }), { message: /jwt\.secret/ })
  await t.rejects(boot({ jwt: { secret: 123 } }), { message: /option jwt: .*secret/, code: 'CLASSWAVES_OPTIONS' })
  await t.rejects(boot({ jwt: { secret } }, true), { message: /registered already/ })
})

t.test('the host decides, in its own time, over REST and sockets alike', async t => {
  const asked: string[] = []
  const app: App = await build(t, {
    authorize: async (user, action, { session, groupId }) => {
      await new Promise(resolve => setTimeout(resolve, 5))
      asked.push(`${user.userId} ${action} ${session ? 'session' : '-'} ${groupId ?? '-'}`)
      if (user.userId === 'broken') throw new Error('the host has a fault')
      return user.userId === 'owner' || (user.userId === 'colleague' && ['session:read', 'group:read'].includes(action))
    }
  })
  const [owner, colleague, stranger, broken] = ['owner', 'colleague', 'stranger', 'broken'].map(sub => token({ sub })) as [string, string, string, string]
  const { sessionId } = await app.session(owner)
  t.match(asked, ['owner session:create - -', 'owner session:manage session -'])
  const place = { sessionId, groupId: 'red' }
  const of = async (who: string): Promise<unknown[]> => {
    const socket = await app.connect('/sessions', who)
    return [
      (await app.call('POST', '/sessions', { topic: 'x' }, who)).status,
      (await app.call('GET', `/sessions/${sessionId}`, undefined, who)).status,
      (await app.call('POST', `/sessions/${sessionId}/pause`, undefined, who)).status,
      await socket.code('session:join', { sessionId }),
      await socket.code('group:leader_ready', { ...place, ready: true }),
      await (await app.connect('/guidance', who)).code('session:guidance:subscribe', { sessionId })
    ]
  }
  t.same(await of(owner), [201, 200, 200, 'ok', 'ok', 'ok'])
  t.same(await of(colleague), [403, 200, 403, 'ok', 'FORBIDDEN', 'FORBIDDEN'], 'who may see a session is told what they may not do')
  t.same(await of(stranger), [403, 404, 404, 'SESSION_NOT_FOUND', 'NOT_IN_SESSION', 'SESSION_NOT_FOUND'])
  t.same(await of(broken), [500, 500, 500, 'INTERNAL', 'NOT_IN_SESSION', 'INTERNAL'], 'a fault is not a yes')
})
