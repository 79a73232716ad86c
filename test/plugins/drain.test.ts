import { once } from 'node:events'
import { request as ask } from 'node:http'
import { connect, type AddressInfo, type Socket } from 'node:net'
import Fastify, { type FastifyInstance } from 'fastify'
import t, { type Test } from 'tap'
import classwaves, { type ClasswavesOptions } from '../../index.ts'
import { remote, secret, token, wayOfTests, type Remote } from '../app.ts'
import { patienceMs, type Client } from '../client.ts'
import { run } from '../examples/run.ts'
import { raw, rawSocket } from '../raw.ts'
import { startRedis } from '../redis.ts'

/** Closing a server that is in use: everybody is told, what is under way is finished, nobody is kept waiting. */

const tick = async (ms: number): Promise<void> => await new Promise(resolve => setTimeout(resolve, ms))

async function until (condition: () => boolean, what: string): Promise<void> {
  for (const end = Date.now() + 4 * patienceMs; !condition(); await tick(10)) if (Date.now() > end) throw new Error(`${what} did not come about`)
}

/** A server on a port of our choice, with a route of the host's that takes its time. */
async function serve (t: Test, options: ClasswavesOptions = {}, port = 0, hear?: (line: string) => void): Promise<Remote & { app: FastifyInstance, port: number, begun: () => number }> {
  const app = Fastify(hear ? { logger: { level: 'warn', stream: { write: hear } } } : {})
  t.teardown(() => app.close())
  let begun = 0
  app.get('/slow', async () => { begun++; await tick(600); return { done: true } })
  await app.register(classwaves, { jwt: { secret }, ...wayOfTests, ...options })
  const url = await app.listen({ port, host: '127.0.0.1' })
  return { ...remote(t, url), app, begun: () => begun, port: (app.server.address() as AddressInfo).port }
}

async function timed (app: FastifyInstance): Promise<number> {
  const began = performance.now()
  await app.close()
  return performance.now() - began
}

function polls ({ socket }: Client): boolean { return [socket.io.opts.transports].flat().join() === 'polling' }

/** Stock clients that come back by themselves, a tenth of them by polling. */
async function crowd (app: Remote, size: number): Promise<{ clients: Client[], ends: number[] }> {
  const ends: number[] = []
  const clients: Client[] = []
  while (clients.length < size) {
    clients.push(...await Promise.all(Array.from({ length: Math.min(50, size - clients.length) }, async (_, i) => {
      const one = await app.connect(i % 2 ? '/sessions' : '/guidance', token(), {
        reconnection: true, reconnectionDelay: 100, reconnectionDelayMax: 500, ...(i % 10 === 0 && { transports: ['polling'], withCredentials: true })
      }) as unknown as Client
      one.socket.once('disconnect', () => ends.push(performance.now()))
      return one
    })))
  }
  return { clients, ends }
}

t.test('everybody is told, one after the other, and comes back by themselves', async t => {
  const app = await serve(t)
  const { clients, ends } = await crowd(app, 50)
  const inFlight = fetch(`${app.url}/slow`)
  await until(() => app.begun() > 0, 'a request under way')
  const ms = await timed(app.app)
  t.ok(ms < 3_000, `${Math.round(ms)} ms`)
  t.match(await (await inFlight).json(), { done: true }, 'a request that was under way is answered')
  await until(() => ends.length === 50, 'the end of all')
  for (const one of clients) {
    t.same(one.names(), ['server:draining'])
    // Who polls and is just between two polls finds out by the next. Stock clients come back after either.
    t.ok(one.gone === 'transport close' || (polls(one) && one.gone === 'transport error'), String(one.gone))
  }
  const window = Math.max(...ends) - Math.min(...ends)
  t.ok(window > 300, `spread over ${Math.round(window)} ms`)

  const next = await serve(t, {}, app.port)
  await until(() => clients.every(one => one.socket.connected), 'the return of all')
  t.equal([...next.app.io.of('/sessions').sockets.keys(), ...next.app.io.of('/guidance').sockets.keys()].length, 50)
})

t.test('five hundred clients', async t => {
  const app = await serve(t)
  const { clients, ends } = await crowd(app, 500)
  const ms = await timed(app.app)
  t.ok(ms <= 10_000, `${Math.round(ms)} ms`)
  await until(() => ends.length === 500, 'the end of all')
  t.equal(clients.filter(one => one.names().includes('server:draining')).length, 500)
  const window = Math.max(...ends) - Math.min(...ends)
  t.ok(window > 3_000, `spread over ${Math.round(window)} ms`)
  t.comment(`500 clients: closed in ${Math.round(ms)} ms, their ends spread over ${Math.round(window)} ms`)
  const began = performance.now()
  await serve(t, {}, app.port)
  await until(() => clients.every(one => one.socket.connected), 'the return of all')
  t.comment(`all back ${Math.round(performance.now() - began)} ms after the next server was there`)
})

t.test('the window is the host\'s to choose', async t => {
  const app = await serve(t, { drainMs: 0 })
  const { clients, ends } = await crowd(app, 50)
  const ms = await timed(app.app)
  t.ok(ms < 1_500, `${Math.round(ms)} ms`)
  await until(() => ends.length === 50, 'the end of all')
  t.ok(clients.every(one => one.names().includes('server:draining')))
})

t.test('while it closes', async t => {
  const app = await serve(t)
  await crowd(app, 60)
  const late = await app.connect('/sessions', token(), { reconnection: true, reconnectionDelay: 100, reconnectionDelayMax: 200 })
  const bare = await raw(t, app.url)
  const errors: unknown[] = []
  const closing = app.app.close()
  await bare.closed()
  t.ok(late.socket.connected, 'who came to no namespace goes at once, the others in their turn')

  const second = late.socket.io.socket('/guidance', { auth: { token: token() } })
  second.on('connect_error', error => errors.push(error))
  second.connect()
  t.teardown(() => second.disconnect())
  await until(() => late.gone !== undefined, 'its end')
  t.notOk(errors.some(error => 'data' in (error as object)), 'a socket that comes now is not refused: a stock client would stay away for good')
  const statuses = await Promise.all(['polling', 'websocket'].map(async transport => await new Promise(resolve => {
    const headers = transport === 'websocket' ? { connection: 'Upgrade', upgrade: 'websocket', 'sec-websocket-version': '13', 'sec-websocket-key': 'AAAAAAAAAAAAAAAAAAAAAA==' } : {}
    ask(`${app.url}/socket.io/?EIO=4&transport=${transport}`, { headers }).on('response', response => { response.resume(); resolve(response.statusCode) })
      .on('error', error => resolve('code' in error ? error.code : error)).end()
  })))
  t.strictSame(statuses, [403, 400], 'new connections are refused')
  t.equal((await fetch(`${app.url}/health`)).status, 503, 'new requests too')
  await closing

  const next = await serve(t, {}, app.port)
  await until(() => late.socket.connected && second.connected, 'the return of both')
  t.equal(next.app.io.of('/guidance').sockets.size >= 1, true)
})

t.test('a reader that has stalled keeps nobody waiting', async t => {
  const app = await serve(t, { limits: { waitingBytes: 64 * 1024 * 1024 } })
  const open = async (): Promise<Socket> => {
    const socket = connect(app.port, '127.0.0.1').on('error', () => {})
    t.teardown(() => socket.destroy())
    await once(socket, 'connect')
    return socket.pause()
  }
  const stalled = await app.connect('/sessions', token())
  const { ws } = stalled.socket.io.engine.transport as unknown as { ws: { pause (): void, resume (): void } }
  ws.pause()
  const [unread] = [await polling(app), await polling(app)]
  for (let i = 0; i < 300; i++) for (const name of ['/sessions', '/guidance']) app.app.io.of(name).emit('word', 'x'.repeat(50_000))
  ;(await open()).write(`GET ${unread} HTTP/1.1\r\nHost: here\r\n\r\n`)
  ;(await open()).write('GET /slow HTTP/1.1\r\nHost: here\r\n\r\nGET /sl')
  ;(await open()).write('GET /hea')
  await open()
  await tick(200)
  const ms = await timed(app.app)
  t.ok(ms < 3_000, `${Math.round(ms)} ms`)
  ws.resume()
})

/** The path of a polling connection that has come to /guidance. */
async function polling (app: Remote): Promise<string> {
  const base = '/socket.io/?EIO=4&transport=polling'
  const { sid } = JSON.parse((await (await fetch(app.url + base)).text()).slice(1)) as { sid: string }
  const path = `${base}&sid=${sid}`
  await fetch(app.url + path, { method: 'POST', body: `40/guidance,${JSON.stringify({ token: token() })}` })
  await (await fetch(app.url + path)).text()
  return path
}

t.test('Redis that is gone keeps nobody waiting', async t => {
  const redis = await startRedis(t)
  const app = await serve(t, { redis: redis.url })
  const teacher = token()
  const { sessionId } = await app.session(teacher)
  const socket = await app.connect('/sessions', teacher)
  await socket.ok('session:join', { sessionId })
  await redis.kill()
  const ms = await timed(app.app)
  t.ok(ms < 5_000, `${Math.round(ms)} ms`)
  t.equal(await socket.end(), 'transport close')
})

t.test('code of the host that throws while we say goodbye keeps nobody waiting', async t => {
  const lines: string[] = []
  const app = await serve(t, {}, 0, line => lines.push(line))
  const clients: Client[] = []
  for (const namespace of ['/sessions', '/guidance', '/'] as const) clients.push(await app.connect(namespace as string, token()))
  await polling(app) // its poll does not come, so it is cut at the end
  const [first] = app.app.io.of('/sessions').sockets.values()
  first?.onAnyOutgoing(() => { throw new Error('a listener of the host') })
  for (const one of app.app.io.of('/guidance').sockets.values()) one.once('disconnecting', () => { throw new Error('another one') })
  const ms = await timed(app.app)
  t.ok(ms < 3_000, `${Math.round(ms)} ms`)
  await until(() => clients.every(one => one.gone !== undefined), 'the end of all')
  t.same(clients.map(one => one.names().includes('server:draining')), [false, true, true], 'the others are told')
  t.match(lines.join(''), /a listener of the host/)
  t.equal(lines.join('').split('another one"').length - 1, 2)
})

t.test('a request that never ends keeps nobody waiting for ever', async t => {
  let asked = false
  const app = await serve(t, { drainMs: 0, authorize: async () => { asked = true; return await new Promise<never>(() => {}) } })
  const answer = app.call('POST', '/sessions', { topic: 'x' }, token()).then(({ status }) => status, () => 'cut')
  await until(() => asked, 'the question')
  const ms = await timed(app.app)
  t.ok(ms > 9_000 && ms < 14_000, `${Math.round(ms)} ms`)
  t.equal(await answer, 'cut')
})

t.test('the second signal ends the example server at once', async t => {
  for (const [first, second] of [['SIGTERM', 'SIGTERM'], ['SIGINT', 'SIGTERM']] as const) {
    const running = run(t, 'examples/server.ts', [], { PORT: '0', JWT_SECRET: 'a secret that the school chose itself' })
    const [, url = ''] = await running.says(/^REST +(http:\/\/127\.0\.0\.1:\d+)\/api\/v1$/m)
    const sockets = await Promise.all(Array.from({ length: 100 }, async () => await raw(t, url)))
    const key = 'a secret that the school chose itself'
    for (const socket of sockets) socket.send(`0/sessions,${JSON.stringify({ token: token({}, key) })}`)
    await Promise.all(sockets.map(async socket => await socket.next(/^0\/sessions,/)))
    running.child.kill(first)
    await Promise.race(sockets.map(async socket => await socket.next(/server:draining/)))
    running.child.kill(second)
    t.equal(await running.ended, 1, `${first}, then ${second}`)
    t.ok(sockets.some(({ frames }) => !frames.some(frame => frame.includes('server:draining'))), 'without waiting for the others')
  }
})

t.test('one signal: they are told, and the exit code is 0', async t => {
  const key = 'a secret that the school chose itself'
  const running = run(t, 'examples/server.ts', [], { PORT: '0', JWT_SECRET: key })
  const [, url = ''] = await running.says(/^REST +(http:\/\/127\.0\.0\.1:\d+)\/api\/v1$/m)
  const socket = await rawSocket(t, url, '/sessions', token({}, key))
  running.child.kill('SIGTERM')
  await socket.next(/server:draining/)
  t.equal(await running.ended, 0)
})
