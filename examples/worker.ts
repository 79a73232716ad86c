import { randomUUID } from 'node:crypto'
import { createInterface } from 'node:readline'
import { createEmitter } from '../lib/worker.ts'

/**
 * A worker in a process of its own: each line that comes in is sent to everybody who may hear the group, whichever
 * server they are connected to. It shares nothing with the servers but Redis.
 *
 *   REDIS_URL=redis://127.0.0.1:6379 npx tsx examples/worker.ts SESSION GROUP < lines.txt
 */

const [sessionId, groupId] = process.argv.slice(2)
const redis = process.env.REDIS_URL

if (!sessionId || !groupId || !redis) {
  process.stderr.write('Usage: REDIS_URL=redis://... npx tsx examples/worker.ts SESSION GROUP, with one line of talk each on standard input.\n')
  process.exit(2)
}

const emitter = createEmitter({ redis })
try {
  for await (const line of createInterface({ input: process.stdin })) {
    if (line.trim() === '') continue
    // Rejects when the payload does not fit the declaration, or when Redis is away: nothing is lost in silence.
    await emitter.sessions.to({ sessionId, groupId }).emit('transcription:group:new', {
      sessionId, groupId, id: randomUUID(), text: line.trim(), timestamp: new Date().toISOString()
    })
  }
} catch (error) {
  process.stderr.write(`${(error as Error).message}\n`)
  process.exitCode = 1
} finally {
  await emitter.close()
}
