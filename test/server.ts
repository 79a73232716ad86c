import Fastify from 'fastify'
import classwaves, { defaultAuthorize, type ClasswavesOptions } from '../index.ts'
import { secret, wayOfTests } from './app.ts'

/**
 * A server in a process of its own, started by `fork.ts`. Told to close, it closes and goes as soon as nothing holds
 * it; told twice, it goes at once. Sound is text to it. For a user who is called `stuck` the host never says what they
 * may do, `/slow` is a route of the host's that takes its time and `/slow/begun` says how often it was asked, and `/gates/<name>` asks a gate.
 */
const options = JSON.parse(process.argv[2] ?? '{}') as ClasswavesOptions

const app = Fastify({ logger: { level: 'trace', stream: process.stderr } })
let begun = 0
app.get('/slow', async () => { begun++; await new Promise(resolve => setTimeout(resolve, 600)); return { done: true } })
app.get('/slow/begun', async () => ({ begun }))
app.post('/gates/:gate', async ({ params, body }) => await app.guidance.gates[(params as { gate: 'cooldown' }).gate](body as { sessionId: string, groupId: string }))
await app.register(classwaves, {
  jwt: { secret },
  ...wayOfTests,
  authorize: async (...question) => question[0].userId === 'stuck' ? await new Promise<boolean>(() => {}) : await defaultAuthorize(...question),
  ...options,
  sessions: { transcriber: ({ data }) => [{ text: Buffer.from(data).toString() }], ...options.sessions }
})
let closing = false
function close (): void {
  if (closing) process.exit(1)
  closing = true
  app.close().then(() => process.disconnect(), fail)
}
process.on('message', close).on('SIGTERM', close)
// A test that was killed takes its servers with it.
process.on('disconnect', () => { if (!closing) process.exit(1) })
process.send?.(await app.listen({ port: 0, host: '127.0.0.1' }))

function fail (error: unknown): never {
  console.error(error)
  process.exit(1)
}
