import { once } from 'node:events'
import { readFile } from 'node:fs/promises'
import { createServer, request as ask } from 'node:http'
import type { AddressInfo } from 'node:net'
import t from 'tap'
import { build, token, type App } from '../app.ts'
import { browser, holds } from '../browser.ts'
import { fork } from '../fork.ts'
import { patienceMs } from '../client.ts'

/** Connections by HTTP polling. Their id stands in URLs, so whoever reads a log or a history has it. */

const base = '/socket.io/?EIO=4&transport=polling'
const tick = async (ms: number): Promise<void> => await new Promise(resolve => setTimeout(resolve, ms))

interface Asked { method?: string, body?: string, from: string, upgrade?: boolean, cookie?: string }
interface Got { status: number | string, text: string, cookies: string[] }

/** As from an address that a proxy vouches for; the status, or `cut`. */
async function as (url: string, path: string, { method = 'GET', body, from, upgrade = false, cookie }: Asked): Promise<Got> {
  const handshake = { connection: 'Upgrade', upgrade: 'websocket', 'sec-websocket-version': '13', 'sec-websocket-key': 'AAAAAAAAAAAAAAAAAAAAAA==' }
  return await new Promise(resolve => {
    ask(url + path, { method, headers: { 'x-from': from, ...(upgrade && handshake), ...(cookie && { cookie }) } })
      .on('response', response => {
        let text = ''
        response.setEncoding('utf8').on('data', (part: string) => { text += part }).on('end', () => resolve({ status: response.statusCode ?? 0, text, cookies: response.headers['set-cookie'] ?? [] }))
      })
      .on('upgrade', (_response, socket) => { socket.destroy(); resolve({ status: 101, text: '', cookies: [] }) })
      .on('error', () => resolve({ status: 'cut', text: '', cookies: [] }))
      .end(body)
  })
}

const addressOf = (headers: Record<string, string | string[] | undefined>, address: string): string => String(headers['x-from'] ?? address)

/** A victim in /sessions that sends its cookie back, or does not; the path of its connection. */
async function victim (app: App, shows = true): Promise<{ path: string, owner: { from: string, cookie?: string } }> {
  const { text, cookies } = await as(app.url, base, { from: '10.0.0.1' })
  const path = `${base}&sid=${(JSON.parse(text.slice(1)) as { sid: string }).sid}`
  const owner = { from: '10.0.0.1', ...(shows && { cookie: String(cookies[0]).split(';')[0] as string }) }
  await as(app.url, path, { ...owner, method: 'POST', body: `40/sessions,${JSON.stringify({ token: token({ sub: 'victim' }) })}` })
  t.match((await as(app.url, path, owner)).text, /^40\/sessions,\{"sid"/)
  return { path, owner }
}

t.test('an id counts only with what its owner shows, from where it was opened', async t => {
  const app = await build(t, { addressOf })
  const { path, owner } = await victim(app)
  const thieves = {
    'from elsewhere': { from: '10.0.0.2' },
    'from elsewhere, with the cookie': { ...owner, from: '10.0.0.2' },
    'from behind the same router': { from: '10.0.0.1' },
    'with a cookie of their own': { from: '10.0.0.1', cookie: `classwaves_poll=${'x'.repeat(20)}` }
  }
  for (const [who, thief] of Object.entries(thieves)) {
    const reading = await as(app.url, path, thief)
    t.match([reading.status, JSON.parse(reading.text)], [403, { code: 'FORBIDDEN', message: /connection/ }], `${who}: reading`)
    t.equal((await as(app.url, path, { ...thief, method: 'POST', body: '42/sessions,["session:join",{}]' })).status, 403, `${who}: writing`)
    t.equal((await as(app.url, path.replace('polling', 'websocket'), { ...thief, upgrade: true })).status, 'cut', `${who}: taking over`)
  }
  t.equal((await as(app.url, `${path}x`, owner)).status, 400, 'an id that nobody has')
  const { body } = await app.call<string>('GET', '//metrics', undefined, token({ role: 'admin' }))
  for (const what of ['address', 'owner']) t.match(body, new RegExp(`^classwaves_connection_faults_total\\{what="${what}"\\} 6$`, 'm'), `each is counted: ${what}`)

  t.equal((await as(app.url, path, { ...owner, method: 'POST', body: '42/sessions,7["no:such",{}]' })).text, 'ok')
  t.match((await as(app.url, path, owner)).text, /^43\/sessions,7\[\{"ok":false,"error":\{"code":"UNSUPPORTED_OPERATION"/, 'its owner goes on, and heard nothing of it')
  t.equal(app.app.io.of('/sessions').sockets.size, 1)
  t.equal((await as(app.url, path.replace('polling', 'websocket'), { ...owner, upgrade: true })).status, 101, 'and may upgrade')
})

t.test('the cookie stands beside one of the host, and only where it is of use', async t => {
  const app = await build(t, { io: { cookie: true, path: '/live' } })
  const { cookies } = await as(app.url, '/live/?EIO=4&transport=polling', { from: 'x' })
  t.match(cookies, [/^io=/, /^classwaves_poll=[\w-]{20}; Path=\/live; HttpOnly; SameSite=Lax$/])
  t.same((await as(app.url, '/live/?EIO=4&transport=polling', { from: 'x', cookie: String(cookies[1]).split(';')[0] as string })).cookies.length, 1, 'who has it keeps it')
  const headers = await new Promise<string[]>(resolve => {
    ask(`${app.url}/live/?EIO=4&transport=websocket`, { headers: { connection: 'Upgrade', upgrade: 'websocket', 'sec-websocket-version': '13', 'sec-websocket-key': 'AAAAAAAAAAAAAAAAAAAAAA==' } })
      .on('upgrade', (response, socket) => { socket.destroy(); resolve(response.headers['set-cookie'] ?? []) }).end()
  })
  t.notMatch(headers.join(), /classwaves_poll/, 'WebSocket needs none')
})

t.test('stock pages that poll: their own, and one of another origin with credentials', async t => {
  const script = await readFile(new URL('socket.io.min.js', import.meta.resolve('socket.io-client/dist/socket.io.js')))
  const auth = token({ sub: 'pupil', role: 'student' })
  const page = (url: string, options: object): string => `<!doctype html><title>polls</title><script src="/client.js"></script><script>
    const options = ${JSON.stringify({ ...options, transports: ['polling'], auth: { token: auth } })}
    const socket = io(${JSON.stringify(url)} + '/sessions', options)
    socket.on('connect_error', error => { document.title = error.message })
    socket.on('connect', () => socket.emit('no:such', {}, answer => { document.title = answer.error.code }))
  </script>`
  const pages = new Map<string, string>()
  const elsewhere = createServer(({ url }, response) => {
    if (url === '/client.js') response.setHeader('content-type', 'text/javascript').end(script)
    else response.setHeader('content-type', 'text/html').end(pages.get(String(url)) ?? '')
  }).listen(0, '127.0.0.1')
  t.teardown(() => elsewhere.close())
  await once(elsewhere, 'listening')
  const origin = `http://127.0.0.1:${(elsewhere.address() as AddressInfo).port}`
  const app = await build(t, { origins: [origin] }, host => {
    host.get('/client.js', async (_request, reply) => await reply.type('text/javascript').send(script))
    host.get('/page', async (_request, reply) => await reply.type('text/html').send(page('', {})))
  })
  pages.set('/page', page(app.url, { withCredentials: true }))
  const chromium = await browser(t)
  for (const [who, url] of [['its own', `${app.url}/page`], ['of another origin', `${origin}/page`]] as const) {
    const context = await chromium.newContext()
    const tab = await context.newPage()
    const asked: string[] = []
    tab.on('request', request => { if (request.url().includes('sid=')) asked.push(request.url()) })
    await tab.goto(url)
    await holds(tab, 'document.title !== "polls"')
    t.equal(await tab.title(), 'UNSUPPORTED_OPERATION', `${who}: it is let in and gets its answer`)
    t.match(await context.cookies(), [{ name: 'classwaves_poll', httpOnly: true, sameSite: 'Lax' }])
    const stolen = await fetch(String(asked[0]), { method: 'POST', body: '42/sessions,["session:join",{}]' })
    t.match([stolen.status, await stolen.json()], [403, { message: 'This connection is somebody else\'s.' }], `${who}: its URL alone opens nothing, from the same address`)
    t.ok(await tab.evaluate('socket.connected'))
    await context.close()
  }
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

t.test('control: who shows nothing, behind a proxy of which the host says nothing, can be spoken for', async t => {
  const app = await build(t)
  const { path } = await victim(app, false)
  t.equal((await as(app.url, path, { from: '10.0.0.2', method: 'POST', body: '42/sessions,["no:such",{}]' })).status, 200)
})

t.test('polling does what WebSocket does, and goes over to it', async t => {
  const app = await build(t)
  const teacher = token()
  const { sessionId } = await app.session(teacher, { start: false })
  const polling = await app.connect('/sessions', teacher, { transports: ['polling'] })
  const both = await app.connect('/sessions', teacher, { transports: ['polling', 'websocket'], withCredentials: true })
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
