import { createHash } from 'node:crypto'
import fc from 'fast-check'
import { Redis } from 'ioredis'
import type { Checked } from '../../../lib/guidance/gate-input.ts'
import { questions, type GateRedis } from '../../../lib/guidance/gate-scripts.ts'
import { gateScripts } from '../../../lib/guidance/gates-redis.ts'
import { createMemoryGates } from '../../../lib/guidance/gates-memory.ts'
import type { GateName } from '../../../lib/guidance/gates.ts'
import { settingsOf } from '../../conformance/gates.ts'
import { lanes, start, type Step } from './gate-histories.ts'

/** Drives scripts and twins with the same histories, in a process of its own: a test's promise tracking doubles the cost. */
export interface Task { url: string, lanes: string[], seed: number, histories: number }

/** What a process reports of each lane; no failure means that every answer agreed. */
export interface Report { lane: string, failure?: string }

type Question = (redis: GateRedis, settings: ReturnType<typeof settingsOf>, input: Checked[GateName]) => Promise<unknown>

const task = JSON.parse(process.argv[2] ?? '') as Task
const redis = new Redis(task.url)
await redis.ping()
const settings = settingsOf({ ttlSeconds: 1_000_000 })

/** The same scripts with one change: Redis' clock is taken from the last two arguments. */
const clocked = gateScripts.map(({ sent }) => ({ sent, changed: sent.replace("redis.call('TIME')", '{ ARGV[#ARGV - 1], ARGV[#ARGV] }') }))
const changedBy = new Map(clocked.flatMap(({ sent, changed }) => [[sent, changed], [sha1(sent), sha1(changed)]]))

function sha1 (source: string): string {
  return createHash('sha1').update(source).digest('hex')
}

function atTime (redis: Redis, clock: number): GateRedis {
  const time = [String(Math.floor(clock / 1000)), String(clock % 1000 * 1000 + 7)]
  return {
    evalsha: (sha, count, ...args) => redis.evalsha(changedBy.get(sha) as string, count, ...args, ...time),
    eval: (source, count, ...args) => redis.eval(changedBy.get(source) as string, count, ...args, ...time)
  }
}

/** Numbers may differ by what two implementations of a power may. */
function same (a: unknown, b: unknown): boolean {
  if (typeof a === 'number' && typeof b === 'number') return Object.is(a, b) || Math.abs(a - b) <= 1e-9 * Math.max(Math.abs(a), Math.abs(b))
  if (typeof a !== 'object' || typeof b !== 'object' || a === null || b === null) return a === b
  const [left, right] = [Object.entries(a), new Map<string, unknown>(Object.entries(b))]
  return left.length === right.size && left.every(([name, value]) => right.has(name) && same(value, right.get(name)))
}

/** An answer, or that the question was refused; any other failure is one of the test. */
function answerOf (settled: PromiseSettledResult<unknown>): unknown {
  if (settled.status === 'fulfilled') return settled.value
  const { code, message } = settled.reason as Error & { code?: string }
  if (code === 'INVALID_PAYLOAD' || message.startsWith('INVALID ')) return 'refused'
  throw settled.reason
}

let groups = 0

/** Sends the whole history at once: one connection keeps the order, and a flushed script is loaded again on the way. */
async function compare (history: Step[], probes: [GateName, object][]): Promise<void> {
  const name = `h${task.seed}.${++groups}.${task.lanes[0]}`
  const group = { sessionId: name, groupId: 'g', templateKey: name }
  let now = start
  const twin = createMemoryGates(settings, { now: () => now }) as unknown as Record<GateName, (input: object) => Promise<unknown>>
  const all = [...history, ...probes.map(([gate, input]): Step => ({ gate, input, clock: start + 500_000, flush: false }))]
  const flushes: Promise<unknown>[] = []
  redis.stream.cork()
  const asked = all.map(({ gate, input, clock, flush }) => {
    now = clock
    const question = { ...group, ...input }
    if (flush) flushes.push(redis.script('FLUSH'))
    return [(questions[gate] as Question)(atTime(redis, clock), settings, question as never), twin[gate](question)] as const
  })
  redis.stream.uncork()
  const [found, wanted] = await Promise.all([
    Promise.allSettled(asked.map(pair => pair[0])), Promise.allSettled(asked.map(pair => pair[1])), ...flushes
  ])
  for (const [index, step] of all.entries()) {
    const [script, own] = [answerOf(found[index]!), answerOf(wanted[index]!)]
    if (!same(script, own)) throw new Error(`step ${index} (${JSON.stringify(step)}): the script says ${JSON.stringify(script)}, the twin ${JSON.stringify(own)}`)
  }
}

await Promise.all(task.lanes.map(async lane => {
  const { history, probes } = lanes[lane]!
  const report: Report = { lane }
  try {
    await fc.assert(fc.asyncProperty(history, steps => compare(steps, probes)), { seed: task.seed, numRuns: task.histories })
  } catch (cause) {
    report.failure = `${cause}\n${cause instanceof Error ? cause.cause : ''}`
  }
  process.send?.(report)
}))
redis.disconnect()
process.disconnect?.()
