import { readArguments, usage, type Arguments } from './arguments.ts'
import { replayClass, type ClassRecord } from './feed.ts'
import { createListener } from './listen.ts'
import { startOwnServer } from './own-server.ts'
import { createProgress, type Screen } from './progress.ts'
import { readTalk } from './read.ts'
import { createRest } from './rest.ts'
import { table } from './table.ts'
import { Complaint, type ClassTalk } from './talk.ts'

export interface Streams { stdout: Screen, stderr: Screen }

/** The exit code of `npm run replay` with these words: 0, 1 when something stood in the way, 2 when the words make no sense. */
export async function main (words: readonly string[], { stdout, stderr }: Streams, signal?: AbortSignal): Promise<number> {
  try {
    const given = readArguments(words)
    const classes = await readTalk(given.file, given.limit)
    if (given.session !== undefined && classes.length > 1) {
      throw new Complaint(`${given.file} holds ${classes.length} classes, and --session is one: use --limit.`, 2)
    }
    const records = await withServer(given, async server => await replayAll(classes, server, given, { stdout, stderr }, signal))
    if (given.json) stdout.write(`${JSON.stringify({ file: given.file, classes: records }, null, 2)}\n`)
    return 0
  } catch (error) {
    if (!(error instanceof Complaint)) throw error
    stderr.write(`${error.message}\n${error.exitCode === 2 ? `\n${usage}` : ''}`)
    return error.exitCode
  }
}

interface Server { url: string, teacher: string, worker: string }

async function withServer<R> ({ server }: Arguments, use: (server: Server) => Promise<R>): Promise<R> {
  if (server) return await use({ url: server.url, teacher: server.token, worker: server.token })
  const own = await startOwnServer()
  try {
    return await use(own)
  } finally {
    await own.close()
  }
}

async function replayAll (
  classes: readonly ClassTalk[], { url, teacher, worker }: Server, { speed, session, json }: Arguments, { stdout, stderr }: Streams, signal?: AbortSignal
): Promise<ClassRecord[]> {
  const progress = createProgress(stderr)
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
      if (!json) stdout.write(`${table(record)}\n`)
      records.push(record)
    }
  } finally {
    progress.end()
    listener.close()
  }
  return records
}
