import { once } from 'node:events'
import { createServer, request as ask } from 'node:http'
import type { AddressInfo } from 'node:net'
import { Server } from 'socket.io'
import t from 'tap'
import { build, token, type App } from '../app.ts'

/** Pages of foreign origins, at every request that a browser can make. */

const polling = '/socket.io/?EIO=4&transport=polling'

interface Asked { method?: string, body?: string, upgrade?: boolean, headers: Record<string, string> }

/** The status, or `cut`. */
async function status (url: string, path: string, { method = 'GET', body, upgrade = false, headers }: Asked): Promise<number | string> {
  const handshake = { connection: 'Upgrade', upgrade: 'websocket', 'sec-websocket-version': '13', 'sec-websocket-key': 'AAAAAAAAAAAAAAAAAAAAAA==' }
  return await new Promise(resolve => {
    ask(url + path, { method, headers: { ...(upgrade && handshake), ...headers } })
      .on('response', response => { response.resume(); resolve(response.statusCode ?? 0) })
      .on('upgrade', (_response, socket) => { socket.destroy(); resolve(101) })
      .on('error', () => resolve('cut'))
      .end(body)
  })
}

/** An open polling connection, as a page of ours has it. */
async function open (app: App): Promise<string> {
  const response = await fetch(app.url + polling)
  return `${polling}&sid=${(JSON.parse((await response.text()).slice(1)) as { sid: string }).sid}`
}

async function everyDoor (app: App, headers: Record<string, string>): Promise<(number | string)[]> {
  return [
    await status(app.url, polling, { headers }),
    await status(app.url, '/socket.io/?EIO=4&transport=websocket', { upgrade: true, headers }),
    await status(app.url, await open(app), { method: 'POST', body: '40', headers }),
    await status(app.url, (await open(app)).replace('polling', 'websocket'), { upgrade: true, headers })
  ]
}

t.test('every door looks at the origin', async t => {
  const app = await build(t, { origins: ['https://school.example'] })
  const { host } = new URL(app.url)
  const port = Number(new URL(app.url).port)
  const welcome: Record<string, Record<string, string>> = {
    'no browser': {},
    'our own page': { origin: `http://${host}` },
    'our own page behind TLS': { origin: `https://${host}` },
    'a listed page': { origin: 'https://school.example' }
  }
  for (const [who, headers] of Object.entries(welcome)) t.same(await everyDoor(app, headers), [200, 101, 200, 101], who)
  const foreign = [
    'null', 'file://', 'https://elsewhere.example', `http://127.0.0.1:${port + 1}`, `http://localhost:${port}`, 'http://school.example', 'https://school.example:444',
    'https://school.example.evil.example', 'https://sch\u043eol.example', 'https://xn--schol-mqf.example', 'chrome-extension://school.example', '*'
  ]
  for (const origin of foreign) {
    // Node sends bytes, as a browser would not: what is not ASCII comes as it is typed here.
    t.same(await everyDoor(app, { origin: Buffer.from(origin).toString('latin1') }), [403, 400, 403, 'cut'], origin)
  }
  const { body } = await app.call<string>('GET', '//metrics', undefined, token({ role: 'admin' }))
  t.match(body, new RegExp(`^classwaves_connection_faults_total\\{what="origin"\\} ${foreign.length * 4}$`, 'm'), 'each is counted')
})

t.test('what a listed page may read, a foreign one may not', async t => {
  const app = await build(t, { origins: ['https://School.example'] })
  const read = async (origin: string): Promise<string | null> => (await fetch(app.url + polling, { headers: { origin } })).headers.get('access-control-allow-origin')
  t.equal(await read('https://school.example'), 'https://school.example')
  t.equal(await read('https://elsewhere.example'), null)
})

t.test('control: as it is shipped a foreign page connects, because CORS does not cover WebSockets', async t => {
  const http = createServer().listen(0, '127.0.0.1')
  const io = new Server(http, { cors: { origin: ['https://school.example'] } })
  t.teardown(() => io.close())
  await once(http, 'listening')
  const url = `http://127.0.0.1:${(http.address() as AddressInfo).port}`
  t.equal(await status(url, '/socket.io/?EIO=4&transport=websocket', { upgrade: true, headers: { origin: 'https://elsewhere.example' } }), 101)
})
