import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { Server } from 'socket.io'
import t, { type Test } from 'tap'
import type { ClasswavesOptions } from '../../index.ts'
import { Limits } from '../../lib/core/limits.ts'
import { parse } from '../../lib/core/options.ts'
import { packetMembers } from '../../lib/core/parser.ts'
import { codeAlphabet } from '../../lib/sessions/code.ts'
import { build, onBoth, token, type App } from '../app.ts'
import type { Client } from '../client.ts'
import { raw, rawSocket } from '../raw.ts'

/** More than anybody needs: of connections, sockets, packets, members, attachments, acknowledgements, codes. */

type Given = NonNullable<ClasswavesOptions['limits']>
const mebibyte = 1024 * 1024
const tick = async (ms: number): Promise<void> => await new Promise(resolve => setTimeout(resolve, ms))
const count = <T>(list: readonly T[], what: (one: T) => boolean): number => list.filter(what).length

/** What another client waits for an answer at most, while something goes on (ms). */
async function worstWait (other: Client, work: () => Promise<unknown>): Promise<number> {
  const over = new AbortController()
  let worst = 0
  const watching = (async () => {
    while (!over.signal.aborted) {
      const began = performance.now()
      await other.raw('no:such')
      worst = Math.max(worst, performance.now() - began)
      await tick(20)
    }
  })()
  await work()
  over.abort()
  await watching
  return worst
}

t.test('control: a stock server makes a socket of each CONNECT while a check takes its time', async t => {
  const http = createServer().listen(0, '127.0.0.1')
  const io = new Server(http)
  io.of('/sessions').use((_socket, next) => { setTimeout(next, 200) })
  t.teardown(() => io.close())
  await new Promise(resolve => http.once('listening', resolve))
  const wire = await raw(t, `http://127.0.0.1:${(http.address() as AddressInfo).port}`)
  wire.send(...Array.from({ length: 500 }, () => '0/sessions,'))
  while (count(wire.frames, frame => frame.startsWith('0/sessions,')) < 500) await tick(10)
  t.equal(io.of('/sessions').sockets.size, 500)
})

onBoth(t, 'one connection is one socket in each namespace, however slow the door is', async (t, options) => {
  const app = await build(t, options)
  let most = 0
  for (const name of ['/sessions', '/guidance', '/']) app.app.io.of(name).on('connection', () => { most = Math.max(most, app.app.io.of(name).sockets.size) })
  const wire = await raw(t, app.url)
  const auth = JSON.stringify({ token: token() })
  wire.send(...Array.from({ length: 600 }, (_, i) => `0${['/sessions', '/guidance', '/'][i % 3]},${auth}`))
  const over = new AbortController()
  void wire.closed().then(() => over.abort())
  while (!over.signal.aborted && wire.frames.length < 600) await tick(10)
  t.equal(most, 1, 'the others are refused, or break the protocol')
  t.ok(count(wire.frames, frame => frame.startsWith('0')) <= 3)
})

t.test('as many members as fit into a packet', async t => {
  const app = await build(t)
  const wire = await rawSocket(t, app.url, '/sessions', token())
  const other = await app.connect('/sessions', token())
  const wide: Record<string, string> = {
    'a hundred thousand keys': `{${Array.from({ length: 100_000 }, (_, i) => `"${i.toString(36)}":1`).join()}}`,
    'half a million elements': `[${'1,'.repeat(500_000)}1]`,
    'lists of lists': `[${'[],'.repeat(300_000)}[]]`,
    'as many positions': `{"sessionId":"x","since":{${Array.from({ length: 30_000 }, (_, i) => `"${i}":{"epoch":"1"}`).join()}}}`
  }
  let id = 0
  for (const [name, text] of Object.entries(wide)) {
    t.ok(text.length < mebibyte && text.length > mebibyte / 2, name)
    const took = await worstWait(other, async () => {
      wire.send(`2/sessions,${++id}["session:join",${text}]`)
      t.match(await wire.next(new RegExp(`^3/sessions,${id}\\[`)), /INVALID_PAYLOAD.*10000 members/)
    })
    t.comment(`${name}: another client waited ${Math.round(took)} ms at most`)
  }
})

t.test('what is wide is refused, not explained at length', async t => {
  const app = await build(t)
  const wire = await rawSocket(t, app.url, '/guidance', token())
  const text = `{"subscriptions":[${'1,'.repeat(packetMembers - 1)}1]}`
  const began = performance.now()
  for (let id = 1; id <= 50; id++) wire.send(`2/guidance,${id}["guidance:subscribe",${text}]`)
  t.match(await wire.next(/^3\/guidance,50\[/), /INVALID_PAYLOAD/)
  const took = performance.now() - began
  t.ok(took < 3_000, `50 packets of ${packetMembers} members in ${Math.round(took)} ms`)
  wire.send('2/guidance,51["guidance:subscribe",{"subscriptions":[1]}]')
  t.match(await wire.next(/^3\/guidance,51\[/), /guidance:subscribe: \/subscriptions\/0/, 'a small one is explained')
})

t.test('attachments', async t => {
  const app = await build(t, { sessions: { transcriber: () => {} } })
  const other = await app.connect('/sessions', token())
  const placeholder = (num: number): string => `{"_placeholder":true,"num":${num}}`
  const closes: Record<string, (string | Uint8Array)[]> = {
    'eleven of them': [`511-/sessions,1["x",${Array.from({ length: 11 }, (_, i) => placeholder(i)).join()}]`, ...Array.from({ length: 11 }, () => new Uint8Array(10))],
    'a thousand million': ['51000000000-/sessions,1["x"]'],
    'less than none': ['5-1-/sessions,1["x"]', new Uint8Array(10)],
    'one and a half': ['51.5-/sessions,1["x"]', new Uint8Array(10)],
    'one that is not there': [`51-/sessions,1["x",${placeholder(7)}]`, new Uint8Array(10)],
    'one by name': ['51-/sessions,1["x",{"_placeholder":true,"num":"__proto__"}]', new Uint8Array(10)],
    'bytes that nobody announced': [new Uint8Array(10)],
    'text in between': [`52-/sessions,1["x",${placeholder(0)},${placeholder(1)}]`, new Uint8Array(10), '2/sessions,2["x"]'],
    'what is too deep in between': [`52-/sessions,1["x",${placeholder(0)},${placeholder(1)}]`, new Uint8Array(10), `2/sessions,2["x",${'['.repeat(99)}${']'.repeat(99)}]`]
  }
  for (const [name, frames] of Object.entries(closes)) {
    const wire = await rawSocket(t, app.url, '/sessions', token())
    wire.send(...frames)
    t.ok(await wire.closed(), `${name}: the connection is closed`)
  }

  const wire = await rawSocket(t, app.url, '/sessions', token())
  const heard = wire.frames.length
  wire.send(`51-/sessions,1["group:leave",[${Array.from({ length: 4_000 }, () => placeholder(0)).join()}]]`, new Uint8Array(200_000))
  t.match(await wire.next(/^3\/sessions,1\[/), /INVALID_PAYLOAD/, 'one attachment in four thousand places')
  t.ok(wire.frames.slice(heard).join('').length < 1_000, 'comes back to nobody')
  t.equal(await other.code('no:such'), 'UNSUPPORTED_OPERATION')
})

t.test('acknowledgements that nobody asked for', async t => {
  const app = await build(t)
  const wire = await rawSocket(t, app.url, '/sessions', token())
  const ids = ['0', '1', '4294967296', '9007199254740993', '99999999999999999999999']
  wire.send(...Array.from({ length: 1_000 }, (_, i) => `3/sessions,${ids[i % ids.length]}[{"ok":true}]`))
  wire.send('2/sessions,7["no:such"]')
  t.match(await wire.next(/^3\/sessions,7\[/), /UNSUPPORTED_OPERATION/, 'are passed over')
  for (const socket of app.app.io.of('/sessions').sockets.values()) {
    t.equal((socket as unknown as { acks: Map<number, unknown> }).acks.size, 0, 'and leave nothing behind')
  }
  wire.send(...Array.from({ length: 5_000 }, () => '3/sessions,1[]'))
  t.ok(await wire.closed(), 'a flood of them closes the connection')
  t.equal(await faults(app, 'flood'), 1)
})

async function faults (app: App, what: string): Promise<number> {
  const { body } = await app.call<string>('GET', '//metrics', undefined, token({ role: 'admin' }))
  return Number(new RegExp(`^classwaves_connection_faults_total\\{what="${what}"\\} (\\d+)`, 'm').exec(body)?.[1] ?? 0)
}

t.test('a connection that comes to no namespace ends', async t => {
  const app = await build(t, { io: { connectTimeout: 300 } })
  const wires = await Promise.all(Array.from({ length: 20 }, async () => await raw(t, app.url)))
  const began = performance.now()
  await Promise.all(wires.map(async wire => await wire.closed()))
  t.ok(performance.now() - began < 2_000)
  t.equal((await build(t)).app.io.connectTimeout(), 10_000, 'after 10 s unless the host says otherwise')
})

/** Each limit, set so low that a few tries pass it: how many of ten were allowed. */
const tries: Record<keyof Limits, [limits: Given, allowed: number, (t: Test, app: App) => Promise<string[]>]> = {
  handshakesPer10Seconds: [{ handshakesPer10Seconds: 4 }, 4, async (_t, app) => await ten(async () => {
    const { status } = await fetch(`${app.url}/socket.io/?EIO=4&transport=polling`)
    return status === 200 ? 'ok' : String(status)
  })],
  connectsPer10Seconds: [{ connectsPer10Seconds: 4 }, 4, async (_t, app) => await ten(async () => await connecting(app, token()))],
  failedConnectsPerMinute: [{ failedConnectsPerMinute: 4 }, 4, async (_t, app) => await ten(async () => await connecting(app, 'no token') === 'AUTH_FAILED' ? 'ok' : 'RATE_LIMITED')],
  wrongCodesPerMinute: [{ wrongCodesPerMinute: 4 }, 4, async (_t, app) => await ten(async () => await guessing(app))],
  wrongCodesPerDay: [{ wrongCodesPerDay: 4 }, 4, async (_t, app) => await ten(async () => await guessing(app))],
  classroomSocketsPerUser: [{ classroomSocketsPerUser: 4 }, 4, async (_t, app) => await ten(async () => await connecting(app, token({ sub: 'one' }), '/'))],
  sessionsSocketsPerUser: [{ sessionsSocketsPerUser: 4 }, 4, async (_t, app) => await ten(async () => await connecting(app, token({ sub: 'one' })))],
  guidanceSocketsPerUser: [{ guidanceSocketsPerUser: 4 }, 4, async (_t, app) => await ten(async () => await connecting(app, token({ sub: 'one' }), '/guidance'))],
  eventsPerSecond: [{ eventsPerSecond: 1, eventBurst: 4 }, 4, saying(() => ['no:such', {}])],
  eventBurst: [{ eventsPerSecond: 1, eventBurst: 4 }, 4, saying(() => ['no:such', {}])],
  roomsPerSocket: [{ roomsPerSocket: 8 }, 1, async (_t, app) => {
    const teacher = token()
    const socket = await app.connect('/sessions', teacher)
    return await ten(async () => await socket.code('session:join', { sessionId: (await app.session(teacher, { start: false })).sessionId }))
  }],
  depth: [{ depth: 4 }, 4, saying(i => ['no:such', JSON.parse('['.repeat(i + 1) + ']'.repeat(i + 1))])],
  packetBytes: [{ packetBytes: 1_000 }, 5, saying(i => ['no:such', 'x'.repeat(i * 200)])],
  waitingBytes: [{ waitingBytes: 100_000 }, 0, async (_t, app) => {
    const socket = await app.connect('/sessions', token())
    const { ws } = socket.socket.io.engine.transport as unknown as { ws: { pause (): void, resume (): void } }
    ws.pause()
    const [server] = [...app.app.io.of('/sessions').sockets.values()]
    for (let i = 0; i < 400 && server?.connected; i++) {
      server.emit('word', 'x'.repeat(50_000))
      await tick(1)
    }
    ws.resume()
    return [server?.connected ? 'ok' : 'closed']
  }],
  audioChunksPerSecond: [{ audioChunksPerSecond: 4 }, 4, audio(10)],
  audioBytesPerSecond: [{ audioBytesPerSecond: 4_000 }, 4, audio(1_000)]
}

const ten = async (one: (i: number) => Promise<string>): Promise<string[]> => {
  const answers: string[] = []
  for (let i = 0; i < 10; i++) answers.push(await one(i))
  return answers
}

async function connecting (app: App, auth: string, namespace = '/sessions'): Promise<string> {
  return await app.connect(namespace, auth).then(() => 'ok', (error: { data?: { code: string } }) => error.data?.code ?? 'no code')
}

async function guessing (app: App, code = '222222'): Promise<string> {
  const { status } = await app.call('POST', '/sessions/join', { code, displayName: 'Nobody' })
  return status === 404 ? 'ok' : String(status)
}

function saying (event: (i: number) => [string, unknown]): (t: Test, app: App) => Promise<string[]> {
  return async (_t, app) => {
    const socket = await app.connect('/sessions', token())
    return await ten(async i => await socket.code(...event(i)) === 'UNSUPPORTED_OPERATION' ? 'ok' : 'refused')
  }
}

function audio (bytes: number): (t: Test, app: App) => Promise<string[]> {
  return async (_t, app) => {
    const place = { sessionId: (await app.session(token({ sub: 'teacher-1' }), { groups: [{ groupId: 'red', name: 'Red', memberIds: ['student-1'] }] })).sessionId, groupId: 'red' }
    const socket = await app.connect('/sessions', token({ sub: 'student-1', role: 'student' }))
    await socket.raw('session:join', { sessionId: place.sessionId })
    return await ten(async () => await socket.code('audio:chunk', { ...place, data: Buffer.alloc(bytes), mimeType: 'audio/webm' }))
  }
}

t.test('every limit is kept', async t => {
  t.same(Object.keys(tries).sort(), Object.keys(parse(Limits)).sort(), 'there is a row for each')
  for (const [name, [limits, allowed, attempt]] of Object.entries(tries)) {
    await t.test(name, async t => {
      let answers: string[] = []
      const passed = (): number => count(answers, answer => answer === 'ok')
      // On a slow machine a limit by the second has let more pass by then; one that is wrong is wrong each time.
      for (let tries = 0; tries < 5 && (tries === 0 || passed() !== allowed); tries++) {
        answers = await attempt(t, await build(t, { limits, sessions: { transcriber: () => {} } }))
      }
      t.equal(passed(), allowed, answers.join(' '))
    })
  }
})

/** Live codes, days of a school year, and how many hits an address may expect in it. */
const school = { codes: 200, days: 200, hits: 0.01 }
/** On how many of these days Redis takes no writes for long enough that each of so many processes counts for itself. */
const trouble = { days: 2, processes: 4 }

t.test('guessing codes comes to nothing', async t => {
  const { wrongCodesPerDay, wrongCodesPerMinute } = parse(Limits)
  const hits = (length: number, addresses = 1): number => addresses * wrongCodesPerDay * school.days * school.codes / codeAlphabet.length ** length
  t.equal(codeAlphabet.length, new Set(codeAlphabet).size)
  t.ok(hits(6) < school.hits, `6 characters: ${hits(6).toExponential(1)} hits an address and year`)
  t.ok(2 * hits(6) < school.hits, 'also if each day is counted twice, as a window that begins at noon allows')
  const inTrouble = 1 + trouble.days * trouble.processes / school.days
  t.ok(2 * inTrouble * hits(6) < school.hits, `and with Redis in trouble on one day in a hundred: ${(2 * inTrouble * hits(6)).toExponential(1)}`)
  t.ok((1 + trouble.processes) * hits(6) > 2 * school.hits, 'but not with Redis in trouble every day')
  t.ok(hits(5) > school.hits, 'five would not do')
  t.ok(hits(8, 1_000) < school.hits, `8 characters: ${hits(8, 1_000).toExponential(1)} hits a year from a thousand addresses`)
  t.ok(hits(6, 1_000) > 1, 'against which six would not do')
  t.ok(hits(6, 2 ** 8) > 1 && hits(8, 2 ** 8) < school.hits, 'nor against one who has a /56 of IPv6, which is 256 addresses here')
  t.ok(hits(8, 2 ** 16) > school.hits && hits(8, 2 ** 16) < 1, 'against a /48 eight are one hit in three years')
  t.ok(wrongCodesPerMinute < wrongCodesPerDay)
})

onBoth(t, 'codes are counted, also when they come all at once', async (t, options) => {
  const app = await build(t, options)
  const answers = await Promise.all(Array.from({ length: 300 }, async (_, i) => await guessing(app, `22${String(i + 2222).replaceAll(/[01]/g, '2')}`)))
  const guesses = count(answers, answer => answer === 'ok')
  t.ok(guesses >= 20 && guesses <= 40, `${guesses} of 300 were looked up`)
  t.equal(count(answers, answer => answer === '429'), 300 - guesses)
  const { code } = await app.session(token())
  t.equal((await app.call('POST', '/sessions/join', { code, displayName: 'Late' })).status, 429, 'after which a right one tells nothing either')
})
