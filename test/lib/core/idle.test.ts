import { once } from 'node:events'
import { createServer, type Server } from 'node:http'
import { connect, type AddressInfo, type Socket } from 'node:net'
import t, { type Test } from 'tap'
import { endIdle, type Bound } from '../../../lib/core/idle.ts'

const tick = async (ms: number): Promise<void> => await new Promise(resolve => setTimeout(resolve, ms))

/** Connections in every state that there is, and what became of them. */
async function scene (t: Test, bound?: Bound) {
  const slow: (() => void)[] = []
  const server = createServer((request, response) => {
    const answer = (): void => { response.end('answer') }
    if (request.url === '/slow') slow.push(answer)
    else answer()
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
  // Two slow requests are under way, and what has an answer has it.
  while (slow.length < 2 || ['answered', 'half of a second', 'asked two at once'].some(name => !said.get(name)?.endsWith('answer'))) await tick(5)
  await tick(50)
  return { server, end, ended, said, answer: () => { for (const one of slow) one() } }
}

const closed = (server: Server): Promise<unknown> => new Promise(resolve => server.close(resolve))

t.test('what has nothing under way ends, the others with their last answer', async t => {
  const { server, end, ended, said, answer } = await scene(t)
  end()
  const done = closed(server)
  while (ended.length < 4) await tick(5)
  t.same(ended.sort(), ['answered', 'half', 'half of a second', 'silent'])
  answer()
  while (ended.length < 6) await tick(5)
  t.same(ended.slice(4).sort(), ['asked two at once', 'under way'])
  t.match(said.get('under way'), /200 OK[^]*answer$/)
  t.match(said.get('asked two at once'), /200 OK[^]*answer[^]*200 OK[^]*answer$/, 'each question was answered')
  t.notOk(ended.includes('upgraded'), 'what was upgraded has another owner')
  server.closeAllConnections()
  t.type(done, Promise)
})

t.test('what takes longer than it may is cut, and said', async t => {
  const cut: number[] = []
  const { server, end, ended, said } = await scene(t, { cutMs: 100, onCut: count => cut.push(count) })
  end()
  void closed(server)
  t.same(cut, [])
  while (ended.length < 6) await tick(5)
  t.same(ended.slice(4).sort(), ['asked two at once', 'under way'])
  t.notOk(said.has('under way'), 'without an answer')
  t.same(cut, [2])
  t.notOk(ended.includes('upgraded'), 'what was upgraded has another owner')
  server.closeAllConnections()
})

t.test('what ends in time is not cut', async t => {
  const cut: number[] = []
  const { server, end, ended, said, answer } = await scene(t, { cutMs: 1_000, onCut: count => cut.push(count) })
  end()
  void closed(server)
  answer()
  while (ended.length < 6) await tick(5)
  await tick(1_200)
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
