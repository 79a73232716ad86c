import type { AddressInfo } from 'node:net'
import { Server } from 'socket.io'
import t from 'tap'
import { build, remote, token } from '../app.ts'
import { fork } from '../fork.ts'
import { raw } from '../raw.ts'
import { startRedis } from '../redis.ts'

t.test('a flood of CONNECT packets makes one socket for each namespace', async t => {
  const app = await build(t)
  const other = await app.connect('/sessions', token())
  const made: string[] = []
  for (const namespace of ['/sessions', '/guidance']) app.app.io.of(namespace).on('connection', () => { made.push(namespace) })
  const connection = await raw(t, app.url)
  const auth = JSON.stringify({ token: token() })
  connection.send(...Array.from({ length: 500 }, (_, i) => `0${['/sessions', '/guidance'][i % 2]},${auth}`))
  await connection.next(/^4\/sessions,.*"RATE_LIMITED"/)
  t.ok(await connection.closed(), 'one for a socket that is there breaks the protocol')
  t.same(made.sort(), ['/guidance', '/sessions'])
  t.same(['/sessions', '/guidance'].map(namespace => app.app.io.of(namespace).sockets.size), [1, 0], 'the other client is there, this one has gone')
  t.equal(await other.code('flush'), 'UNSUPPORTED_OPERATION')
})

t.test('a namespace may be left and entered again on one connection', async t => {
  const app = await build(t)
  const socket = await app.connect('/sessions', token())
  const other = await socket.also('/guidance', { token: token() })
  for (let i = 0; i < 3; i++) {
    other.close()
    await until(() => app.app.io.of('/guidance').sockets.size === 0)
    await other.ready()
    t.equal(app.app.io.of('/guidance').sockets.size, 1)
  }
})

t.test('an unknown namespace is refused by Socket.IO itself', async t => {
  const app = await build(t)
  t.same(await app.refusal('/nowhere', token()), {})
})

t.test('the host\'s own io is used and left open', async t => {
  let io: Server | undefined
  const app = await build(t, {}, async host => {
    io = new Server(host.server)
    io.of('/there-before').on('connection', socket => { socket.on('ping', (answer: () => void) => answer()) })
    host.decorate('io', io)
  })
  t.equal(app.app.io, io)
  t.match(await app.refusal('/there-before', {}), { code: 'AUTH_FAILED' }, 'nobody is anonymous, there neither')
  const socket = await app.connect('/there-before', token())
  await socket.socket.emitWithAck('ping')
  const session = await app.connect('/sessions', token())
  const closing = app.app.close()
  await session.next('server:draining')
  await session.flush()
  t.equal(session.gone, undefined, 'who made it closes it')
  await Promise.all([io?.close(), closing])
})

for (const [name, hook] of Object.entries({ 'does not close it': undefined, 'closes it when Fastify has closed': 'onClose', 'closes it itself': 'preClose' } as const)) {
  t.test(`the server closes also with an io of a host that ${name}`, async t => {
    const app = await build(t, {}, async host => {
      const io = new Server(host.server)
      host.decorate('io', io)
      if (hook) host.addHook(hook, async () => { await io.close() })
    })
    const socket = await app.connect('/sessions', token())
    const began = performance.now()
    await app.app.close()
    const took = performance.now() - began
    t.ok(took < 8_000, `${Math.round(took)} ms`)
    if (hook !== 'preClose') t.match(await socket.next('server:draining'), { retryAfterMs: Number }, 'a hook of the host comes before ours')
    t.ok(await socket.end())
    t.equal(app.warnings().filter(({ msg }) => msg.startsWith('connections of the host')).length, hook === 'preClose' ? 0 : 1)
  })
}

t.test('an io of the host on another server is left alone', async t => {
  const elsewhere = new Server(0)
  t.teardown(async () => { await elsewhere.close() })
  const app = await build(t, {}, host => { host.decorate('io', elsewhere) })
  const { port } = elsewhere.httpServer.address() as AddressInfo
  const socket = await remote(t, `http://127.0.0.1:${port}`).connect('/sessions', token())
  await app.app.close()
  await new Promise(resolve => setTimeout(resolve, 2_500))
  t.equal(socket.gone, undefined)
})

t.test('Socket.IO takes the host\'s options', async t => {
  const app = await build(t, { io: { path: '/live/' } })
  await t.rejects(app.connect('/sessions', token()))
  t.ok(await app.connect('/sessions', token(), { path: '/live/' }))
})

t.test('the default lets no page of another origin in', async t => {
  const app = await build(t)
  const response = await fetch(`${app.url}/socket.io/?EIO=4&transport=polling`, { headers: { origin: 'https://elsewhere.example' } })
  t.equal(response.headers.get('access-control-allow-origin'), null)
})

t.test('clients are told, then closed so that they come back', async t => {
  const app = await build(t)
  const sockets = await Promise.all(['/', '/sessions', '/guidance'].map(async namespace => await app.connect(namespace, token())))
  const polling = await app.connect('/sessions', token(), { transports: ['polling'] })
  const bare = await raw(t, app.url)
  const began = performance.now()
  await app.app.close()
  t.ok(performance.now() - began < 3000, `${performance.now() - began} ms`)
  for (const socket of [...sockets, polling]) {
    t.match(await socket.next('server:draining'), { retryAfterMs: Number })
    t.equal(await socket.end(), 'transport close', 'after which a stock client reconnects')
  }
  t.ok(await bare.closed(), 'also one that never came to a namespace')
  await t.rejects(fetch(app.url))
})

t.test('clients that come back at once do not keep a server from closing', async t => {
  const app = await build(t)
  await Promise.all(Array.from({ length: 20 }, (_, i) => app.connect('/', token(), {
    transports: [i % 2 ? 'polling' : 'websocket'], reconnection: true, reconnectionDelay: 1, reconnectionDelayMax: 5
  })))
  const began = performance.now()
  await app.app.close()
  t.ok(performance.now() - began < 3000, `${performance.now() - began} ms`)
})

t.test('a process that has closed ends by itself', async t => {
  const redis = await startRedis(t)
  const cases = { memory: {}, redis: { redis: redis.url }, 'dead Redis': { redis: redis.url } }
  for (const [name, options] of Object.entries(cases)) {
    const server = await fork(t, options)
    const teacher = token()
    const { sessionId } = await server.session(teacher)
    const socket = await server.connect('/sessions', teacher)
    await socket.ok('session:join', { sessionId })
    await (await server.connect('/guidance', teacher)).ok('guidance:subscribe', {})
    await server.connect('/sessions', token(), { transports: ['polling'] })
    const stuck = await server.connect('/sessions', token({ sub: 'stuck' }))
    for (let i = 0; i < 5; i++) stuck.socket.emit('session:join', { sessionId }, () => {})
    if (name === 'dead Redis') await redis.kill()
    const { code, ms } = await server.close()
    t.equal(code, 0, name)
    // Half a second for what is on its way, and on a busy machine some more for the end of a process.
    t.ok(ms < 8000, `${name}: ${ms} ms`)
    t.equal(await socket.end(), 'transport close')
  }
})

async function until (condition: () => boolean): Promise<void> {
  while (!condition()) await new Promise(resolve => setTimeout(resolve, 5))
}
