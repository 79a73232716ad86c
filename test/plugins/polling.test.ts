import { request as ask } from 'node:http'
import t from 'tap'
import { build, token, type App } from '../app.ts'
import { fork } from '../fork.ts'
import { patienceMs } from '../client.ts'

/** Connections by HTTP polling. Their id stands in URLs, so whoever reads a log or a history has it. */

const base = '/socket.io/?EIO=4&transport=polling'
const tick = async (ms: number): Promise<void> => await new Promise(resolve => setTimeout(resolve, ms))

interface Asked { method?: string, body?: string, from: string, upgrade?: boolean }

/** As from an address that a proxy vouches for; the status, or `cut`. */
async function as (url: string, path: string, { method = 'GET', body, from, upgrade = false }: Asked): Promise<{ status: number | string, text: string }> {
  const handshake = { connection: 'Upgrade', upgrade: 'websocket', 'sec-websocket-version': '13', 'sec-websocket-key': 'AAAAAAAAAAAAAAAAAAAAAA==' }
  return await new Promise(resolve => {
    ask(url + path, { method, headers: { 'x-from': from, ...(upgrade && handshake) } })
      .on('response', response => {
        let text = ''
        response.setEncoding('utf8').on('data', (part: string) => { text += part }).on('end', () => resolve({ status: response.statusCode ?? 0, text }))
      })
      .on('upgrade', (_response, socket) => { socket.destroy(); resolve({ status: 101, text: '' }) })
      .on('error', () => resolve({ status: 'cut', text: '' }))
      .end(body)
  })
}

const addressOf = (headers: Record<string, string | string[] | undefined>, address: string): string => String(headers['x-from'] ?? address)

/** A victim in /sessions; the path of its connection. */
async function victim (app: App): Promise<string> {
  const { text } = await as(app.url, base, { from: '10.0.0.1' })
  const path = `${base}&sid=${(JSON.parse(text.slice(1)) as { sid: string }).sid}`
  await as(app.url, path, { method: 'POST', body: `40/sessions,${JSON.stringify({ token: token({ sub: 'victim' }) })}`, from: '10.0.0.1' })
  t.match((await as(app.url, path, { from: '10.0.0.1' })).text, /^40\/sessions,\{"sid"/)
  return path
}

t.test('an id counts only from where the connection was opened', async t => {
  const app = await build(t, { addressOf })
  const path = await victim(app)
  const thief = { from: '10.0.0.2' }
  t.equal((await as(app.url, path, thief)).status, 403, 'reading')
  t.equal((await as(app.url, path, { ...thief, method: 'POST', body: '42/sessions,["session:join",{}]' })).status, 403, 'writing')
  t.equal((await as(app.url, path.replace('polling', 'websocket'), { ...thief, upgrade: true })).status, 'cut', 'taking over')
  t.equal((await as(app.url, `${path}x`, thief)).status, 400, 'an id that nobody has')

  t.equal((await as(app.url, path, { method: 'POST', body: '42/sessions,7["no:such",{}]', from: '10.0.0.1' })).text, 'ok')
  t.match((await as(app.url, path, { from: '10.0.0.1' })).text, /^43\/sessions,7\[\{"ok":false,"error":\{"code":"UNSUPPORTED_OPERATION"/, 'its owner goes on, and heard nothing of it')
  t.equal(app.app.io.of('/sessions').sockets.size, 1)
  t.equal((await as(app.url, path.replace('polling', 'websocket'), { from: '10.0.0.1', upgrade: true })).status, 101, 'and may upgrade')
})

t.test('a request of more packets than a connection may send is not taken apart', async t => {
  const app = await build(t)
  const seen = { packets: 0 }
  app.app.io.engine.on('connection', (connection: { on (event: 'packet', listener: () => void): void }) => connection.on('packet', () => { seen.packets++ }))
  const connected = async (): Promise<string> => {
    const { text } = await as(app.url, base, { from: '10.0.0.1' })
    return `${base}&sid=${(JSON.parse(text.slice(1)) as { sid: string }).sid}`
  }
  const post = async (path: string, packets: number): Promise<number | string> =>
    (await as(app.url, path, { method: 'POST', body: Array(packets).fill('3').join('\x1e'), from: '10.0.0.1' })).status
  const path = await connected()
  t.same([await post(path, 2_000), seen.packets], [200, 2_000], 'as many as it may are read')
  seen.packets = 0
  const other = await connected()
  await post(other, 2_001)
  t.equal(seen.packets, 0, 'of more not one')
  t.equal(await post(other, 1), 400, 'and the connection is closed')
})

t.test('control: behind a proxy everybody has one address, unless the host says which is whose', async t => {
  const app = await build(t)
  t.equal((await as(app.url, await victim(app), { from: '10.0.0.2', method: 'POST', body: '42/sessions,["no:such",{}]' })).status, 200)
})

t.test('polling does what WebSocket does, and goes over to it', async t => {
  const app = await build(t)
  const teacher = token()
  const { sessionId } = await app.session(teacher, { start: false })
  const polling = await app.connect('/sessions', teacher, { transports: ['polling'] })
  const both = await app.connect('/sessions', teacher, { transports: ['polling', 'websocket'] })
  for (const one of [polling, both]) await one.ok('session:join', { sessionId })
  await app.call('POST', `/sessions/${sessionId}/start`, undefined, teacher)
  for (const one of [polling, both]) t.match(await one.next('session:status_changed'), { status: 'active' })
  for (const end = Date.now() + patienceMs; both.socket.io.engine.transport.name !== 'websocket' && Date.now() < end;) await tick(10)
  t.equal(both.socket.io.engine.transport.name, 'websocket')
  await app.call('POST', `/sessions/${sessionId}/pause`, undefined, teacher)
  for (const one of [polling, both]) t.match(await one.next('session:status_changed'), { status: 'paused' })
})

t.test('a host may do without it', async t => {
  const app = await build(t, { io: { transports: ['websocket'] } })
  t.equal((await as(app.url, base, { from: 'x' })).status, 400)
  t.ok(await app.connect('/sessions', token()))
})

t.test('polls that are not asked for are let go', async t => {
  const app = await build(t, { io: { connectTimeout: 200 } })
  const { engine } = app.app.io as unknown as { engine: { clientsCount: number } }
  await as(app.url, base, { from: 'x' })
  t.equal(engine.clientsCount, 1)
  for (const end = Date.now() + 3_000; engine.clientsCount > 0 && Date.now() < end;) await tick(20)
  t.equal(engine.clientsCount, 0, 'who comes to no namespace and does not ask again')

  const server = await fork(t)
  await as(server.url, base, { from: 'x' })
  await as(server.url, base, { from: 'x' })
  const { code, ms } = await server.close()
  t.equal(code, 0)
  t.ok(ms < 4_000, `and keep no process: ${ms} ms`)
})
