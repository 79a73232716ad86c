import redis from '@fastify/redis'
import t from 'tap'
import { build, token } from '../app.ts'
import { startRedis, useRedis } from '../redis.ts'

const health = async (app: { call: (method: string, path: string) => Promise<{ body: object }> }) => (await app.call('GET', '//health')).body

t.test('without Redis everything lives in this process, and says so', async t => {
  const app = await build(t)
  t.match(await health(app), { status: 'ok', backend: 'memory', redis: 'none' })
  t.equal(app.app.hasDecorator('redis'), false)
  const { sessionId } = await app.session(token({ sub: 'teacher-1' }))
  const socket = await app.connect('/sessions', token({ sub: 'teacher-1' }))
  t.equal((await socket.ok('session:join', { sessionId })).backend, 'memory')
})

t.test('a URL opens a client that is closed with the server', async t => {
  const server = await useRedis(t)
  const app = await build(t, { redis: server.url })
  t.match(await health(app), { status: 'ok', backend: 'redis', redis: 'ready' })
  const client = app.app.redis
  t.equal(await client.ping(), 'PONG')
  const { sessionId } = await app.session(token({ sub: 'teacher-1' }))
  const socket = await app.connect('/sessions', token({ sub: 'teacher-1' }))
  t.equal((await socket.ok('session:join', { sessionId })).backend, 'redis')
  await app.app.close()
  await until(async () => client.status === 'end')
  t.ok(true, 'its connection has ended')
})

t.test('a client that is passed in stays open, and so does the host\'s own', async t => {
  const server = await useRedis(t)
  const connections = async (): Promise<number> => String(await counter.client('LIST')).trim().split('\n').length
  const counter = server.client()
  const [passed, own] = [server.client(), server.client()]
  await Promise.all([counter.ping(), passed.ping(), own.ping()])
  const before = await connections()
  const first = await build(t, { redis: passed })
  const second = await build(t, {}, async host => { await host.register(redis, { client: own }) })
  const third = await build(t, { redis: false }, async host => { await host.register(redis, { client: own }) })
  t.match([await health(first), await health(second), await health(third)], [{ backend: 'redis' }, { backend: 'redis' }, { backend: 'memory' }])
  t.equal(second.app.redis, own)
  await first.session(token())
  await second.session(token())
  t.ok(await connections() > before, 'subscriptions have connections of their own')
  await Promise.all([first, second, third].map(async ({ app }) => await app.close()))
  t.same([await passed.ping(), await own.ping()], ['PONG', 'PONG'])
  t.equal(await connections(), before, 'and those are closed')
})

t.test('Redis that goes is said, and what needs it is refused until it is back', async t => {
  const server = await startRedis(t)
  const app = await build(t, { redis: server.url })
  const teacher = token()
  await app.session(teacher)
  await server.kill()
  await until(async () => (await health(app) as { status: string }).status === 'degraded')
  t.match(await health(app), { status: 'degraded', backend: 'redis', redis: 'away' })
  const began = performance.now()
  t.match(await app.call('POST', '/sessions', { topic: 'x' }, teacher), { status: 503, body: { statusCode: 503, code: 'UNAVAILABLE' } })
  t.ok(performance.now() - began < 1500, 'soon')
  const socket = await app.connect('/sessions', teacher)
  t.equal(await socket.code('session:join', { sessionId: 's1' }), 'UNAVAILABLE', 'a client may connect, and is told')
  await server.restart()
  await until(async () => (await app.call('POST', '/sessions', { topic: 'x' }, teacher)).status === 201)
  t.match(await health(app), { status: 'ok', redis: 'ready' })
})

async function until (condition: () => Promise<boolean>): Promise<void> {
  const end = performance.now() + 10_000
  while (!await condition()) {
    if (performance.now() > end) throw new Error('it did not come to that')
    await new Promise(resolve => setTimeout(resolve, 25))
  }
}
