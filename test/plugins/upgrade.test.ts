import { once } from 'node:events'
import websocket from '@fastify/websocket'
import Fastify, { type FastifyInstance } from 'fastify'
import { Server } from 'socket.io'
import t, { type Test } from 'tap'
import WebSocket, { WebSocketServer } from 'ws'
import classwaves from '../../index.ts'
import { build, remote, secret, token, wayOfTests, type Remote } from '../app.ts'
import { client, patienceMs } from '../client.ts'

/** Native WebSockets of the host and Socket.IO on one server, in whichever order they were registered. */

/** A native route whose check takes longer than Socket.IO leaves to what it does not know. */
async function nativeRoutes (app: FastifyInstance): Promise<void> {
  await app.register(async scope => {
    scope.get('/native', { websocket: true }, socket => { socket.on('message', bytes => socket.send(String(bytes))) })
    const preValidation = async (): Promise<void> => { await new Promise(resolve => setTimeout(resolve, 1_300)) }
    scope.get('/slow', { websocket: true, preValidation }, socket => { socket.on('message', bytes => socket.send(String(bytes))) })
  })
}

/** What a native client comes to: an echo, the status of the refusal, or the error. */
async function native (t: Test, url: string, path: string): Promise<string> {
  const socket = new WebSocket(url.replace('http', 'ws') + path)
  t.teardown(() => socket.terminate())
  return await new Promise(resolve => {
    socket.on('open', () => socket.send('echo'))
    socket.on('message', bytes => { socket.close(); resolve(String(bytes)) })
    socket.on('unexpected-response', (_request, response) => { response.destroy(); resolve(String(response.statusCode)) })
    socket.on('error', error => resolve(error.message))
  })
}

const orders: Record<string, (t: Test) => Promise<Remote & { app: FastifyInstance }>> = {
  before: t => build(t, {}, async host => { await host.register(websocket); await nativeRoutes(host) }),
  after: async t => {
    const app = Fastify()
    t.teardown(() => app.close())
    await app.register(classwaves, { jwt: { secret }, ...wayOfTests })
    await app.register(websocket)
    await nativeRoutes(app)
    const url = await app.listen({ port: 0, host: '127.0.0.1' })
    return { ...remote(t, url), app }
  },
  'not at all': t => build(t)
}

for (const [order, make] of Object.entries(orders)) {
  t.test(`@fastify/websocket registered ${order}`, async t => {
    const app = await make(t)
    const there = order !== 'not at all'
    const slow = native(t, app.url, '/slow')
    const socket = await app.connect('/sessions', token())
    t.equal(await socket.code('flush'), 'UNSUPPORTED_OPERATION', 'Socket.IO answers')
    t.ok((await app.connect('/sessions', token(), { transports: ['polling', 'websocket'] })).socket.connected, 'also by polling first')
    t.equal(await native(t, app.url, '/native'), there ? 'echo' : '404')
    t.equal(await slow, there ? 'echo' : '404', 'a check of more than a second is waited for')
    t.equal(await native(t, app.url, '/nobody'), '404', 'what nobody wants')
    t.equal(await native(t, app.url, '/socket.iox'), '404', 'nor what only begins like ours')
    t.equal((await fetch(`${app.url}/health`)).status, 200)

    const open = new WebSocket(`${app.url.replace('http', 'ws')}/${there ? 'native' : 'socket.io/?EIO=4&transport=websocket'}`)
    await new Promise((resolve, reject) => { open.on('open', resolve).on('error', reject) })
    const began = performance.now()
    await app.app.close()
    t.ok(performance.now() - began < 3_000, `closed in ${Math.round(performance.now() - began)} ms`)
    t.equal(await socket.end(), 'transport close')
  })
}

t.test('another listener for upgrades, which leaves open what it does not know', async t => {
  const seen: string[] = []
  const app = await build(t, {}, host => {
    host.server.on('upgrade', (request, socket) => {
      seen.push(request.url ?? '')
      if (request.url === '/theirs') socket.end('HTTP/1.1 418 Theirs\r\nContent-Length: 0\r\n\r\n')
    })
  })
  const socket = await app.connect('/sessions', token())
  t.equal(await native(t, app.url, '/theirs'), '418')
  const forgotten = native(t, app.url, '/nobody')
  while (seen.length < 2) await new Promise(setImmediate)
  t.same(seen, ['/theirs', '/nobody'])
  const began = performance.now()
  await app.app.close()
  t.ok(performance.now() - began < 3_000, 'and does not keep the server from closing')
  t.match(await forgotten, /socket hang up/)
  t.equal(await socket.end(), 'transport close')
})

// Fails without the last word of `end`: the HTTP server waits for what its owner never closes.
t.test('another owner of WebSockets, which forgets to close them', async t => {
  const theirs = new WebSocketServer({ noServer: true })
  const app = await build(t, {}, host => {
    host.server.on('upgrade', (request, socket, head) => { if (request.url === '/theirs') theirs.handleUpgrade(request, socket, head, () => {}) })
  })
  const open = new WebSocket(`${app.url.replace('http', 'ws')}/theirs`)
  await once(open, 'open')
  const gone = once(open, 'close')
  const began = performance.now()
  await app.app.close()
  t.ok(performance.now() - began < 6_000, `closed in ${Math.round(performance.now() - began)} ms`)
  await gone
})

t.test('control: the two as they are shipped', async t => {
  for (const order of ['before', 'after']) {
    const app = Fastify()
    let io: Server | undefined
    t.teardown(async () => { await io?.close(); await app.close() })
    if (order === 'after') io = new Server(app.server)
    await app.register(websocket)
    await nativeRoutes(app)
    if (order === 'before') io = new Server(app.server)
    const url = await app.listen({ port: 0, host: '127.0.0.1' })
    const stock = client(url, '/', {}, { timeout: patienceMs })
    t.teardown(() => stock.close())
    const connected = await stock.ready().then(() => true, () => false)
    const slow = await native(t, url, '/slow')
    t.notOk(connected && slow === 'echo', `registered ${order} Socket.IO: it ${connected ? 'connects' : 'does not connect'}, a slow route says ${slow}`)
  }
})
