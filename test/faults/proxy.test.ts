import { once } from 'node:events'
import { connect, createServer, type AddressInfo, type Socket } from 'node:net'
import { setTimeout as pause } from 'node:timers/promises'
import t, { type Test } from 'tap'
import { startProxy, type Proxy } from './proxy.ts'

/** A harness that distorts finds faults that are not there; so it is held against an echo before anything is believed. */

interface Line { socket: Socket, heard: () => string, closed: Promise<string> }

/** Says back what it hears, and remembers it. */
async function startEcho (t: Test): Promise<{ port: number, heard: () => string }> {
  let heard = ''
  const open = new Set<Socket>()
  const server = createServer({ allowHalfOpen: true }, socket => {
    socket.on('end', () => socket.end())
    open.add(socket)
    socket.on('data', bytes => { heard += bytes; socket.write(bytes) })
    socket.on('error', () => {})
  }).listen(0, '127.0.0.1')
  await once(server, 'listening')
  t.teardown(() => {
    for (const socket of open) socket.destroy()
    server.close()
  })
  return { port: (server.address() as AddressInfo).port, heard: () => heard }
}

async function dial (t: Test, { port }: Proxy): Promise<Line> {
  const socket = connect(port, '127.0.0.1')
  t.teardown(() => socket.destroy())
  let heard = ''
  socket.on('data', bytes => { heard += bytes })
  const closed = new Promise<string>(resolve => {
    socket.once('error', (error: NodeJS.ErrnoException) => resolve(error.code ?? error.message))
    socket.once('close', () => resolve('closed'))
  })
  await once(socket, 'connect')
  return { socket, heard: () => heard, closed }
}

t.test('bytes come as they went, whatever happens to the delay', async t => {
  const echo = await startEcho(t)
  const proxy = await startProxy(t, echo.port)
  const lines = await Promise.all([1, 2, 3].map(async () => await dial(t, proxy)))
  const sent = lines.map(() => '')
  for (let turn = 0; turn < 200; turn++) {
    const text = `${turn} ${'x'.repeat(turn * 37 % 9000)};`
    lines.forEach(({ socket }, i) => { sent[i] += `${i}${text}`; socket.write(`${i}${text}`) })
    if (turn % 20 === 0) proxy.delay([0, 15, 3, 8][turn / 20 % 4] as number)
    if (turn === 60) proxy.stall()
    if (turn === 80) proxy.heal()
    if (turn % 10 === 0) await pause(2)
  }
  await until(() => lines.every((line, i) => line.heard().length >= (sent[i] as string).length))
  await pause(30)
  t.ok(lines.every((line, i) => line.heard() === sent[i]), 'all of it, once, in order')
  t.equal(proxy.open, 3)
})

t.test('more than the buffers hold waits and is not lost', async t => {
  const echo = await startEcho(t)
  const proxy = await startProxy(t, echo.port)
  const { socket, heard } = await dial(t, proxy)
  const big = 'abcdefghij'.repeat(800_000)
  socket.write(big)
  await until(() => heard().length >= big.length)
  t.ok(heard() === big)
})

// Fails with a reset for every end: in the tick of its last word it is refused, and the process never comes to its exit.
t.test('a reset ends a connection also while its last word is on its way', async t => {
  const proxy = await startProxy(t, (await startEcho(t)).port)
  const { socket, closed } = await dial(t, proxy)
  proxy.delay(50)
  socket.end()
  await pause(25)
  proxy.stall()
  await pause(50)
  proxy.heal()
  proxy.reset()
  await closed
  await until(() => proxy.open === 0)
  t.equal(proxy.open, 0)
})

t.test('a delay holds in both directions, and in neither once it is healed', async t => {
  const proxy = await startProxy(t, (await startEcho(t)).port)
  const { socket, heard } = await dial(t, proxy)
  const roundTrip = async (): Promise<number> => {
    const before = heard().length
    const began = performance.now()
    socket.write('x')
    await until(() => heard().length > before)
    return performance.now() - began
  }
  const best = async (): Promise<number> => Math.min(...[await roundTrip(), await roundTrip(), await roundTrip(), await roundTrip(), await roundTrip()])
  const control = await best()
  proxy.delay(60)
  const late = await best()
  proxy.heal()
  const healed = await best()
  t.ok(control < 60 && late >= 119 && late < 400 && healed < 60, `${control} ${late} ${healed}`)
})

t.test('while it stalls nothing passes, and then everything does, once', async t => {
  const echo = await startEcho(t)
  const proxy = await startProxy(t, echo.port)
  const old = await dial(t, proxy)
  old.socket.write('before ')
  await until(() => old.heard() === 'before ')
  proxy.stall()
  const fresh = await dial(t, proxy)
  old.socket.write('during')
  fresh.socket.write('new')
  await pause(50)
  t.equal(echo.heard(), 'before ', 'neither on an old connection nor on a new one')
  proxy.heal()
  await until(() => old.heard() === 'before during' && fresh.heard() === 'new')
  await pause(20)
  t.same([old.heard(), fresh.heard()], ['before during', 'new'])
})

t.test('a reset is a reset, and another connection may follow', async t => {
  const proxy = await startProxy(t, (await startEcho(t)).port)
  const { closed } = await dial(t, proxy)
  proxy.reset()
  t.equal(await closed, 'ECONNRESET')
  proxy.refuse()
  const refused = connect(proxy.port, '127.0.0.1')
  const [error] = await once(refused, 'error') as [NodeJS.ErrnoException]
  t.equal(error.code, 'ECONNRESET')
  proxy.heal()
  const { socket, heard } = await dial(t, proxy)
  socket.write('again')
  await until(() => heard() === 'again')
  t.equal(proxy.opened, 3)
})

t.test('a target that is not there is a connection that breaks', async t => {
  const gone = await startProxy(t, 1)
  const socket = connect(gone.port, '127.0.0.1')
  const [error] = await once(socket, 'error') as [NodeJS.ErrnoException]
  t.equal(error.code, 'ECONNRESET')
})

t.test('lost replies: the request has gone through, and the connection says nothing any more', async t => {
  const echo = await startEcho(t)
  const proxy = await startProxy(t, echo.port)
  const { socket, heard, closed } = await dial(t, proxy)
  proxy.loseReplies()
  socket.write('request')
  await until(() => echo.heard() === 'request')
  const other = await dial(t, proxy)
  other.socket.write('x')
  await until(() => other.heard() === 'x')
  t.equal(heard(), '', 'only what was open loses')
  proxy.heal()
  t.equal(await closed, 'ECONNRESET', 'it cannot go on with a gap')
  t.equal(heard(), '')
})

t.test('an end comes after what was said before it', async t => {
  const proxy = await startProxy(t, (await startEcho(t)).port)
  const { socket, heard, closed } = await dial(t, proxy)
  proxy.delay(20)
  socket.end('last words')
  await closed
  t.equal(heard(), 'last words')
})

async function until (condition: () => boolean): Promise<void> {
  const end = performance.now() + 10_000
  while (!condition()) {
    if (performance.now() > end) throw new Error('it did not come to that')
    await pause(1)
  }
}
