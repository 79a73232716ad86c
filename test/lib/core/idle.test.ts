import { once } from 'node:events'
import { createServer, type Server } from 'node:http'
import { connect, type AddressInfo, type Socket } from 'node:net'
import t, { type Test } from 'tap'
import { endIdle, type Bound } from '../../../lib/core/idle.ts'

const tick = async (ms: number): Promise<void> => await new Promise(resolve => setTimeout(resolve, ms))

/** Connections in every state that there is, and what became of them. */
async function scene (t: Test, bound?: Bound) {
  const server = createServer((request, response) => {
    setTimeout(() => response.end('answer'), request.url === '/slow' ? 200 : 0)
  })
  server.on('upgrade', (_request, socket: Socket) => { socket.write('HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: test\r\n\r\n') })
  const end = endIdle(server, bound)
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  const ended: string[] = []
  const said = new Map<string, string>()
  async function open (name: string, text: string): Promise<Socket> {
    const socket = connect(port, '127.0.0.1').setEncoding('utf8').on('error', () => {})
    socket.on('data', (words: string) => said.set(name, (said.get(name) ?? '') + words))
    socket.on('close', () => ended.push(name))
    t.teardown(() => { socket.destroy() })
    await once(socket, 'connect')
    if (text) socket.write(text)
    return socket
  }
  const get = (path: string): string => `GET ${path} HTTP/1.1\r\nHost: here\r\n\r\n`
  await open('silent', '')
  await open('half', 'GET /sl')
  await open('answered', get('/quick'))
  await open('half of a second', `${get('/quick')}GET /sl`)
  await open('asked two at once', get('/quick') + get('/slow'))
  await open('upgraded', 'GET / HTTP/1.1\r\nHost: here\r\nConnection: Upgrade\r\nUpgrade: test\r\n\r\n')
  await open('under way', get('/slow'))
  await tick(50)
  return { server, end, ended, said }
}

const closed = (server: Server): Promise<unknown> => new Promise(resolve => server.close(resolve))

t.test('what has nothing under way ends, the others with their last answer', async t => {
  const { server, end, ended, said } = await scene(t)
  end()
  const done = closed(server)
  await tick(50)
  t.same(ended.sort(), ['answered', 'half', 'half of a second', 'silent'])
  await tick(250)
  t.same(ended.slice(4).sort(), ['asked two at once', 'under way'])
  for (const name of ['under way', 'asked two at once']) t.match(said.get(name), /200 OK[^]*answer$/, 'they were answered')
  t.notOk(ended.includes('upgraded'), 'what was upgraded has another owner')
  server.closeAllConnections()
  t.type(done, Promise)
})

t.test('what takes longer than it may is cut, and said', async t => {
  const cut: number[] = []
  const { server, end, ended, said } = await scene(t, { cutMs: 100, onCut: count => cut.push(count) })
  end()
  void closed(server)
  await tick(50)
  t.same(cut, [])
  await tick(300)
  t.same(ended.slice(4).sort(), ['asked two at once', 'under way'])
  t.notOk(said.has('under way'), 'without an answer')
  t.same(cut, [2])
  t.notOk(ended.includes('upgraded'), 'what was upgraded has another owner')
  server.closeAllConnections()
})

t.test('what ends in time is not cut', async t => {
  const cut: number[] = []
  const { server, end, said } = await scene(t, { cutMs: 400, onCut: count => cut.push(count) })
  end()
  void closed(server)
  await tick(500)
  t.match(said.get('under way'), /200 OK[^]*answer$/)
  t.same(cut, [])
  server.closeAllConnections()
})

t.test('control: Node waits for them', async t => {
  const { server, ended } = await scene(t)
  let done = false
  void closed(server).then(() => { done = true })
  await tick(300)
  t.same(ended, ['answered'], 'and ends what is idle at that moment')
  t.notOk(done)
})
