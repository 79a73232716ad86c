import { Counter, Registry } from '@platformatic/prom-client'
import Fastify from 'fastify'
import { setTimeout as pause } from 'node:timers/promises'
import t from 'tap'
import classwaves from '../../index.ts'
import { build, remote, secret, token, wayOfTests, type Remote } from '../app.ts'
import { startRedis } from '../redis.ts'

/** What /ready says. */
async function answer (app: Remote): Promise<{ status: number, body: unknown }> {
  const { status, body } = await app.call('GET', '//ready')
  return { status, body }
}

t.test('health', async t => {
  const app = await build(t)
  const asked = await app.call('GET', '//health')
  t.match(asked, { status: 200, body: { status: 'ok', backend: 'memory', redis: 'none', uptimeSeconds: Number, sockets: { '/': 0, '/sessions': 0, '/guidance': 0 } } })
  await app.connect('/sessions', token())
  t.match(await app.call('GET', '//health'), { body: { sockets: { '/sessions': 1, '/guidance': 0 } } })
})

t.test('ready is who should get clients', async t => {
  const app = await build(t)
  t.same(await answer(app), { status: 200, body: { ready: true } }, 'without Redis from the start on')

  const redis = await startRedis(t)
  await redis.stop()
  const early = await build(t, { redis: redis.url, redisTimeoutMs: 50 })
  t.same(await answer(early), { status: 503, body: { ready: false, reason: 'redis' } }, 'Redis has never answered')
  t.match(await early.call('GET', '//health'), { status: 200, body: { status: 'degraded' } }, 'which is no reason to end the process')
  await redis.restart()
  while ((await answer(early)).status !== 200) await pause(20)
  await redis.kill()
  while ((await early.call<{ status: string }>('GET', '//health')).body.status !== 'degraded') await pause(20)
  t.same(await answer(early), { status: 200, body: { ready: true } }, 'Redis that goes is away for all: nobody would be left')
})

t.test('a process that goes away is not ready, and is looked at to its end where Fastify lets requests through', async t => {
  for (const return503OnClosing of [true, false]) {
    const app = Fastify({ return503OnClosing })
    t.teardown(() => app.close())
    await app.register(classwaves, { jwt: { secret }, ...wayOfTests, drainMs: 400, metrics: { public: true } })
    const url = await app.listen({ port: 0, host: '127.0.0.1' })
    const there = remote(t, url)
    await Promise.all(Array.from({ length: 50 }, async () => await there.connect('/sessions', token())))
    const closed = app.close()
    await pause(20)
    const [ready, health, metrics] = await Promise.all(['ready', 'health', 'metrics'].map(async name => await there.call('GET', `//${name}`)))
    t.equal(ready?.status, 503)
    t.equal(health?.status, return503OnClosing ? 503 : 200)
    t.equal(metrics?.status, return503OnClosing ? 503 : 200)
    if (!return503OnClosing) {
      t.same(ready?.body, { ready: false, reason: 'draining' })
      t.match(String(metrics?.body), /^classwaves_draining 1$/m)
    }
    await closed
  }
})

t.test('metrics are for admins, or for everybody when the host says so', async t => {
  const app = await build(t)
  const { sessionId } = await app.session(token())
  const socket = await app.connect('/sessions', token({ role: 'student', sub: 'secret-name', sessionId }))
  await socket.ok('student:session:join', { sessionId })
  await socket.raw('no:such:event', {})
  await app.refusal('/sessions', {})
  t.match(await app.call('GET', '//metrics'), { status: 401, body: { code: 'AUTH_FAILED' } })
  t.match(await app.call('GET', '//metrics', undefined, token()), { status: 403, body: { code: 'FORBIDDEN' } })
  const { status, headers, body } = await app.call('GET', '//metrics', undefined, token({ role: 'admin' }))
  t.equal(status, 200)
  t.match(headers.get('content-type'), /^text\/plain/)
  const text = String(body)
  for (const line of [
    /^classwaves_sockets\{namespace="\/sessions"\} 1$/m,
    /^classwaves_connects_total\{.*result="ok".*\} 1$/m,
    /^classwaves_connects_total\{.*result="AUTH_FAILED".*\} 1$/m,
    /^classwaves_events_received_total\{.*event="student:session:join".*result="ok".*\} 1$/m,
    /^classwaves_events_received_total\{.*event="undeclared".*result="UNSUPPORTED_OPERATION".*\} 1$/m,
    /^classwaves_events_sent_total\{.*event="student:session:joined".*\} 1$/m,
    /^classwaves_session_transitions_total\{status="active"\} 1$/m,
    /^guidance_attention_redis_unavailable_total 0$/m,
    /^process_cpu_seconds_total/m
  ]) t.match(text, line)
  for (const secret of [sessionId, 'secret-name', 'no:such:event']) t.notMatch(text, secret, 'no label without a bound')

  const open = await build(t, { metrics: { public: true } })
  t.equal((await open.call('GET', '//metrics')).status, 200)
})

t.test('the host\'s own registry is used', async t => {
  const registry = new Registry()
  const own = new Counter({ name: 'own_total', help: 'Own.', registers: [registry] })
  own.inc()
  const app = await build(t, { metrics: { registry, public: true } })
  const { body } = await app.call('GET', '//metrics')
  t.match(String(body), /^own_total 1$/m)
  t.match(String(body), /^# TYPE classwaves_sockets gauge$/m)
})

t.test('routes that the host has already stay the host\'s', async t => {
  const app = await build(t, {}, host => {
    for (const path of ['/health', '/ready', '/metrics', '/openapi.json']) host.get(path, async () => `the host's ${path}`)
  })
  for (const path of ['/health', '/ready', '/metrics', '/openapi.json']) t.equal((await app.call('GET', `/${path}`)).body, `the host's ${path}`)
  t.equal((await app.call('GET', '//asyncapi.json')).status, 200)
})

t.test('areas and routes that the host leaves out', async t => {
  const bare = await build(t, { sessions: false })
  t.same((await bare.call<{ sockets: object }>('GET', '//health')).body.sockets, { '/': 0 })
  t.equal((await bare.call('GET', '/sessions', undefined, token())).status, 404)
  t.same(await bare.refusal('/sessions', token()), {})
  const quiet = await build(t, { guidance: false })
  const mine = token()
  const { sessionId } = await quiet.session(mine)
  t.equal((await quiet.call('GET', `/sessions/${sessionId}/guidance`, undefined, mine)).status, 404)
  const socket = await quiet.connect('/sessions', mine)
  await socket.ok('session:join', { sessionId })
  await quiet.call('POST', `/sessions/${sessionId}/transcripts`, { slices: [{ groupId: 'red', text: 'x' }] }, mine)
  await quiet.call('POST', `/sessions/${sessionId}/end`, undefined, mine)
  t.match(await socket.next('analytics:finalized'), { summary: { groups: [{ groupId: 'red', slices: 1, meanAttention: null }, { groupId: 'blue', slices: 0 }] } })
  const silent = await build(t, { routes: { prefix: false } })
  t.equal((await silent.call('GET', '/sessions', undefined, mine)).status, 404)
  t.equal((await silent.call('GET', '//health')).status, 200)
  const elsewhere = await build(t, { routes: { prefix: '/class' } })
  t.equal((await elsewhere.call('GET', '//class/sessions', undefined, mine)).status, 200)
})
