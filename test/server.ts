import Fastify from 'fastify'
import classwaves, { defaultAuthorize, type ClasswavesOptions } from '../index.ts'
import { secret } from './app.ts'

/**
 * A server in a process of its own, started by `fork.ts`. Told to close, it closes and goes as soon as nothing holds
 * it. Sound is text to it. For a user who is called `stuck` the host never says what they may do.
 */
const options = JSON.parse(process.argv[2] ?? '{}') as ClasswavesOptions

const app = Fastify({ logger: { level: 'error', stream: process.stderr } })
await app.register(classwaves, {
  jwt: { secret },
  authorize: async (...question) => question[0].userId === 'stuck' ? await new Promise<boolean>(() => {}) : await defaultAuthorize(...question),
  ...options,
  sessions: { transcriber: ({ data }) => [{ text: Buffer.from(data).toString() }], ...options.sessions }
})
process.once('message', () => { app.close().then(() => process.disconnect(), fail) })
process.send?.(await app.listen({ port: 0, host: '127.0.0.1' }))

function fail (error: unknown): never {
  console.error(error)
  process.exit(1)
}
