import redis from '@fastify/redis'
import { encode } from 'notepack.io'
import t, { type Test } from 'tap'
import { build, token } from '../app.ts'
import { startCluster, startRedis, useRedis } from '../redis.ts'

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

t.test('what is no client of ioredis, or of no use with a cluster, stops the boot with a sentence', async t => {
  const server = await useRedis(t)
  const namespaced = build(t, {}, async host => { await host.register(redis, { url: server.url, namespace: 'cache', closeClient: true }) })
  await t.rejects(namespaced, { name: 'OptionsError', message: /fastify\.redis is not an ioredis client/ })
  const { node } = await startCluster(t)
  await t.rejects(build(t, { redis: node.url }), { name: 'OptionsError', message: /leads to a node of a Redis Cluster/ })
  await t.rejects(build(t, { redis: node.client() }), { name: 'OptionsError', message: /new Redis\.Cluster/ })
})

t.test('a class on a Redis Cluster, from its start to its results', async t => {
  const { cluster } = await startCluster(t)
  const app = await build(t, { redis: cluster })
  t.match(await health(app), { status: 'ok', backend: 'redis', redis: 'ready' })
  const teacher = token({ sub: 'teacher-1' })
  const { sessionId, code } = await app.session(teacher)
  const [talk, guidance] = [await app.connect('/sessions', teacher), await app.connect('/guidance', teacher)]
  await talk.ok('session:join', { sessionId })
  await guidance.ok('analytics:subscribe', { sessionId })
  t.equal((await app.call('POST', '/sessions/join', { code, displayName: 'Mia' })).status, 201)
  const start = Date.now() - 120_000
  const slices = Array.from({ length: 24 }, (_, i) => ({
    id: `slice-${i}`, groupId: 'red', speaker: 'Mia', text: 'I do not get it, what are we supposed to do here?', startedAt: new Date(start + i * 5000).toISOString(), endedAt: new Date(start + i * 5000 + 4000).toISOString()
  }))
  t.match(await app.call('POST', `/sessions/${sessionId}/transcripts`, { slices }, teacher), { status: 202, body: { accepted: 24, duplicates: 0 } })
  t.match(await talk.next('transcription:group:new'), { id: 'slice-0' })
  t.match(await guidance.next('guidance:analytics'), { category: 'attention', sessionId, metrics: { groupId: 'red' } })
  t.match(await app.app.guidance.gates.tier2Shift({ sessionId, groupId: 'red' }), { allowed: true })
  t.match(await app.call('POST', `/sessions/${sessionId}/end`, undefined, teacher), { status: 200, body: { status: 'ended' } })
  t.match(await talk.next('analytics:finalized'), { summary: { groups: [{ groupId: 'red', slices: 24 }, { groupId: 'blue', slices: 0 }] } })
  t.same(app.warnings(), [])
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

t.test('foreign messages on our channels harm no process and no client', async t => {
  const faults = unheard(t)
  const server = await startRedis(t)
  const app = await build(t, { redis: server.url })
  const mine = token()
  const { sessionId } = await app.session(mine)
  const socket = await app.connect('/sessions', mine)
  await socket.ok('session:join', { sessionId })
  await socket.next('presence:updated')
  const redis = server.client()
  /** Where the next kept event of a room will stand: what is said of this place is looked into. */
  const placeAfter = async (home: string): Promise<string> => {
    const [log = ''] = await redis.keys(`*events:log:*${home}*`)
    const { epoch, offset } = await redis.hgetall(log)
    return `${epoch} ${Number(offset) + 1}`
  }
  const event = (packet: object, options: unknown = { rooms: [], except: [], flags: {} }) => encode(['a-server', packet, options])
  for (const namespace of ['/', '/sessions']) {
    const base = { type: 2, nsp: namespace }
    const broadcasts = [
      'x', '', Buffer.from([0xc1]), Buffer.from([0xdd, 255, 255, 255, 255]), encode(null), encode(7), encode({}), encode([]), encode(['a', null, null]), event(base), event({ ...base, data: 7 }), event({ ...base, data: ['disconnect'] }),
      event({ ...base, data: [] }), event({ ...base, data: [null] }), event({ ...base, data: ['x'] }, null), event({ ...base, data: ['x'] }, { rooms: 7, except: 7 }), tooDeep(event({ ...base, data: ['x', 'DEEP'] }))
    ]
    const requests = [
      'x', '', 'null', '7', '[]', '{}', ...[0, 1, 2, 3, 4, 5, 6, 7, 8, 9].map(type => `{"type":${type}}`), '{"uid":"x","type":6,"data":7}', '{"uid":"x","type":0,"rooms":7}', '{"type":3,"opts":null,"rooms":7}', encode({ type: 2 }), encode([1]), encode(null)
    ]
    for (const one of broadcasts) await redis.publish(`socket.io#${namespace}#`, one)
    for (const one of requests) {
      await redis.publish(`socket.io-request#${namespace}#`, one)
      await redis.publish(`socket.io-response#${namespace}#`, one)
    }
  }
  const home = `session:${sessionId}`
  const kept = ['', 'x', '\n', '1 1 null\n{}', '1 1 {"namespace":"/sessions","rooms":7}\n{}', `1 1 {"namespace":"/sessions","rooms":["${home}"]}\nx`, '1 2 {"namespace":7,"rooms":[7]}\n{}']
  const names = ['disconnect', 'connect', 'newListener', 7]
  for (const event of names) kept.push(`${await placeAfter(home)} {"namespace":"/sessions","rooms":["${home}"]}\n${JSON.stringify({ event, payload: {}, meta: {} })}`)
  for (const one of kept) await redis.publish('classwaves:events', one)
  const live = (event: unknown, more: object = {}): string =>
    JSON.stringify({ sender: 'x', events: [{ namespace: '/sessions', rooms: [home], event, payload: {}, meta: {}, thing: 't', ...more }] })
  for (const one of ['', 'x', 'null', '{}', ...names.map(name => live(name)), live('x', { meta: null }), live('x', { rooms: 7 })]) await redis.publish('classwaves:live', one)
  await redis.ping()
  await app.call('POST', `/sessions/${sessionId}/pause`, undefined, mine)
  while ((await socket.next('session:status_changed')).status !== 'paused') t.pass('a step of before, looked for after a strange message')
  await socket.flush()
  const versions = socket.received('session:status_changed').map(({ version }) => version)
  t.same(versions, [...new Set(versions)].sort((one, other) => one - other), 'the room is delivered in order, each once')
  t.same(new Set(socket.names()), new Set(['presence:updated', 'session:status_changed']), 'and nothing else')
  t.same(faults, [])
})

t.test('what the host asks of all servers is answered', async t => {
  const server = await useRedis(t)
  const [a, b] = [await build(t, { redis: server.url }), await build(t, { redis: server.url })]
  const socket = await b.connect('/', token())
  socket.socket.on('how', (_question: string, answer: (text: string) => void) => answer('well'))
  t.equal((await a.app.io.fetchSockets()).length, 1)
  t.same(await a.app.io.timeout(5000).emitWithAck('how', 'are you'), ['well'])
})

t.test('what the host asks of all servers ends while Redis cannot count them, as an error that the host hears', async t => {
  const faults = unheard(t)
  const server = await startRedis(t)
  const [a, b] = [await build(t, { redis: server.url }), await build(t, { redis: server.url })]
  const [near, far] = [await a.connect('/', token()), await b.connect('/', token())]
  for (const { socket } of [near, far]) socket.on('how', (_question: string, answer: (text: string) => void) => answer('well'))
  b.app.io.on('how', (answer: (text: string) => void) => answer('well'))
  const { io } = a.app
  const asked = async (): Promise<unknown[]> => (await Promise.allSettled([
    io.timeout(500).emitWithAck('how', 'are you'),
    new Promise((resolve, reject) => { io.timeout(500).emit('how', 'are you', (error: Error | null, responses: unknown) => { error ? reject(Object.assign(error, { responses })) : resolve(responses) }) }),
    io.serverSideEmitWithAck('how'),
    io.fetchSockets().then(({ length }) => length)
  ])).map(end => end.status === 'fulfilled' ? end.value : [(end.reason as Error).message, (end.reason as { responses?: unknown }).responses])
  t.same(await asked(), [['well', 'well'], ['well', 'well'], ['well'], 2], 'control: Redis that counts')

  const looping = server.client()
  await server.client().config('SET', 'busy-reply-threshold', '20')
  looping.eval('while true do end', 0).catch(() => {}) // it is killed
  await new Promise(resolve => setTimeout(resolve, 100))
  const failed = [['operation has timed out', ['well']], ['operation has timed out', ['well']], [/^timeout reached/, []], [/^timeout reached/, undefined]]
  t.match(await asked(), failed, 'Redis that is busy')
  await server.kill()
  await until(async () => (await health(a) as { status: string }).status === 'degraded')
  const began = performance.now()
  t.match(await asked(), failed, 'Redis that is gone')
  t.ok(performance.now() - began < 8_000, `after ${Math.round(performance.now() - began)} ms`)
  t.same(faults, [], 'and nothing is thrown at nobody')
})

/** What is thrown at nobody: a process without these listeners would end. */
function unheard (t: Test): unknown[] {
  const faults: unknown[] = []
  const note = (error: unknown): void => { faults.push(error) }
  for (const event of ['uncaughtException', 'unhandledRejection'] as const) {
    process.on(event, note)
    t.teardown(() => process.off(event, note))
  }
  return faults
}

/** A list in a list in a list, which no encoder would write. */
function tooDeep (message: Buffer): Buffer {
  const [before, after] = message.toString('latin1').split('\xa4DEEP') as [string, string]
  return Buffer.from(`${before}${'\x91'.repeat(5000)}\x07${after}`, 'latin1')
}

async function until (condition: () => Promise<boolean>): Promise<void> {
  const end = performance.now() + 10_000
  while (!await condition()) {
    if (performance.now() > end) throw new Error('it did not come to that')
    await new Promise(resolve => setTimeout(resolve, 25))
  }
}
