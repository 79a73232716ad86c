import { once } from 'node:events'
import { Agent, request as ask } from 'node:http'
import { setTimeout as pause } from 'node:timers/promises'
import WebSocket from 'ws'
import { remote, token, type Body, type Remote } from '../app.ts'
import { patienceMs, type Client } from '../client.ts'
import { launch } from '../fork.ts'
import type { Owner } from '../redis.ts'
import type { Place } from '../requests.ts'
import { connects, frames, greetings, request, type Attacker, type Frame } from './frames.ts'
import { Random } from './random.ts'
import type { State } from './target.ts'

/**
 * Attacks a server with frames from the contracts and what chance makes of them, over every door at once. The same seed
 * makes the same connections with the same frames. A class that nobody of the attackers is in looks on, and another one
 * goes on with its work.
 */

export interface Report {
  seed: number
  frames: number
  requests: number
  connections: number
  seconds: number
  /** The process before, after a tenth, and at the end. */
  before: State
  warm: State
  after: State
  /** The class that the attackers belong to, at the end. */
  status: string
  /** What the foreign class heard, and what had changed in it. */
  foreign: string[]
  /** What the honest class was refused. */
  failures: string[]
  /** How often it was served, and what it waited at most (ms). */
  served: number
  worstMs: number
  /** The exit of the process, if it came to that, and the connections that were open then. */
  exit?: string
}

const plenty = 1_000_000_000
const limits = {
  eventsPerSecond: plenty, eventBurst: plenty, failedConnectsPerMinute: plenty, connectsPer10Seconds: plenty, handshakesPer10Seconds: plenty,
  wrongCodesPerMinute: plenty, wrongCodesPerDay: plenty, audioChunksPerSecond: plenty, audioBytesPerSecond: plenty, classroomSocketsPerUser: plenty, sessionsSocketsPerUser: plenty, guidanceSocketsPerUser: plenty
}
/** Connections at a time, and events on each of them. */
const width = 12
const length = 200
const share = { polling: 0.03, rest: 0.05 }

export async function attack (t: Owner, { seed, frames: wanted, redis = false }: { seed: number, frames: number, redis?: string | false }): Promise<Report> {
  // A class in which nothing happens becomes idle after a while, and says so; a million frames may take longer than that.
  const classroom = { historyMessages: 50, idleAfterMs: 3_600_000, awayAfterMs: 7_200_000 }
  const { child, gone, first } = await launch(t, 'fuzz/target.ts', { redis, limits, classroom })
  const server = remote(t, first as string)
  const fate: { exit?: string } = {}
  void gone.then(([code]) => { fate.exit = `the process ended with ${code}` })
  async function state (): Promise<State> {
    const said = once(child, 'message') as Promise<[State]>
    child.send('state', () => {}) // one that has gone is told by its exit
    return (await said)[0]
  }

  const [own, foreign, peaceful] = [await school(server, 'own'), await school(server, 'foreign'), await school(server, 'peaceful')]
  const before = await state() // nobody has connected yet
  const watch = await watcher(server, foreign)
  const work = await worker(server, peaceful)
  const attackers = attackersOf(own, foreign)
  const agent = new Agent({ keepAlive: true, maxSockets: width })
  const url = new URL(server.url)
  let warm = before
  let connections = 0
  /** Frames that the server has read so far: of what is sent, it reads nothing behind the end of a connection. */
  const progress = { read: 0 }
  const open = new Set<number>()
  const began = performance.now()

  /** One connection, all that it sends, and its end. */
  async function connection (index: number): Promise<void> {
    const random = new Random(seed, index)
    const attacker = random.pick(attackers)
    const lot = random.next()
    if (lot < share.rest) return await requests(random, attacker)
    await (lot < share.rest + share.polling ? poll(attacker, random) : speak(attacker, random))
  }

  async function speak (attacker: Attacker, random: Random): Promise<void> {
    const socket = new WebSocket(`ws://${url.host}/socket.io/?EIO=4&transport=websocket`)
    const closed = new Promise<void>(resolve => socket.once('close', () => resolve()).on('error', () => {}))
    await Promise.race([once(socket, 'open'), closed])
    // What comes before the door has opened ends the connection; so it does when nobody waits, as some do not.
    const doors = connects(attacker, random)
    const opened: string[] = []
    await Promise.race([closed, pause(random.maybe(0.98) ? patienceMs : 0, undefined, { ref: false }), answers(socket, doors, opened)])
    for (const frame of script(attacker, opened, random)) if (socket.readyState === WebSocket.OPEN) socket.send(frame)
    if (random.maybe(0.1)) rawBytes(socket, random)
    // The answer to this comes behind everything else; whoever was closed gets none.
    const answered = new Promise<void>(resolve => socket.on('message', text => { if (/^43(\/\w+,)?888/.test(String(text))) resolve() }))
    const [door = '/'] = opened
    if (socket.readyState === WebSocket.OPEN) socket.send(`42${door === '/' ? '' : `${door},`}888["no:such"]`)
    await Promise.race([closed, answered, pause(300, undefined, { ref: false })])
    socket.terminate()
    await closed
  }

  /** All that a connection says, once the doors have opened. */
  function script (attacker: Attacker, opened: readonly string[], random: Random): Frame[] {
    return [...greetings(attacker, opened), ...Array.from({ length }, () => frames(attacker, opened, random)).flat()]
  }

  /** Goes to the doors, and waits until each has said yes or no. */
  async function answers (socket: WebSocket, doors: readonly string[], opened: string[]): Promise<void> {
    let left = doors.length
    const all = new Promise<void>(resolve => socket.on('message', text => {
      const [, answer, namespace] = /^4([04])(?:(\/[^,]*),)?/.exec(String(text)) ?? []
      if (answer === '0') opened.push(namespace ?? '/')
      if (answer !== undefined && --left === 0) resolve()
    }))
    for (const door of doors) socket.send(door)
    if (left > 0) await all
  }

  async function poll (attacker: Attacker, random: Random): Promise<void> {
    const path = '/socket.io/?EIO=4&transport=polling'
    const { body } = await http('GET', path)
    const sid = /"sid":"([^"]+)"/.exec(body)?.[1]
    await http('POST', `${path}&sid=${sid ?? 'none'}`, connects(attacker, random).join('\x1e'))
    const { body: said } = await http('GET', `${path}&sid=${sid ?? 'none'}`)
    const opened = [...said.matchAll(/40(?:(\/[^,]*),)?\{"sid/g)].map(([, namespace = '/']) => namespace)
    const text = script(attacker, opened, random).map(frame => typeof frame === 'string' ? frame : `b${frame.toString('base64')}`).join('\x1e')
    await http('POST', `${path}&sid=${sid ?? 'none'}`, text, { 'content-type': 'text/plain;charset=UTF-8' })
    await http('POST', `${path}&sid=${sid ?? 'none'}`, '1') // goodbye
  }

  async function requests (random: Random, attacker: Attacker): Promise<void> {
    for (let i = 0; i < 20; i++) {
      const { method, path, headers, body } = request(attacker, random)
      await http(method, path, body, headers)
    }
  }

  async function http (method: string, path: string, body?: string, headers: Record<string, string> = {}): Promise<{ body: string }> {
    return await new Promise(resolve => {
      const asked = ask({ agent, host: url.hostname, port: url.port, method, path, headers })
      asked.on('response', response => {
        let text = ''
        response.setEncoding('utf8').on('data', (part: string) => { text += part }).on('close', () => resolve({ body: text }))
      }).on('error', () => resolve({ body: '' }))
      asked.end(body)
    })
  }

  async function lane (): Promise<void> {
    while (progress.read < wanted && fate.exit === undefined) {
      const index = connections++
      open.add(index)
      await connection(index)
      open.delete(index)
    }
  }

  async function count (): Promise<void> {
    while (progress.read < wanted && fate.exit === undefined) {
      await pause(500)
      const now = await Promise.race([state(), gone.then(() => before)])
      progress.read = now.frames - before.frames
      if (warm === before && progress.read > wanted / 10) warm = now
    }
  }
  await Promise.all([count(), ...Array.from({ length: width }, lane)])
  const served = await work.end()
  const heard = fate.exit === undefined ? await watch.end() : []
  agent.destroy()
  const status = fate.exit === undefined ? (await server.call<{ status: string }>('GET', `/sessions/${own.place.sessionId}`, undefined, own.teacher)).body.status : 'unknown'
  let after = before
  for (let i = 0; i < 150 && fate.exit === undefined; i++) {
    after = await state()
    if (after.connections <= before.connections && after.sockets <= before.sockets && after.files <= before.files) break
    await pause(200)
  }
  const seconds = (performance.now() - began) / 1000
  return {
    seed, frames: after.frames - before.frames, requests: after.requests - before.requests, connections, seconds, before, warm, after, status, foreign: heard, ...served,
    ...(fate.exit !== undefined && { exit: `${fate.exit}; the connections ${[...open].join(', ')} of seed ${seed} were open` })
  }
}

/** Frames of the WebSocket protocol that no library writes: unmasked, reserved, endless, torn. */
function rawBytes (socket: WebSocket, random: Random): void {
  const { _socket: wire } = socket as unknown as { _socket: { write (bytes: Buffer): void } | null }
  wire?.write(random.pick([
    Buffer.from([0x81, 0x05, 1, 2, 3, 4, 5]), Buffer.from([0xff, 0xff, 0xff, 0xff]), Buffer.from([0x83, 0x80, 0, 0, 0, 0]), Buffer.from([0x81, 0xff, 0x7f, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff]),
    Buffer.from([0x01, 0x81, 0, 0, 0, 0, 0x34]), Buffer.from([0x88, 0x81, 0, 0, 0, 0, 1]), Buffer.from([0x89, 0xfe, 0x04, 0, 0, 0, 0, 0]), Buffer.from([0xc1, 0x81, 0, 0, 0, 0, 0x34])
  ]))
}

interface School { place: Place, teacher: string, student: string }

async function school (server: Remote, name: string): Promise<School> {
  const teacher = token({ sub: `teacher-${name}` })
  const student = token({ sub: `student-${name}`, role: 'student' })
  const session = await server.session(teacher, { groups: [{ groupId: `red-${name}`, name: 'Red', leaderId: `student-${name}`, memberIds: [`student-${name}`] }] })
  return { place: { sessionId: session.sessionId, code: session.code, groupId: `red-${name}`, promptId: `${session.sessionId}.1`, token: student }, teacher, student }
}

/** Everybody who has something to do with the own class, and those who have nothing to do anywhere. The foreign class is known by all but its code. */
function attackersOf (own: School, foreign: School): Attacker[] {
  const there = { ...foreign.place, code: 'WRONG2' }
  const nowhere = { sessionId: 'nowhere', code: 'WRONG2', groupId: 'none', promptId: 'none', token: own.student }
  const places = [own.place, own.place, own.place, there, there, nowhere]
  const strangers = [token({ role: 'parent' }), token({ role: 'student' }), token({ sub: 'teacher-elsewhere' }), token({}, 'another secret'), 'x.y.z']
  return [
    ...[own.student, own.student, own.student, own.teacher, own.teacher, ...strangers].map(one => ({ token: one, places })),
    { token: token({ role: 'worker' }), places: [own.place, nowhere] } // may write to any session
  ]
}

/** A class in which nothing happens: whatever comes is foreign. */
async function watcher (server: Remote, { place, teacher, student }: School) {
  const clients: Client[] = []
  for (const [namespace, auth, event, payload] of [
    ['/sessions', teacher, 'session:join', { sessionId: place.sessionId }], ['/sessions', student, 'student:session:join', { sessionId: place.sessionId }],
    ['/guidance', teacher, 'session:guidance:subscribe', { sessionId: place.sessionId }], ['/guidance', teacher, 'guidance:subscribe', {}],
    ['/', teacher, 'joinSession', place.code], ['/', student, 'joinSession', place.code]
  ] as const) {
    const one = await server.connect(namespace as string, auth)
    const { ok, error } = await one.raw(event, payload)
    if (!ok) throw new Error(`${event}: ${JSON.stringify(error)}`)
    clients.push(one)
  }
  await pause(500)
  for (const one of clients) {
    await one.flush()
    one.records.length = 0
  }
  const look = async (): Promise<unknown> => (await server.call('GET', `/sessions/${place.sessionId}`, undefined, teacher)).body
  const before = JSON.stringify(await look())
  return {
    async end (): Promise<string[]> {
      for (const one of clients) await one.flush()
      const heard = clients.flatMap(one => [...one.records.map(record => JSON.stringify(record).slice(0, 300)), ...one.gone === undefined ? [] : [`was disconnected: ${one.gone}`]])
      const now = JSON.stringify(await look())
      for (const one of clients) one.close()
      return now === before ? heard : [...heard, `the class is another one: ${now}`]
    }
  }
}

/** A class that does what classes do, and counts what it is refused. */
async function worker (server: Remote, { place: { sessionId, groupId }, teacher, student }: School) {
  const [listens, speaks] = [await server.connect('/sessions', teacher), await server.connect('/sessions', student)]
  for (const one of [listens, speaks]) await one.ok('session:join', { sessionId })
  const failures: string[] = []
  let served = 0
  let worstMs = 0
  const over = new AbortController()
  const working = (async () => {
    for (let i = 0; !over.signal.aborted; i++) {
      const began = performance.now()
      try {
        const isReady = i % 2 === 0
        await speaks.ok('group:status_update', { sessionId, groupId, status: isReady ? 'ready' : 'waiting', isReady })
        if ((await listens.next('group:status_changed')).isReady !== isReady) failures.push('an event of another turn')
        if (i % 10 === 0) {
          const { status, body } = await server.call<Body>('GET', `/sessions/${sessionId}`, undefined, teacher)
          if (status !== 200) failures.push(JSON.stringify(body))
        }
        served++
      } catch (error) {
        failures.push(String(error))
        return
      }
      worstMs = Math.max(worstMs, performance.now() - began)
      await pause(600) // its readiness may change twice a second
    }
  })()
  return {
    async end (): Promise<{ failures: string[], served: number, worstMs: number }> {
      over.abort()
      await Promise.race([working, pause(2 * patienceMs, undefined, { ref: false })])
      for (const one of [listens, speaks]) one.close()
      return { failures, served, worstMs: Math.round(worstMs) }
    }
  }
}
