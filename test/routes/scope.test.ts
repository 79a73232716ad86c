import Fastify from 'fastify'
import t from 'tap'
import classwaves from '../../index.ts'
import { build, secret, token, wayOfTests } from '../app.ts'

/** What every route of ours has in common, and what the host's routes have not. */

t.test('the host\'s routes keep the host\'s rules', async t => {
  const schema = { body: { type: 'object', properties: { count: { type: 'string' } }, additionalProperties: false } }
  const app = await build(t, {}, host => {
    host.post('/before', { schema }, async request => request.body)
    host.setErrorHandler(async (error, _request, reply) => await reply.code(418).send({ teapot: (error as Error).message }))
  })
  const send = async (path: string, body: string, type = 'application/json') => {
    const response = await fetch(app.url + path, { method: 'POST', headers: { 'content-type': type }, body })
    return [response.status, await response.json()]
  }
  t.same(await send('/before', '{"count":7,"more":1}'), [200, { count: '7' }], 'coerced and stripped, as Fastify does')
  t.match(await send('/before', '{"count":{}}'), [418, { teapot: String }], 'its errors are its own')
  t.match(await send('/before', ''), [418, { teapot: /empty/ }], 'an empty body of JSON is not for the host')
  t.same(await send('/before', JSON.stringify({ count: 'x'.repeat(1000) })), [200, { count: 'x'.repeat(1000) }])
  t.match(await send('/api/v1/sessions/join', '{"code":7,"displayName":"Ada"}'), [400, { code: 'INVALID_PAYLOAD' }], 'ours stay ours')
  const later = Fastify()
  t.teardown(() => later.close())
  await later.register(classwaves, { jwt: { secret }, ...wayOfTests })
  later.post('/after', { schema }, async request => request.body)
  t.same((await later.inject({ method: 'POST', url: '/after', body: { count: 7, more: 1 } })).json(), { count: '7' })
  t.equal((await later.inject('/nowhere')).statusCode, 404)
})

t.test('bodies that are no JSON', async t => {
  const app = await build(t)
  const mine = token()
  const send = async (body: string | undefined, type?: string, more: Record<string, string> = {}) => {
    const response = await fetch(`${app.url}/api/v1/sessions`, {
      method: 'POST', headers: { authorization: `Bearer ${mine}`, ...(type && { 'content-type': type }), ...more }, ...(body !== undefined && { body })
    })
    return { status: response.status, body: await response.json() as object }
  }
  const refused = { status: 400, body: { statusCode: 400, code: 'INVALID_PAYLOAD', error: 'Bad Request', message: String } }
  for (const body of ['{', '{"topic":"x"', '{"topic":"x"}}', "{'topic':'x'}", '\u0000', '{"topic":"x","__proto__":{}}', '{"topic":"x","constructor":{"prototype":{}}}', '{"topic":undefined}', 'NaN']) {
    t.match(await send(body, 'application/json'), refused, body)
  }
  for (const type of ['application/xml', 'text/html', 'application/x-www-form-urlencoded', 'multipart/form-data; boundary=x', 'application/octet-stream', 'application/jsonx', 'json', 'text/plain']) {
    t.match(await send('{"topic":"x"}', type), refused, type)
  }
  t.match((await send('topic=x', 'application/x-www-form-urlencoded')).body, { message: /application\/json/ }, 'curl is told what to say')
  t.match(await send(JSON.stringify({ topic: 'x'.repeat(1024 * 1024) }), 'application/json'), {
    status: 413, body: { statusCode: 413, code: 'PAYLOAD_TOO_LARGE', error: 'Payload Too Large', message: String }
  })
  t.equal((await send('{"topic":"x"}', 'application/json; charset=utf-8')).status, 201)
  t.same(app.warnings(), [])
})

t.test('every failure has one shape', async t => {
  const app = await build(t, { authorize: async (_user, action) => { if (action === 'session:read') throw new Error('a secret of the host'); return true } })
  const mine = token()
  const { sessionId } = await app.session(mine)
  const { status, headers, body } = await app.call('GET', `/sessions/${sessionId}`, undefined, mine)
  t.equal(status, 500)
  t.match(headers.get('content-type'), /^application\/json/)
  t.same(body, { statusCode: 500, code: 'INTERNAL', error: 'Internal Server Error', message: 'Something failed on our side.' }, 'nothing of the fault goes out')
  t.match(app.warnings(), [{ level: 50, err: { message: 'a secret of the host' } }], 'it is in the log')
  for (const authorization of ['', 'Bearer', 'Bearer ', `Basic ${mine}`, mine, `Bearer ${mine} x`]) {
    t.match(await app.call('GET', '/sessions', undefined, undefined, { authorization }), { status: 401, body: { statusCode: 401, code: 'AUTH_FAILED', error: 'Unauthorized' } }, authorization.slice(0, 12))
  }
  t.equal((await app.call('GET', '/sessions', undefined, undefined, { authorization: `bearer ${mine}` })).status, 200)
})

t.test('who asks is looked at before what they send', async t => {
  const app = await build(t)
  t.equal((await app.call('POST', '/sessions', '{')).status, 401)
  t.equal((await app.call('POST', '/sessions', '{', token({ role: 'student' }))).status, 403)
  t.equal((await app.call('POST', '/sessions', 'x'.repeat(2 * 1024 * 1024))).status, 401)
})

t.test('methods that a path has not', async t => {
  const app = await build(t)
  const mine = token()
  const { sessionId } = await app.session(mine)
  for (const method of ['PUT', 'PATCH', 'DELETE']) t.equal((await app.call(method, `/sessions/${sessionId}`, undefined, mine)).status, 404, method)
  t.equal((await app.call('HEAD', `/sessions/${sessionId}`, undefined, mine)).status, 200)
  t.equal((await app.call('HEAD', `/sessions/${sessionId}`)).status, 401)
})
