import { parseArgs } from 'node:util'
import { replayClass, type ClassRecord } from './replay/feed.ts'
import { createListener } from './replay/listen.ts'
import { startOwnServer, type OwnServer } from './replay/own-server.ts'
import { createProgress } from './replay/progress.ts'
import { readTalk } from './replay/read.ts'
import { createRest } from './replay/rest.ts'
import { table } from './replay/table.ts'
import { Complaint, type ClassTalk } from './replay/talk.ts'

/** Replays recorded talk through REST, as a worker would hand it in, and tells what a teacher would have seen. */

const usage = `npm run replay -- FILE [--speed N] [--url URL --token T] [--session ID] [--limit N] [--json]

FILE           .jsonl, .json, .csv (with a header) or .vtt; examples/class/garden.json is one
--speed N      N times as fast as the class was; 1 is real time. Without it: as fast as guidance keeps up
--url URL      a running server; without it the replay brings its own, in memory
--token T      a teacher's token for that server
--session ID   a session of that teacher, instead of a new one; it is not ended
--limit N      at most N groups of the file
--json         the result as JSON instead of tables
`

interface Arguments { file: string, speed?: number, url?: string, token?: string, session?: string, limit?: number, json: boolean }

try {
  await run(read(process.argv.slice(2)))
} catch (error) {
  if (!(error instanceof Complaint)) throw error
  process.stderr.write(`${error.message}\n${error.exitCode === 2 ? `\n${usage}` : ''}`)
  process.exitCode = error.exitCode
}

async function run ({ file, speed, url, token, session, limit, json }: Arguments): Promise<void> {
  const classes = await readTalk(file, limit)
  if (session !== undefined && classes.length > 1) {
    throw new Complaint(`${file} holds ${classes.length} classes, and --session is one: use --limit.`, 2)
  }
  const stop = new AbortController()
  const interrupt = (): void => { stop.abort(new Complaint('Interrupted.')) }
  process.once('SIGINT', interrupt).once('SIGTERM', interrupt)
  const own = url === undefined ? await startOwnServer() : null
  try {
    const records = await replayAll(classes, connection(own, url, token), { speed, session, json, signal: stop.signal })
    if (json) process.stdout.write(`${JSON.stringify({ file, classes: records }, null, 2)}\n`)
  } finally {
    await own?.close()
    process.off('SIGINT', interrupt).off('SIGTERM', interrupt)
  }
}

interface Connection { url: string, teacher: string, worker: string }

function connection (own: OwnServer | null, url = '', token = ''): Connection {
  return own ?? { url, teacher: token, worker: token }
}

async function replayAll (
  classes: readonly ClassTalk[], { url, teacher, worker }: Connection,
  { speed, session, json, signal }: { speed?: number, session?: string, json: boolean, signal: AbortSignal }
): Promise<ClassRecord[]> {
  const progress = createProgress(process.stderr)
  const records: ClassRecord[] = []
  const listener = await createListener(url, teacher)
  try {
    for (const [index, talk] of classes.entries()) {
      progress.begin(`Class ${index + 1} of ${classes.length}: ${talk.topic}`)
      const record = await replayClass(talk, {
        teacher: createRest(url, teacher),
        worker: createRest(url, worker),
        listener,
        speed,
        sessionId: session,
        onProgress: progress.step,
        onMoment: progress.moment,
        signal
      })
      progress.end()
      if (!json) process.stdout.write(`${table(record)}\n`)
      records.push(record)
    }
  } finally {
    progress.end()
    listener.close()
  }
  return records
}

function read (words: string[]): Arguments {
  const { values, positionals } = parse(words)
  const [file, ...more] = positionals
  if (file === undefined) throw new Complaint('Which file shall be replayed?', 2)
  if (more.length > 0) throw new Complaint(`One file at a time: ${more.join(' ')} is too much.`, 2)
  const { url, token, session, json = false } = values
  if (url !== undefined && (!URL.canParse(url) || !/^https?:/.test(url))) throw new Complaint(`--url must be an http address, not ${url}.`, 2)
  if (url !== undefined && token === undefined) throw new Complaint('--url needs --token, a teacher\'s token for that server.', 2)
  if (url === undefined && (token !== undefined || session !== undefined)) throw new Complaint('--token and --session need --url, the server that they are of.', 2)
  return { file, url, token, session, json, speed: number('speed', values.speed), limit: number('limit', values.limit, true) }
}

function parse (args: string[]) {
  try {
    return parseArgs({
      args,
      allowPositionals: true,
      options: {
        speed: { type: 'string' },
        url: { type: 'string' },
        token: { type: 'string' },
        session: { type: 'string' },
        limit: { type: 'string' },
        json: { type: 'boolean' }
      }
    })
  } catch (error) {
    throw new Complaint(`${(error as Error).message.split('. ')[0]}.`, 2)
  }
}

function number (option: string, text: string | undefined, whole = false): number | undefined {
  if (text === undefined) return undefined
  const value = Number(text)
  if (text.trim() !== '' && Number.isFinite(value) && value > 0 && (!whole || Number.isInteger(value))) return value
  throw new Complaint(`--${option} must be a ${whole ? 'whole ' : ''}number above 0, not ${JSON.stringify(text)}.`, 2)
}
