import { createHmac } from 'node:crypto'
import { cpus, loadavg } from 'node:os'
import { setTimeout as pause } from 'node:timers/promises'
import { parseArgs } from 'node:util'
import { Redis } from 'ioredis'
import { io, type Socket } from 'socket.io-client'
import { startRedis } from '../../test/redis.ts'
import { launch, type Launched } from '../speed/process.ts'
import { secret } from '../speed/servers/payload.ts'

/**
 * `npm run bench:growth`: what a class costs as classes and processes grow. A class is 30 pupils and a teacher in groups
 * of four, each on any of the processes; each group says a line every few seconds, as in life, and guidance is on.
 */

const { values } = parseArgs({
  options: {
    processes: { type: 'string', default: '1,2,4,8' },
    classes: { type: 'string', default: '1,8' },
    seconds: { type: 'string', default: '20' },
    every: { type: 'string', default: '5' }
  }
})
const numbers = (text: string): number[] => text.split(',').map(Number)
const seconds = Number(values.seconds)
const everyMs = Number(values.every) * 1000
const pupils = 30
const groups = Array.from({ length: 8 }, (_, i) => `group-${i}`)
const words = ['The water is faster outside.', 'Why does it take the bank away?', 'Because the bend throws it there.', 'I think it is the stones.']

interface Class { sessionId: string, token: string }
interface Usage { serverMicros: number, redisMicros: number, commands: number }
interface Row { processes: number, classes: number, lines: number, delivered: number, usage: Usage, rssBytes: number }

const progress = (line: string): void => { process.stderr.write(`${line}\n`) }

function token (claims: object): string {
  const text = [{ alg: 'HS256', typ: 'JWT' }, { exp: Math.floor(Date.now() / 1000) + 3600, ...claims }].map(part => Buffer.from(JSON.stringify(part)).toString('base64url')).join('.')
  return `${text}.${createHmac('sha256', secret).update(text).digest('base64url')}`
}

async function post<T> (url: string, path: string, bearer: string, body: object = {}): Promise<T> {
  const answer = await fetch(`${url}/api/v1${path}`, { method: 'POST', headers: { authorization: `Bearer ${bearer}`, 'content-type': 'application/json' }, body: JSON.stringify(body) })
  if (!answer.ok) throw new Error(`${path}: ${answer.status} ${await answer.text()}`)
  return await answer.json() as T
}

async function enter (url: string, namespace: string, bearer: string, event: string, payload: object, hear: () => void): Promise<Socket> {
  const socket = io(url + namespace, { auth: { token: bearer }, transports: ['websocket'], forceNew: true, reconnection: false })
  socket.onAny(hear)
  await new Promise<void>((resolve, reject) => { socket.once('connect', resolve).once('connect_error', reject) })
  const answer = await socket.emitWithAck(event, payload) as { ok: boolean }
  if (!answer.ok) throw new Error(`${event}: ${JSON.stringify(answer)}`)
  return socket
}

async function used (servers: readonly Launched[], redis: Redis): Promise<Usage> {
  const info = await redis.info()
  const read = (name: string): number => Number(new RegExp(`^${name}:([\\d.]+)`, 'm').exec(info)?.[1])
  const cpu = await Promise.all(servers.map(async server => await server.cpu()))
  return {
    serverMicros: cpu.reduce((sum, one) => sum + one, 0),
    redisMicros: 1_000_000 * (read('used_cpu_user') + read('used_cpu_sys')),
    commands: read('total_commands_processed')
  }
}

async function measure (processes: number, classes: number): Promise<Row> {
  const mine: (() => unknown)[] = []
  const server = await startRedis({ teardown: handler => mine.unshift(handler) }, { unheard: true })
  const redis = new Redis(server.url)
  const servers = await Promise.all(Array.from({ length: processes }, async () => await launch('classwaves', { redis: server.url })))
  const sockets: Socket[] = []
  try {
    let turn = 0
    let delivered = 0
    const next = (): string => (servers[turn++ % processes] as Launched).started.url
    const hear = (): void => { delivered++ }
    const taught: Class[] = []
    for (let i = 0; i < classes; i++) {
      const teacher = token({ sub: `teacher-${i}`, role: 'teacher' })
      const members = Array.from({ length: pupils }, (_, pupil) => `pupil-${i}-${pupil}`)
      const plan = groups.map((groupId, at) => ({ groupId, name: groupId, memberIds: members.filter((_, pupil) => pupil % groups.length === at) }))
      const { sessionId } = await post<Class>(next(), '/sessions', teacher, { topic: 'Why do rivers bend?', groups: plan })
      await post(next(), `/sessions/${sessionId}/start`, teacher)
      taught.push({ sessionId, token: teacher })
      sockets.push(await enter(next(), '/sessions', teacher, 'session:join', { sessionId }, hear), await enter(next(), '/guidance', teacher, 'session:guidance:subscribe', { sessionId }, hear))
      sockets.push(...await Promise.all(members.map(async sub => await enter(next(), '/sessions', token({ sub, role: 'student', sessionId }), 'student:session:join', { sessionId }, hear))))
    }

    let lines = 0
    async function talk (ms: number): Promise<void> {
      const speaking = taught.flatMap(({ sessionId, token }, i) => groups.map(async (groupId, at) => {
        await pause(everyMs * Math.random())
        for (const end = performance.now() + ms; performance.now() < end; await pause(everyMs)) {
          const text = words[lines++ % words.length] as string
          await post(next(), `/sessions/${sessionId}/transcripts`, token, { slices: [{ groupId, speaker: `pupil-${i}-${at}`, text }] })
        }
      }))
      await Promise.all(speaking)
    }
    await talk(everyMs)
    lines = delivered = 0
    const before = await used(servers, redis)
    await talk(seconds * 1000)
    const after = await used(servers, redis)
    const memory = await Promise.all(servers.map(async one => await one.memory()))
    const usage = {
      serverMicros: after.serverMicros - before.serverMicros,
      redisMicros: after.redisMicros - before.redisMicros,
      commands: after.commands - before.commands
    }
    return { processes, classes, lines, delivered, usage, rssBytes: memory.reduce((sum, one) => sum + one.rssBytes, 0) / processes }
  } finally {
    for (const socket of sockets) socket.disconnect()
    await Promise.all(servers.map(async one => await one.close()))
    redis.disconnect()
    for (const end of mine) await end()
  }
}

function line ({ processes, classes, lines, delivered, usage, rssBytes }: Row): string {
  const per = (value: number): string => Math.round(value / lines).toLocaleString('en')
  return `| ${processes} | ${classes} | ${lines} | ${(delivered / lines).toFixed(1)} | ${per(usage.serverMicros)} | ${per(usage.redisMicros)} | ${(usage.commands / lines).toFixed(1)} | ${Math.round(rssBytes / 1024 / 1024)} |`
}

const rows: string[] = []
for (const classes of numbers(values.classes)) {
  for (const processes of numbers(values.processes)) {
    const row = line(await measure(processes, classes))
    progress(row)
    rows.push(row)
  }
}
process.stdout.write([
  '| processes | classes | lines | events delivered a line | server CPU a line (us, all processes) | Redis CPU a line (us) | Redis commands a line | memory of a process (MB) |',
  '| --- | --- | --- | --- | --- | --- | --- | --- |',
  ...rows,
  '',
  `Node ${process.versions.node}, ${cpus().length} x ${cpus()[0]?.model ?? 'unknown'}, load ${loadavg()[0]?.toFixed(1)}; a line a group every ${values.every} s, ${seconds} s each`,
  ''
].join('\n'))
