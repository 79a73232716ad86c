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
 * `npm run bench:growth`: what a class costs as classes, groups and processes grow. A class is 30 pupils and a teacher,
 * each on any of the processes; each group says a line every few seconds, as in life, and guidance is on. With `--sets`
 * there are so many Redis servers side by side, each with `--processes` of its own and its share of the classes.
 */

const { values } = parseArgs({
  options: {
    processes: { type: 'string', default: '1,2,4,8' },
    classes: { type: 'string', default: '1,8' },
    groups: { type: 'string', default: '8' },
    sets: { type: 'string', default: '1' },
    seconds: { type: 'string', default: '20' },
    every: { type: 'string', default: '5' }
  }
})
const numbers = (text: string): number[] => text.split(',').map(Number)
const seconds = Number(values.seconds)
const everyMs = Number(values.every) * 1000
const pupils = 30
/** Looks at groups come every five seconds, leases more often. */
const idleMs = 6_000
const words = ['The water is faster outside.', 'Why does it take the bank away?', 'Because the bend throws it there.', 'I think it is the stones.']

interface Class { sessionId: string, token: string }
/** One Redis and its processes. */
interface Share { redis: Redis, servers: Launched[] }
interface Usage { serverMicros: number, redisMicros: number, commands: number }
interface Point { sets: number, processes: number, classes: number, groups: number }
interface Row extends Point { lines: number, delivered: number, ms: number, usage: Usage, idle: Usage, rssBytes: number }

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

async function used (sets: readonly Share[]): Promise<Usage> {
  const usage = { serverMicros: 0, redisMicros: 0, commands: 0 }
  for (const { redis, servers } of sets) {
    const info = await redis.info()
    const read = (name: string): number => Number(new RegExp(`^${name}:([\\d.]+)`, 'm').exec(info)?.[1])
    const cpu = await Promise.all(servers.map(async server => await server.cpu()))
    usage.serverMicros += cpu.reduce((sum, one) => sum + one, 0)
    usage.redisMicros += 1_000_000 * (read('used_cpu_user') + read('used_cpu_sys'))
    usage.commands += read('total_commands_processed')
  }
  return usage
}

/** What all sets together use while something goes on, and how long that was. */
async function during (sets: readonly Share[], work: () => Promise<unknown>): Promise<{ ms: number, usage: Usage }> {
  const before = await used(sets)
  const began = performance.now()
  await work()
  const ms = performance.now() - began
  const after = await used(sets)
  return {
    ms,
    usage: {
      serverMicros: after.serverMicros - before.serverMicros,
      redisMicros: after.redisMicros - before.redisMicros,
      commands: after.commands - before.commands
    }
  }
}

async function startSet (processes: number, ending: (end: () => unknown) => void): Promise<Share> {
  const server = await startRedis({ teardown: ending }, { unheard: true })
  const redis = new Redis(server.url)
  ending(() => redis.disconnect())
  const servers = await Promise.all(Array.from({ length: processes }, async () => await launch('classwaves', { redis: server.url })))
  ending(async () => await Promise.all(servers.map(async one => await one.close())))
  return { redis, servers }
}

async function measure (point: Point): Promise<Row> {
  const { processes, classes } = point
  const groups = Array.from({ length: point.groups }, (_, i) => `group-${i}`)
  const mine: (() => unknown)[] = []
  const sockets: Socket[] = []
  try {
    const sets: Share[] = []
    while (sets.length < point.sets) sets.push(await startSet(processes, end => mine.unshift(end)))
    let turn = 0
    let delivered = 0
    /** Any process of the set that has the class. */
    const next = (ofClass: number): string => (sets[ofClass % sets.length] as Share).servers[turn++ % processes]?.started.url as string
    const hear = (): void => { delivered++ }
    const taught: Class[] = []
    for (let i = 0; i < classes; i++) {
      const teacher = token({ sub: `teacher-${i}`, role: 'teacher' })
      const members = Array.from({ length: pupils }, (_, pupil) => `pupil-${i}-${pupil}`)
      const plan = groups.map((groupId, at) => ({ groupId, name: groupId, memberIds: members.filter((_, pupil) => pupil % groups.length === at) }))
      const { sessionId } = await post<Class>(next(i), '/sessions', teacher, { topic: 'Why do rivers bend?', groups: plan })
      await post(next(i), `/sessions/${sessionId}/start`, teacher)
      taught.push({ sessionId, token: teacher })
      sockets.push(await enter(next(i), '/sessions', teacher, 'session:join', { sessionId }, hear), await enter(next(i), '/guidance', teacher, 'session:guidance:subscribe', { sessionId }, hear))
      sockets.push(...await Promise.all(members.map(async sub => await enter(next(i), '/sessions', token({ sub, role: 'student', sessionId }), 'student:session:join', { sessionId }, hear))))
    }

    let lines = 0
    async function talk (ms: number): Promise<void> {
      const speaking = taught.flatMap(({ sessionId, token }, i) => groups.map(async (groupId, at) => {
        await pause(everyMs * Math.random())
        for (const end = performance.now() + ms; performance.now() < end; await pause(everyMs)) {
          const text = words[lines++ % words.length] as string
          await post(next(i), `/sessions/${sessionId}/transcripts`, token, { slices: [{ groupId, speaker: `pupil-${i}-${at}`, text }] })
        }
      }))
      await Promise.all(speaking)
    }
    await talk(everyMs)
    const idle = await during(sets, async () => await pause(idleMs))
    lines = delivered = 0
    const { ms, usage } = await during(sets, async () => await talk(seconds * 1000))
    const memory = await Promise.all(sets.flatMap(({ servers }) => servers.map(async one => await one.memory())))
    return { ...point, lines, delivered, ms, usage, idle: perMs(idle), rssBytes: memory.reduce((sum, one) => sum + one.rssBytes, 0) / memory.length }
  } finally {
    for (const socket of sockets) socket.disconnect()
    for (const end of mine) await end()
  }
}

const perMs = ({ ms, usage: { serverMicros, redisMicros, commands } }: { ms: number, usage: Usage }): Usage =>
  ({ serverMicros: serverMicros / ms, redisMicros: redisMicros / ms, commands: commands / ms })

/** The part in brackets is what the same time took without any line. */
function line ({ sets, processes, classes, groups, lines, delivered, ms, usage, idle, rssBytes }: Row): string {
  const per = (what: keyof Usage): string => {
    const [all, still] = [usage[what], idle[what] * ms].map(value => Math.round(value / lines).toLocaleString('en'))
    return `${all} (${still})`
  }
  const core = (usage.serverMicros / ms / 10 / processes / sets).toFixed(0)
  const cells = [sets, processes, classes, groups, lines, (delivered / lines).toFixed(1), per('serverMicros'), per('redisMicros'), per('commands'), core, Math.round(rssBytes / 1024 / 1024)]
  return `| ${cells.join(' | ')} |`
}

const rows: string[] = []
for (const sets of numbers(values.sets)) {
  for (const groups of numbers(values.groups)) {
    for (const classes of numbers(values.classes)) {
      for (const processes of numbers(values.processes)) {
        const row = line(await measure({ sets, processes, classes, groups }))
        progress(row)
        rows.push(row)
      }
    }
  }
}
process.stdout.write([
  '| sets | processes a set | classes | groups a class | lines | events delivered a line | server CPU a line (us, all processes; without lines) | Redis CPU a line (us) | Redis commands a line | of a core, each process (%) | memory of a process (MB) |',
  '| --- | --- | --- | --- | --- | --- | --- | --- | --- | --- | --- |',
  ...rows,
  '',
  `Node ${process.versions.node}, ${cpus().length} x ${cpus()[0]?.model ?? 'unknown'}, load ${loadavg()[0]?.toFixed(1)}; a line a group every ${values.every} s, ${seconds} s each`,
  ''
].join('\n'))
