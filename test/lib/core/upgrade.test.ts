import { once } from 'node:events'
import { createServer, request as ask, type IncomingMessage, type Server } from 'node:http'
import { connect, type AddressInfo, type Socket } from 'node:net'
import t, { type Test } from 'tap'
import { shareUpgrades } from '../../../lib/core/upgrade.ts'

type Listener = (request: IncomingMessage, socket: NodeJS.WritableStream) => void

const switching = (who: string): string => `HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: test\r\nX-By: ${who}\r\n\r\n`
const takes = (who: string, seen: string[] = []): Listener => (request, socket) => {
  seen.push(request.url ?? '')
  socket.write(switching(who))
}
/** As @fastify/websocket does: what it does not know gets a 404 at once. */
const takesOrRefuses = (who: string, path: string): Listener => (request, socket) => {
  if (request.url === path) socket.write(switching(who))
  else socket.end('HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n')
}
/** As the listener of Socket.IO: it looks away from what it does not know. */
const ours: Listener = (request, socket) => { if (request.url === '/ours/' && socket.writable) socket.write(switching('us')) }
const isOurs = (request: IncomingMessage): boolean => request.url === '/ours/'

async function serve (t: Test): Promise<{ server: Server, port: number }> {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const sockets = new Set<Socket>()
  server.on('connection', socket => sockets.add(socket))
  t.teardown(() => {
    for (const socket of sockets) socket.destroy()
    server.close()
  })
  return { server, port: (server.address() as AddressInfo).port }
}

/** Who took it, or the status, or `cut`. */
async function upgrade (port: number, path: string): Promise<string> {
  return await new Promise(resolve => {
    ask({ port, path, headers: { connection: 'Upgrade', upgrade: 'test' } })
      .on('upgrade', ({ headers }, socket) => { socket.destroy(); resolve(String(headers['x-by'])) })
      .on('response', ({ statusCode }) => resolve(String(statusCode)))
      .on('error', () => resolve('cut'))
      .end()
  })
}

/** Only the bytes of a request; what comes back is for the caller to see. */
async function open (t: Test, port: number, path: string): Promise<Socket> {
  const socket = connect(port, '127.0.0.1')
  t.teardown(() => socket.destroy())
  socket.on('error', () => {})
  socket.write(`GET ${path} HTTP/1.1\r\nHost: here\r\nConnection: Upgrade\r\nUpgrade: test\r\n\r\n`)
  return socket
}

t.test('who was there before and who comes after both have theirs', async t => {
  const { server, port } = await serve(t)
  const seen: string[] = []
  server.on('upgrade', takesOrRefuses('before', '/before'))
  const before = server.listeners('upgrade')
  server.on('upgrade', ours)
  shareUpgrades(server, isOurs, before)
  t.same([await upgrade(port, '/ours/'), await upgrade(port, '/before'), await upgrade(port, '/nobody')], ['us', 'before', '404'])

  const later = await serve(t)
  later.server.on('upgrade', ours)
  shareUpgrades(later.server, isOurs, [])
  t.equal(await upgrade(later.port, '/after'), '404', 'what nobody wants')
  const after = takes('after', seen)
  later.server.on('upgrade', after)
  await new Promise(setImmediate)
  t.same([await upgrade(later.port, '/ours/'), await upgrade(later.port, '/after')], ['us', 'after'])
  t.same(seen, ['/after'], 'it never sees what is ours')
  later.server.off('upgrade', after)
  t.same([await upgrade(later.port, '/after'), await upgrade(later.port, '/ours/')], ['404', 'us'], 'taken off by its own name it is gone')
})

t.test('control: side by side without it', async t => {
  const { server, port } = await serve(t)
  server.on('upgrade', takesOrRefuses('before', '/before'))
  server.on('upgrade', ours)
  t.equal(await upgrade(port, '/ours/'), '404', 'one answers for the other')
})

t.test('the end waits for ours, then cuts it, and what nobody has answered', async t => {
  const { server, port } = await serve(t)
  const held: NodeJS.WritableStream[] = []
  server.on('upgrade', ours)
  const upgrades = shareUpgrades(server, isOurs, [])
  server.on('upgrade', (request: IncomingMessage, socket: Socket) => {
    held.push(socket)
    if (request.url === '/answered') socket.write(switching('them'))
  })
  await new Promise(setImmediate)
  const [mine, stalled, answered, silent] = await Promise.all(['/ours/', '/ours/', '/answered', '/silent'].map(async path => await open(t, port, path))) as [Socket, Socket, Socket, Socket]
  await Promise.all([once(mine, 'data'), once(stalled, 'data'), once(answered, 'data')])
  while (held.length < 2) await new Promise(setImmediate)
  setTimeout(() => mine.end(), 50)
  const gone: string[] = []
  mine.on('close', () => gone.push('mine'))
  stalled.on('close', () => gone.push('stalled'))
  silent.on('close', () => gone.push('silent'))
  answered.on('close', () => gone.push('answered'))
  const began = performance.now()
  await upgrades.end()
  t.ok(performance.now() - began < 5_000)
  await Promise.all([mine, stalled, silent].map(async socket => { if (!socket.closed) await once(socket, 'close') }))
  t.same(gone.sort(), ['mine', 'silent', 'stalled'], 'what another owner has is theirs to end')
  const again = performance.now()
  await upgrades.end()
  t.ok(performance.now() - again < 400, 'with nothing left it does not wait')
})

t.test('a reset before anybody took it harms nobody', async t => {
  const faults: unknown[] = []
  const fault = (error: unknown): void => { faults.push(error) }
  process.on('uncaughtException', fault)
  t.teardown(() => { process.off('uncaughtException', fault) })
  const { server, port } = await serve(t)
  server.on('upgrade', ours)
  shareUpgrades(server, isOurs, [])
  server.on('upgrade', (_request: IncomingMessage, socket: Socket) => { setTimeout(() => socket.write(switching('late')), 20) })
  await new Promise(setImmediate)
  for (const path of ['/slow', '/ours/', '/slow']) {
    const socket = await open(t, port, path)
    await once(socket, 'connect')
    await new Promise(resolve => setTimeout(resolve, 10))
    socket.resetAndDestroy()
  }
  await new Promise(resolve => setTimeout(resolve, 60))
  t.equal(await upgrade(port, '/ours/'), 'us')
  t.same(faults, [])
})
