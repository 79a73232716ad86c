import Fastify, { type FastifyInstance, type InjectOptions } from 'fastify'
import { setTimeout as sleep } from 'node:timers/promises'
import t, { type Test } from 'tap'
import { ClasswavesError, errorTable, toWireError } from '../../lib/core/errors.ts'
import type { Idempotency } from '../../lib/core/idempotency.ts'
import { createMemoryIdempotency } from '../../lib/core/idempotency-memory.ts'
import { createRedisIdempotency } from '../../lib/core/idempotency-redis.ts'
import { withIdempotency } from '../../routes/idempotency.ts'
import { useRedis } from '../redis.ts'

interface Host { app: FastifyInstance, effects: unknown[] }

/** A host whose routes under /api are idempotent; `x-user` says who asks. */
async function host (t: Test, idempotency: Idempotency = createMemoryIdempotency()): Promise<Host> {
  const app = Fastify()
  const effects: unknown[] = []
  t.teardown(() => app.close())
  await app.register(async scope => {
    scope.addHook('onRequest', async request => {
      const userId = request.headers['x-user']
      if (userId) Object.assign(request, { caller: { userId } })
    })
    scope.setErrorHandler((error, _request, reply) => {
      const wire = toWireError(error)
      return reply.code(errorTable[wire.code].status).send({ statusCode: errorTable[wire.code].status, ...wire })
    })
    withIdempotency(scope, idempotency)
    scope.route({
      method: ['GET', 'POST', 'PUT', 'PATCH', 'DELETE'],
      url: '/things/:id',
      async handler (request, reply) {
        effects.push(request.body ?? null)
        await sleep(5)
        return await reply.code(201).send({ effect: effects.length })
      }
    })
    scope.post('/fails', async () => {
      effects.push('fails')
      if (effects.length === 1) throw new Error('a fault of ours')
      if (effects.length === 2) throw new ClasswavesError('RATE_LIMITED')
      throw new ClasswavesError('INVALID_TRANSITION', undefined, { effect: effects.length })
    })
    scope.post('/silent', async (_request, reply) => {
      effects.push('silent')
      return await reply.code(204).send()
    })
    scope.post('/buffer', async (_request, reply) => {
      effects.push('buffer')
      return await reply.type('application/json').send(Buffer.from('{"name":"Zoë"}'))
    })
    scope.post('/stream', async (_request, reply) => await reply.send(new Response('no text').body))
  }, { prefix: '/api' })
  app.post('/outside', async () => ({ effect: effects.push('outside') }))
  return { app, effects }
}

const post = (headers: Record<string, string> = {}, rest: InjectOptions = {}): InjectOptions =>
  ({ method: 'POST', url: '/api/things/1', headers: { 'idempotency-key': 'k', ...headers }, ...rest })

t.test('the same key and body get the same answer, and one effect', async t => {
  const { app, effects } = await host(t)
  const first = await app.inject(post({}, { body: { name: 'x' } }))
  const again = await app.inject(post({}, { body: { name: 'x' } }))
  t.equal(first.statusCode, 201)
  t.equal(first.headers['idempotent-replayed'], undefined)
  t.same([again.statusCode, again.body, again.headers['content-type']], [201, '{"effect":1}', first.headers['content-type']])
  t.equal(again.headers['idempotent-replayed'], 'true')
  t.same(effects, [{ name: 'x' }])
})

t.test('another body is refused and has no effect', async t => {
  const { app, effects } = await host(t)
  await app.inject(post({}, { body: { name: 'x' } }))
  for (const body of [{ name: 'y' }, undefined, [], { name: 'x', more: 1 }]) {
    const refused = await app.inject(post({}, { body }))
    t.match([refused.statusCode, refused.json()], [422, { code: 'IDEMPOTENCY_MISMATCH', statusCode: 422 }])
  }
  t.equal((await app.inject(post({}, { body: { name: 'x' } }))).statusCode, 201, 'the refusals were not kept')
  t.equal(effects.length, 1)
})

t.test('a request without a body, and one whose answer has none', async t => {
  const { app, effects } = await host(t)
  const answers = [await app.inject(post()), await app.inject(post())]
  t.same(answers.map(({ body }) => body), ['{"effect":1}', '{"effect":1}'])
  t.same(effects, [null])
  const silent = [await app.inject(post({}, { url: '/api/silent' })), await app.inject(post({}, { url: '/api/silent' }))]
  t.same(silent.map(({ statusCode, body, headers }) => [statusCode, body, headers['content-type']]), [[204, '', undefined], [204, '', undefined]])
  t.same(effects, [null, 'silent'])
})

t.test('a key belongs to its user, method and address', async t => {
  const { app, effects } = await host(t)
  const all = [
    post(), post({ 'x-user': 'u1' }), post({ 'x-user': 'u2' }), post({ 'x-user': '127.0.0.1' }), post({}, { remoteAddress: '10.0.0.1' }),
    post({}, { method: 'PUT' }), post({}, { method: 'PATCH' }), post({}, { method: 'DELETE' }),
    post({}, { url: '/api/things/2' }), post({}, { url: '/api/things/1?x=1' }), post({ 'idempotency-key': 'K' })
  ]
  for (const request of all) t.equal((await app.inject(request)).json().effect, effects.length)
  t.equal(effects.length, all.length)
  for (const [index, request] of all.entries()) t.equal((await app.inject(request)).json().effect, index + 1)
  t.equal((await app.inject(post({ 'x-user': 'u1' }, { remoteAddress: '10.0.0.1' }))).json().effect, 2, 'a user may change their address')
  t.equal(effects.length, all.length)
})

t.test('reads, requests without a key and other scopes are left alone', async t => {
  const { app, effects } = await host(t)
  for (let i = 0; i < 2; i++) await app.inject(post({}, { method: 'GET' }))
  for (let i = 0; i < 2; i++) await app.inject({ method: 'POST', url: '/api/things/1' })
  for (let i = 0; i < 2; i++) await app.inject(post({}, { url: '/outside' }))
  t.equal(effects.length, 6)
  t.equal((await app.inject(post({ 'idempotency-key': 'not well-formed' }, { url: '/outside' }))).statusCode, 200)
})

t.test('a key that is not well-formed is refused', async t => {
  const { app, effects } = await host(t)
  for (const header of ['', ' ', 'a b', 'é', 'a\tb', 'x'.repeat(201)]) {
    const refused = await app.inject(post({ 'idempotency-key': header }))
    t.match([refused.statusCode, refused.json().code], [400, 'INVALID_PAYLOAD'], JSON.stringify(header))
  }
  t.equal(effects.length, 0)
  t.equal((await app.inject(post({ 'idempotency-key': `!~${'x'.repeat(198)}` }))).statusCode, 201)
})

t.test('two keys on one request are refused', async t => {
  const { app, effects } = await host(t)
  const address = await app.listen({ port: 0, host: '127.0.0.1' })
  const refused = await fetch(`${address}/api/things/1`, { method: 'POST', headers: [['idempotency-key', 'a'], ['idempotency-key', 'b']] })
  t.match([refused.status, await refused.json()], [400, { code: 'INVALID_PAYLOAD' }])
  t.equal(effects.length, 0)
})

t.test('a fault and a limit may be tried anew; a refusal of the request stands', async t => {
  const { app, effects } = await host(t)
  const answers = []
  for (let i = 0; i < 5; i++) answers.push(await app.inject(post({}, { url: '/api/fails' })))
  t.same(answers.map(({ statusCode }) => statusCode), [500, 429, 409, 409, 409])
  t.equal(answers[4]!.body, answers[2]!.body)
  t.equal(effects.length, 3)
})

t.test('an answer may be bytes of text; a stream is a fault of the route', async t => {
  const { app, effects } = await host(t)
  const answers = [await app.inject(post({}, { url: '/api/buffer' })), await app.inject(post({}, { url: '/api/buffer' }))]
  t.same(answers.map(({ body }) => body), ['{"name":"Zoë"}', '{"name":"Zoë"}'])
  t.same(effects, ['buffer'])
  t.equal((await app.inject(post({}, { url: '/api/stream' }))).statusCode, 500)
  t.equal((await app.inject(post({}, { url: '/api/stream' }))).statusCode, 500, 'and does not block its key')
})

const hundred = (app: FastifyInstance) => Promise.all(Array.from({ length: 100 }, () => app.inject(post({}, { body: { name: 'x' } }))))

t.test('100 parallel requests have one effect and 100 identical answers', async t => {
  const { app, effects } = await host(t)
  const answers = await hundred(app)
  t.equal(effects.length, 1)
  t.same(new Set(answers.map(({ statusCode, body }) => `${statusCode} ${body}`)), new Set(['201 {"effect":1}']))
  t.equal(answers.filter(({ headers }) => headers['idempotent-replayed'] === 'true').length, 99)
})

t.test('the same across two processes', async t => {
  const server = await useRedis(t)
  const effects: unknown[] = []
  const answers = await Promise.all([0, 1].map(async () => {
    const client = server.client()
    await client.ping()
    const one = await host(t, createRedisIdempotency({ client: () => client }))
    const answers = await hundred(one.app)
    effects.push(...one.effects)
    return answers
  }))
  t.equal(effects.length, 1)
  t.same(new Set(answers.flat().map(({ statusCode, body }) => `${statusCode} ${body}`)), new Set(['201 {"effect":1}']))
})

t.test('when nobody can say what was done, nothing is done', async t => {
  const { app, effects } = await host(t, createRedisIdempotency({ client: () => null }))
  const refused = await app.inject(post())
  t.match([refused.statusCode, refused.json().code], [503, 'UNAVAILABLE'])
  t.equal(effects.length, 0)
  t.equal((await app.inject({ method: 'POST', url: '/api/things/1' })).statusCode, 201, 'without a key it is the caller\'s risk')
})

t.test('what was done is answered, even when the answer cannot be kept', async t => {
  const { app, effects } = await host(t, {
    claim: async () => ({ state: 'new' }),
    complete: async () => { throw new ClasswavesError('UNAVAILABLE') },
    abandon: async () => { throw new ClasswavesError('UNAVAILABLE') }
  })
  t.same((await app.inject(post())).json(), { effect: 1 })
  t.equal(effects.length, 1)
})

t.test('an answer does not wait long to be kept', async t => {
  let kept = (): void => {}
  const { app } = await host(t, {
    claim: async () => ({ state: 'new' }),
    complete: () => new Promise(resolve => { kept = resolve }),
    abandon: async () => {}
  })
  const began = performance.now()
  t.equal((await app.inject(post())).statusCode, 201)
  const took = performance.now() - began
  t.ok(took > 900 && took < 2000, `${took} ms`)
  kept()
})
