import { execFile } from 'node:child_process'
import { setTimeout as pause } from 'node:timers/promises'
import { promisify } from 'node:util'
import { Redis } from 'ioredis'
import { io, type Socket } from 'socket.io-client'
import { gateScripts } from '../../lib/guidance/gate-scripts.ts'
import { Caller } from './http.ts'
import { launch, type Launched } from './process.ts'
import { Readers } from './readers.ts'
import { classId, namespace, news } from './servers/payload.ts'

/** One run of one side: fresh processes, warmed up, measured once. Each answers with one figure. */

/** So long, and so many operations: a busy machine gives little of its time, and code that has not run often enough is slow. */
interface Span { ms: number, least: number }
const warmUp: Span = { ms: 300, least: 60_000 }
const measured: Span = { ms: 1_000, least: 100_000 }
const longestMs = 20_000
/** In this time the server is through with connections that were closed. */
const goneMs = 1_000
/** Leases are renewed every two seconds; this holds three of their turns. */
const idleMs = 6_000

/** Says whether a span goes on after so many operations. */
function during ({ ms, least }: Span): (done: number) => boolean {
  const began = performance.now()
  return done => {
    const passed = performance.now() - began
    return passed < ms || (done < least && passed < longestMs)
  }
}

const exec = promisify(execFile)

export type Side = 'classwaves' | 'socket-io'

interface Fanout { readers: number, outstanding: number, redis?: string }

/** CPU of all servers for each delivered message (us); with Redis the readers are on another process than the publisher. */
export async function fanout (side: Side, { readers: count, outstanding, redis }: Fanout): Promise<number> {
  return await running(side, { ...(redis !== undefined && { redis }) }, redis === undefined ? 1 : 2, async servers => {
    const [publisher, server = publisher] = servers as [Launched, Launched | undefined]
    const readers = await enter(server, count, [classId])
    try {
      let sent = 0
      const deliver = async (span: Span): Promise<number> => {
        const before = readers.events
        for (const goesOn = during(span); goesOn(readers.events - before);) {
          const arrived = Math.floor(readers.events / count)
          const free = outstanding - (sent - arrived)
          publisher.publish(free)
          sent += free
          await readers.until('events', (arrived + 1) * count)
        }
        await readers.until('events', sent * count)
        return readers.events - before
      }
      await deliver(warmUp)
      return await cpuOf(servers, async () => await deliver(measured))
    } finally {
      readers.close()
    }
  })
}

/** CPU for each acknowledged event (us), so many of one client at a time. */
export async function events (side: Side, atOnce: number): Promise<number> {
  return await running(side, {}, 1, async servers => {
    const clients = 256
    const readers = await enter(servers[0] as Launched, clients, [classId])
    try {
      const waiting = new Array<number>(clients).fill(0)
      const ask = (reader: number): void => {
        waiting[reader] = atOnce
        readers.send(reader, ...Array.from({ length: atOnce }, (_, id) => `42${namespace},${id + 1}["bench:say",${JSON.stringify(news(id))}]`))
      }
      let goesOn = during(warmUp)
      let before = 0
      readers.onAcknowledgement = reader => { if (--(waiting[reader] as number) === 0 && goesOn(readers.acknowledgements - before)) ask(reader) }
      const run = async (span: Span): Promise<number> => {
        goesOn = during(span)
        before = readers.acknowledgements
        for (let reader = 0; reader < clients; reader++) ask(reader)
        while (waiting.some(one => one > 0)) await readers.until('acknowledgements', readers.acknowledgements + waiting.reduce((sum, one) => sum + one))
        return readers.acknowledgements - before
      }
      await run(warmUp)
      return await cpuOf(servers, async () => await run(measured))
    } finally {
      readers.close()
    }
  })
}

/** Connects for each second of the server's CPU, with a token and three rooms. */
export async function connects (side: Side): Promise<number> {
  return await running(side, { ...(side === 'socket-io' && { tokens: true }) }, 1, async servers => {
    const [server] = servers as [Launched]
    const rooms = ['class-1', 'class-2', 'class-3']
    const first = await enter(server, 1_000, rooms)
    first.close()
    await pause(goneMs) // what a disconnect costs is not the question
    let later: Readers | undefined
    const micros = await cpuOf(servers, async () => {
      later = await enter(server, 3_000, rooms)
      return later.size
    })
    later?.close()
    return 1_000_000 / micros
  })
}

/** Memory for each open connection (bytes): a token, three rooms. */
export async function memory (side: Side): Promise<number> {
  return await running(side, { ...(side === 'socket-io' && { tokens: true }) }, 1, async ([server]) => {
    const rooms = ['class-1', 'class-2', 'class-3']
    const first = await enter(server as Launched, 200, rooms)
    const before = await (server as Launched).memory()
    const later = await enter(server as Launched, 2_000, rooms)
    const after = await (server as Launched).memory()
    first.close()
    later.close()
    return (after.rssBytes - before.rssBytes) / later.size
  })
}

/** CPU of the publisher for each event (us), so many at a time; nobody listens. */
export async function emits (redis: string, event: 'bench:news' | 'bench:kept', atOnce: number): Promise<number> {
  return await running('classwaves', { redis }, 1, async servers => {
    const [server] = servers as [Launched]
    await server.ask('emits', { event, times: 5_000, atOnce })
    return await cpuOf(servers, async () => {
      await server.ask('emits', { event, times: 20_000, atOnce })
      return 20_000
    })
  })
}

/** Decisions of the attention gate in a second, 64 at a time. */
export async function gates (redis: string): Promise<number> {
  return await running('classwaves', { redis }, 1, async ([server]) => {
    await decide(server as Launched, warmUp)
    const { decisions, ms } = await decide(server as Launched, measured)
    return decisions / ms * 1_000
  })
}

/** The same without Redis, in a second of CPU: nothing is waited for. */
export async function memoryGates (): Promise<number> {
  return await running('classwaves', {}, 1, async servers => {
    await decide(servers[0] as Launched, warmUp)
    return 1_000_000 / await cpuOf(servers, async () => (await decide(servers[0] as Launched, measured)).decisions)
  })
}

async function decide (server: Launched, span: Span): Promise<{ decisions: number, ms: number }> {
  return await server.ask('gates', { ...span, atOnce: 64 })
}

/**
 * The script of such a decision from redis-benchmark, with the same keys, sixteen in one write: `source`, or `sent`, which
 * also records its answer for a client that asks again, each call under a key of its own. All scores pass, as nearly all
 * of ours do.
 */
export async function redisBenchmark (redis: string, text: 'source' | 'sent', decisions: number): Promise<number> {
  const script = gateScripts.find(({ file }) => file === 'guidance_attention_gate')?.[text] ?? ''
  const { port } = new URL(redis)
  const { stdout: sha } = await exec('redis-cli', ['-p', port, 'SCRIPT', 'LOAD', script])
  const keys = ['guidance:attention:last:session-1:group-__rand_int__', ...text === 'sent' ? ['core:answer:{group}:__rand_int____rand_int____rand_int__'] : []]
  const { stdout } = await exec('redis-benchmark', [
    '-p', port, '-c', '64', '-P', '16', '-n', String(decisions), '-r', '1000', '--csv',
    'EVALSHA', sha.trim(), String(keys.length), ...keys, '50', '0', '30000', '3600', ''
  ])
  const rate = Number(/\n"[^"]*","([\d.]+)"/.exec(stdout)?.[1])
  if (!(rate > 0)) throw new Error(`redis-benchmark said: ${stdout}`)
  return rate
}

/** Requests for each second of the server's CPU: transitions of one session after the other, or as large an answer by Fastify alone. */
export async function transitions (redis: string, side: 'classwaves' | 'fastify'): Promise<number> {
  const connections = 32
  const teacher = 'teacher-1'
  const classwaves = await launch('classwaves', { redis })
  const token = await classwaves.ask<string>('token', { sub: teacher, role: 'teacher' })
  const sessions = await Promise.all(Array.from({ length: connections }, async () => await classwaves.ask<string>('session', teacher)))
  const answer = JSON.parse(await new Caller(classwaves.started.url, token).once(`/api/v1/sessions/${sessions[0]}/start`)) as object
  const server = side === 'classwaves' ? classwaves : await launch('fastify', { answer })
  const callers = sessions.map(() => new Caller(server.started.url, token))
  try {
    const run = async (span: Span): Promise<number> => {
      const goesOn = during(span)
      let answered = 0
      await Promise.all(callers.map(async (caller, i) => {
        // The first session was started for its answer. Two at a time leave each as it was.
        const [first, second] = i === 0 ? ['pause', 'start'] : ['start', 'pause']
        for (; goesOn(answered); answered += 2) {
          await caller.post(`/api/v1/sessions/${sessions[i]}/${first}`)
          await caller.post(`/api/v1/sessions/${sessions[i]}/${second}`)
        }
      }))
      return answered
    }
    await run({ ...warmUp, least: 5_000 })
    return 1_000_000 / await cpuOf([server], async () => await run({ ...measured, least: 10_000 }))
  } finally {
    for (const caller of callers) caller.close()
    await classwaves.close()
    if (server !== classwaves) await server.close()
  }
}

export interface PresenceCost { micros: number, commands: number }

/**
 * What presence costs in a class of 32 whose pupils sit on all processes in turn: one of them after the other leaves
 * and joins again (CPU of all processes), or one process is asked how many and who are there (its CPU alone). Commands
 * are those of Redis, also inside of scripts. What goes on by itself, timers and leases, is taken off both: a move takes
 * longer where many processes share few cores, and would be charged with more of it.
 */
export async function presence (redis: string, processes: number, what: 'moves' | 'reads'): Promise<PresenceCost> {
  return await running('classwaves', { redis }, processes, async servers => {
    const [asked] = servers as [Launched]
    const pupils = Array.from({ length: 32 }, (_, i) => `pupil-${i}`)
    const { sessionId, code } = await asked.ask<{ sessionId: string, code: string }>('classroom', pupils)
    const store = new Redis(redis)
    const sockets: Socket[] = []
    try {
      for (const [i, sub] of pupils.entries()) {
        const server = servers[i % processes] as Launched
        const token = await server.ask<string>('token', { sub, role: 'student' })
        const socket = io(server.started.url, { auth: { token }, transports: ['websocket'], forceNew: true, reconnection: false })
        sockets.push(socket)
        await say(socket, 'joinSession', code)
      }
      let turn = 0
      const move = async (): Promise<void> => {
        const socket = sockets[turn++ % sockets.length] as Socket
        await say(socket, 'leaveSession', code)
        await say(socket, 'joinSession', code)
      }
      const run = async (times: number): Promise<void> => {
        if (what === 'reads') await asked.ask('present', { sessionId, times })
        else for (let i = 0; i < times; i++) await move()
      }
      /** What a piece of work takes, in all and for each millisecond. */
      const spent = async (work: () => Promise<unknown>) => {
        const commands = await commandsOf(store)
        const began = performance.now()
        const micros = await cpuOf(what === 'reads' ? [asked] : servers, async () => { await work(); return 1 })
        return { micros, commands: await commandsOf(store) - commands, ms: performance.now() - began }
      }
      const [few, many] = what === 'reads' ? [1_000, 4_000] : [200, 400]
      await run(few)
      const idle = await spent(async () => await pause(idleMs))
      const busy = await spent(async () => await run(many))
      const share = busy.ms / idle.ms
      return { micros: (busy.micros - share * idle.micros) / many, commands: (busy.commands - share * idle.commands) / many }
    } finally {
      for (const socket of sockets) socket.disconnect()
      store.disconnect()
    }
  })
}

async function say (socket: Socket, event: string, payload: unknown): Promise<void> {
  const answer = await socket.timeout(longestMs).emitWithAck(event, payload) as { ok: boolean }
  if (!answer.ok) throw new Error(`${event}: ${JSON.stringify(answer)}`)
}

async function commandsOf (redis: Redis): Promise<number> {
  return Number(/total_commands_processed:(\d+)/.exec(await redis.info('stats'))?.[1])
}

async function enter (server: Launched, count: number, rooms: string[]): Promise<Readers> {
  const token = await server.ask<string>('token', { sub: 'student-1', role: 'student' })
  return await Readers.open(server.started.url, count, { auth: () => ({ token }), rooms })
}

async function cpuOf (servers: readonly Launched[], work: () => Promise<number>): Promise<number> {
  const sum = async (): Promise<number> => (await Promise.all(servers.map(async one => await one.cpu()))).reduce((a, b) => a + b)
  const before = await sum()
  const done = await work()
  return (await sum() - before) / done
}

async function running<T = number> (script: string, options: object, count: number, measure: (servers: Launched[]) => Promise<T>): Promise<T> {
  const servers: Launched[] = []
  try {
    while (servers.length < count) servers.push(await launch(script, options))
    return await measure(servers)
  } finally {
    await Promise.all(servers.map(async server => await server.close()))
  }
}
