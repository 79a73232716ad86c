import { fork } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { assess, fold, start } from '../../lib/guidance/embedded/index.ts'
import type { Data, Session } from './data.ts'
import { digest } from './digest.ts'
import type { Measure } from './measure.ts'
import { quantile } from './statistics.ts'

/** What it costs, and whether it is the same everywhere. With the shipped weights. */
export async function costMeasures (data: Data): Promise<Measure[]> {
  const sessions = [...data.groups, ...data.meetings, ...data.splices, ...data.scenarios].slice(0, 400)
  if (sessions.length === 0) return []
  const { micros, bytes } = cost(sessions)
  const row = (name: string, value: number | null, n: number, goal: number, met: boolean): Measure => ({ name, source: 'all', value, low: null, high: null, n, goal, met })
  const p99 = quantile(micros, 0.99)
  const most = Math.max(...bytes)
  const some = sessions.slice(0, 24)
  const here = digest(some, 'each')
  const same = here === digest(some, 'stored') && here === digest(some, 'looked at') && here === await elsewhere(data.folder)
  return [
    row('time-per-utterance-p99-microseconds', p99, micros.length, 500, p99 !== null && p99 <= 500),
    row('state-per-group-bytes', most, bytes.length, 8192, most <= 8192),
    row('same-input-any-chunking-any-process-same-bytes', same ? 1 : 0, some.length, 1, same)
  ]
}

/**
 * Folding each utterance and assessing after it, which is more than the engine asks for. Each is timed three times and
 * the least counts: what else the machine does in that moment is not the analyzer's.
 */
function cost (sessions: readonly Session[]): { micros: number[], bytes: number[] } {
  const micros: number[] = []; const bytes: number[] = []
  for (const session of sessions) {
    const rounds = Array.from({ length: 3 }, () => timed(session))
    for (let i = 0; i < session.turns.length; i++) micros.push(Math.min(...rounds.map((round) => round.micros[i]!)))
    bytes.push(rounds[0]!.bytes)
  }
  return { micros, bytes }
}

function timed (session: Session): { micros: number[], bytes: number } {
  let features = start()
  const micros = session.turns.map((turn) => {
    const before = process.hrtime.bigint()
    features = fold(features, turn, session.context)
    assess(features, turn.endedAt, session.context)
    return Number(process.hrtime.bigint() - before) / 1000
  })
  return { micros, bytes: Buffer.byteLength(JSON.stringify(features)) }
}

/** The same in another process. */
async function elsewhere (folder: string): Promise<string> {
  return await new Promise((resolve, reject) => {
    const child = fork(fileURLToPath(new URL('./digest.ts', import.meta.url)), [folder])
    child.once('message', (message) => { resolve(String(message)) })
    child.once('error', reject)
    child.once('exit', () => { resolve('the process ended without an answer') })
  })
}
