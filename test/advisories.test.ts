import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { setTimeout as pause } from 'node:timers/promises'
import { Socket as Engine } from 'engine.io-client'
import t, { type Test } from 'tap'
import WebSocket from 'ws'
import { remote, token, type Remote } from './app.ts'
import { bytes, frame, request, upgrade, upgradeHeaders } from './bytes.ts'
import { patienceMs, type Client } from './client.ts'
import { launch } from './fork.ts'
import type { State } from './fuzz/target.ts'
import { raw, rawSocket } from './raw.ts'

/**
 * Every advisory that was ever published for Socket.IO and what it stands on (socket.io/SECURITY.md), with newer ones of
 * ws and those of Fastify, sent again as a frame or a request to a server in a process that catches nothing. Those of
 * fast-jwt are rows in `tokens.test.ts`.
 */

interface Scene { t: Test, server: Remote, url: string, state: () => Promise<State> }

const mebibyte = 1024 * 1024
const polling = '/socket.io/?EIO=4&transport=polling'

/** The id of a new connection by polling. */
async function pollingId (url: string): Promise<string> {
  const text = await (await fetch(url + polling)).text()
  return (JSON.parse(text.slice(1)) as { sid: string }).sid
}

async function post (url: string, sid: string, body: string): Promise<number> {
  return (await fetch(`${url}${polling}&sid=${sid}`, { method: 'POST', body })).status
}

async function webSocket ({ t, url }: Scene): Promise<WebSocket> {
  const socket = new WebSocket(`${url.replace('http', 'ws')}/socket.io/?EIO=4&transport=websocket`)
  t.teardown(() => socket.terminate())
  await once(socket, 'open')
  return socket
}

/** Each of these frames, on a connection of its own in the class, closes that connection. */
async function closes ({ t, url }: Scene, ...attacks: (string | Uint8Array)[][]): Promise<void> {
  for (const frames of attacks) {
    const wire = await rawSocket(t, url, '/sessions', token({ role: 'student' }))
    wire.send(...frames)
    t.ok(await wire.closed(), `${String(frames[0]).slice(0, 60)} closes its connection`)
  }
}

/** The status of the answer to a request. */
async function status ({ t, url }: Scene, text: string): Promise<number> {
  const connection = await bytes(t, url)
  connection.socket.write(text)
  const answer = await connection.until(/^HTTP\/1\.1 \d{3}/)
  connection.socket.destroy()
  return Number(answer.slice(9, 12))
}

const advisories: Record<string, (scene: Scene) => Promise<unknown>> = {
  async 'CVE-2017-16031 GHSA-qv2v-m59f-v5fw socket.io: ids that can be guessed' ({ t, url }) {
    const ids = await Promise.all(Array.from({ length: 50 }, () => pollingId(url)))
    t.equal(new Set(ids.map(id => id.slice(0, 12))).size, 50, 'they do not even begin alike')
    await Promise.all(ids.map(async id => await post(url, id, '1')))
  },
  async 'CVE-2020-28481 GHSA-fxwf-4rqh-v8g3 socket.io: any origin is allowed' ({ t, url }) {
    const answer = await fetch(url + polling, { headers: { origin: 'https://evil.example' } })
    t.equal(answer.status, 403)
    t.equal(answer.headers.get('access-control-allow-origin'), null)
  },
  async 'CVE-2024-38355 GHSA-25hc-qcg6-38wj socket.io: an event called error' ({ t, url }) {
    const wire = await rawSocket(t, url, '/sessions', token({ role: 'student' }))
    wire.send('2/sessions,["error"]', '2/sessions,["error","x"]', '2/sessions,1["error",{}]')
    t.match(await wire.next(/^3\/sessions,1/), /UNSUPPORTED_OPERATION/)
  },
  async 'CVE-2016-10518 GHSA-2mhh-w6q8-5hxw ws: a ping shows memory' (scene) {
    const socket = await webSocket(scene)
    const said = Buffer.alloc(125, 'ping')
    socket.ping(said)
    const [echo] = await once(socket, 'pong') as [Buffer]
    scene.t.same(echo, said, 'the echo is what was said')
  },
  async 'CVE-2016-10542 GHSA-6663-c963-2gqg ws: a message of any size' ({ t, url }) {
    for (const length of [2 * mebibyte + 1, 2 ** 31, 2 ** 52]) {
      const connection = await bytes(t, url)
      connection.socket.write(upgrade())
      await connection.until(/^HTTP\/1\.1 101/)
      connection.socket.write(frame('x', { length }))
      t.match(await connection.closed(), '\x88\x02\x03\xf1', `${length} bytes announced: 1009, before they come`)
    }
  },
  async 'GHSA-5v72-xg48-5rpm ws: Sec-WebSocket-Extensions with names that objects have' (scene) {
    const extensions = ['constructor', '__proto__', 'x; constructor', 'permessage-deflate; __proto__=1', 'permessage-deflate; constructor; toString', 'permessage-deflate; server_max_window_bits=99', ';;;,,,']
    for (const one of extensions) scene.t.match(await status(scene, upgrade([['sec-websocket-extensions', one]])), /^(101|400)$/, one)
  },
  async 'CVE-2021-32640 GHSA-6fc8-4gx4-v693 ws: Sec-WebSocket-Protocol with many spaces' (scene) {
    for (const one of [`a${' '.repeat(15_000)}b`, `a${','.repeat(15_000)}b`, `a,${' '.repeat(15_000)}`]) {
      scene.t.match(await status(scene, upgrade([['sec-websocket-protocol', one]])), /^(101|400)$/)
    }
  },
  async 'CVE-2024-37890 GHSA-3h5v-q93c-6h6q ws: more headers than Node keeps' (scene) {
    const many = Array.from({ length: 2_000 }, (_, i) => [i.toString(36), ''] as const)
    for (const kept of [upgradeHeaders.length, 2, 1, 0]) {
      const headers = [...upgradeHeaders.slice(0, kept), ...many, ...upgradeHeaders.slice(kept)]
      scene.t.match(await status(scene, request('GET', '/socket.io/?EIO=4&transport=websocket', headers)), /^(101|[45]\d\d)$/, `${kept} of the upgrade kept`)
    }
  },
  async 'CVE-2026-45736 GHSA-58qx-3vcg-4xpx ws: the reason of a close shows memory' (scene) {
    const socket = await webSocket(scene)
    socket.close(4000, 'a reason')
    const [code, reason] = await once(socket, 'close') as [number, Buffer]
    scene.t.match([code, String(reason)], [4000, /^(a reason)?$/], 'the echo is no more than was said')
  },
  async 'CVE-2026-48779 GHSA-96hv-2xvq-fx4p ws: a message of a great many fragments' ({ t, url, state }) {
    const { heap } = await state()
    const connection = await bytes(t, url)
    connection.socket.write(upgrade())
    await connection.until(/^HTTP\/1\.1 101/)
    connection.socket.write(Buffer.concat([frame('x', { first: 0x01 }), ...Array.from({ length: 100_000 }, () => frame('x', { first: 0x00 }))]))
    await connection.closed()
    t.ok((await state()).heap - heap < 16 * mebibyte, 'and they are not kept')
  },
  async 'CVE-2020-36048 GHSA-j4f2-536g-r55m engine.io: many packets in one request' (scene) {
    const { t, url } = scene
    for (const body of ['\x1e'.repeat(2 * mebibyte - 1), '4\x1e'.repeat(mebibyte - 1), '2\x1e'.repeat(mebibyte - 1), '4x\x1e'.repeat(600_000), 'b\x1e'.repeat(mebibyte - 1), '1:4'.repeat(600_000)]) {
      t.match(await post(url, await pollingId(url), body), /^(200|400|413)$/, JSON.stringify(body.slice(0, 6)))
    }
    t.equal(await status(scene, request('POST', '/socket.io/?EIO=3&transport=polling', [], '2:4x'.repeat(1_000))), 400, 'the older protocol is not spoken')
  },
  async 'CVE-2022-21676 GHSA-273r-mgr4-v34f engine.io: a broken frame right behind the request' ({ t, url }) {
    for (const path of ['/socket.io/?EIO=4&transport=websocket', '/socket.io/?EIO=4&transport=websocket&sid=nobody', '/socket.io/?EIO=4&transport=polling']) {
      for (const broken of [frame('x', { first: 0xf1 }), frame('x', { first: 0x83 }), frame('', { first: 0x88, length: 126 }), Buffer.from('nonsense')]) {
        const connection = await bytes(t, url)
        connection.socket.write(Buffer.concat([Buffer.from(upgrade([], path)), broken]))
        await connection.closed()
      }
    }
  },
  async 'CVE-2022-41940 GHSA-r7qp-cfhv-p84w engine.io: a reset in the middle of an upgrade' ({ t, url }) {
    const texts = [upgrade(), upgrade([], '/socket.io/?EIO=4&transport=websocket&sid=nobody'), upgrade([], '/socket.io/?EIO=9'), upgrade([], '/elsewhere'), upgrade([['origin', 'https://evil.example']])]
    for (const text of [...texts, ...texts]) {
      const { socket } = await bytes(t, url)
      await new Promise<unknown>(resolve => socket.write(text, resolve))
      socket.resetAndDestroy()
    }
  },
  async 'CVE-2023-31125 GHSA-q9mw-68c2-j6m5 engine.io: a transport or id with a name that objects have' (scene) {
    const names = ['__proto__', 'constructor', 'toString', 'hasOwnProperty', '']
    const queries = [...names.map(name => `EIO=4&transport=${name}`), ...names.map(name => `EIO=4&transport=websocket&sid=${name}`),
      'EIO=4&transport=websocket&transport=polling', 'EIO=4&EIO=3&transport=websocket', 'EIO[]=4&transport[]=websocket', 'EIO=4&transport=websocket&sid=a&sid=b', 'EIO=4&transport=webtransport', 'transport=websocket']
    for (const query of queries) {
      const path = `/socket.io/?${query}`
      for (const text of [upgrade([], path), request('GET', path), request('POST', path, [], '4')]) scene.t.match(await status(scene, text), /^(101|[24]\d\d)$/, query)
    }
  },
  async 'CVE-2020-36049 GHSA-xfhh-g9f5-x4m4 socket.io-parser: a long head' (scene) {
    const long = (char: string): string => char.repeat(mebibyte - 20)
    await closes(scene, [`2${long('1')}`], [`2/${long('a')}`], [`2/${long('a')},["x"]`], [`5${long('1')}`], [`5${long('1')}-["x"]`])
    const wire = await rawSocket(scene.t, scene.url, '/sessions', token({ role: 'student' }))
    wire.send(`2/sessions,${long('1')}["x"]`)
    scene.t.match(await wire.next(/^3\/sessions,/), /UNSUPPORTED_OPERATION/)
  },
  async 'CVE-2022-2421 GHSA-qm95-pgcg-qqfq socket.io-parser: an attachment whose number is a name' (scene) {
    const frames = ['"splice"', '"__proto__"', '-1', '1.5', '1e9', '{}', 'null'].map(num => [`51-/sessions,["x",{"_placeholder":true,"num":${num}}]`, new Uint8Array(3)])
    await closes(scene, ...frames)
  },
  async 'CVE-2023-32695 GHSA-cqmj-92xf-r6r9 socket.io-parser: the name of an event is an object' (scene) {
    await closes(scene, ['2/sessions,[{"toString":"foo"}]'], ['2/sessions,1[{"toString":"foo"},{}]'], ['51-/sessions,[{"_placeholder":true,"num":0}]', new Uint8Array(3)])
    const wire = await raw(scene.t, scene.url)
    wire.send('2[{"toString":"foo"}]')
    await wire.closed()
  },
  async 'CVE-2026-33151 GHSA-677m-j7p3-52f9 socket.io-parser: attachments without number' (scene) {
    const part = new Uint8Array(1)
    await closes(scene, ['5999999999-/sessions,["x",{"_placeholder":true,"num":0}]', part], ['511-/sessions,["x"]', ...Array.from({ length: 11 }, () => part)])
  },
  async 'CVE-2016-10536 GHSA-4r4m-hjwj-43p8 engine.io-client: certificates are not looked at' ({ t }) {
    const { opts } = new Engine('https://localhost', { autoConnect: false } as object) as unknown as { opts: { rejectUnauthorized?: boolean } }
    t.not(opts.rejectUnauthorized, false, 'as Node has it')
  },
  async 'CVE-2025-32442 CVE-2026-25223 CVE-2026-33806 fastify: a type that is spelled so that the schema is not asked' (scene) {
    for (const type of ['application/json', 'Application/JSON', ' application/json', '\tapplication/json', 'application/json\t', 'application/json ;charset=utf-8', 'application/json\t; a=b', 'application/vnd.api+json', 'application/json,text/plain']) {
      const text = request('POST', '/api/v1/sessions', [['authorization', ` Bearer ${token()}`], ['content-type', type]], '{"topic":7}')
      scene.t.equal(await status(scene, text), 400, JSON.stringify(type))
    }
  },
  async 'CVE-2026-3635 fastify: X-Forwarded-Host and -Proto of anybody' (scene) {
    const forged = [['origin', 'https://evil.example'], ['x-forwarded-host', 'evil.example'], ['x-forwarded-proto', 'https'], ['forwarded', 'host=evil.example;proto=https']] as const
    scene.t.equal(await status(scene, request('GET', polling, forged)), 403)
    scene.t.match(await status(scene, upgrade(forged)), /^4\d\d$/)
  }
}

async function target (t: Test): Promise<Omit<Scene, 't'> & { kill: () => Promise<void> }> {
  const { child, gone, kill, first } = await launch(t, 'fuzz/target.ts', { redis: false })
  const end = gone.then(([code]) => { throw new Error(`the process ended with ${code}`) })
  end.catch(() => {}) // its end is a fault only while somebody asks for its state
  return {
    server: remote(t, first as string),
    url: first as string,
    kill,
    async state () {
      const said = once(child, 'message') as Promise<[State]>
      child.send('state', () => {})
      return (await Promise.race([said, end]))[0]
    }
  }
}

t.test('advisories of the past', async t => {
  const { server, url, state, kill } = await target(t)
  const { sessionId } = await server.session(token(), { groups: [{ groupId: 'red', name: 'Red', memberIds: ['student-1'] }] })
  const honest: Client = await server.connect('/sessions', token({ sub: 'student-1', role: 'student' }))
  await honest.raw('session:join', { sessionId })
  const before = await state()

  for (const [name, replay] of Object.entries(advisories)) {
    await t.test(name, async t => {
      const replayed = replay({ t, server, url, state })
      t.equal(await honest.code('audio:stream:ack', { sessionId, groupId: 'red' }), 'ok', 'an honest client is served meanwhile')
      await replayed
      t.equal(await honest.code('audio:stream:ack', { sessionId, groupId: 'red' }), 'ok', 'and afterwards')
      const { pid, errors } = await state()
      t.same({ pid, errors }, { pid: before.pid, errors: [] }, 'the process lives and knows of no fault')
    })
  }

  let after = await state()
  for (const deadline = performance.now() + patienceMs; after.sockets > before.sockets && performance.now() < deadline; after = await state()) await pause(100)
  t.same([after.sockets, after.rooms], [before.sockets, before.rooms], 'no socket and no room is left')
  await kill()
  await t.rejects(state(), { message: 'the process ended with null' }, 'control: the end of the process would have been seen')
})

t.test('nothing older than the last repair is installed', async t => {
  const floors: Record<string, string> = { fastify: '5.8.5', 'fast-jwt': '6.1.1', 'socket.io': '4.6.2', 'socket.io-parser': '4.2.6', 'engine.io': '6.6.9', ws: '8.21.0', ioredis: '6.0.0' }
  const lock = JSON.parse(readFileSync(new URL('../package-lock.json', import.meta.url), 'utf8')) as { packages: Record<string, { version?: string }> }
  const numbers = (version: string): number[] => version.split('.').map(Number)
  const isOlder = (one: string, other: string): boolean => numbers(one).map((part, i) => part - (numbers(other)[i] ?? 0)).find(part => part !== 0) as number < 0
  for (const [name, floor] of Object.entries(floors)) {
    const found = Object.entries(lock.packages).filter(([path]) => path.endsWith(`node_modules/${name}`)).map(([, { version = '0' }]) => version)
    t.ok(found.length > 0 && !found.some(version => isOlder(version, floor)), `${name} ${found.join()} is not older than ${floor}`)
  }
})
