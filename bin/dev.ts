import { randomBytes } from 'node:crypto'
import Fastify from 'fastify'
import classwaves from '../index.ts'
import { optionsFromEnv } from '../lib/options.ts'
import { startDemo } from './demo.ts'
import { mistaken, read, whole } from './mistake.ts'

/** A server with its pages and a class in which simulated groups talk. It runs until it is told to end. */
export async function dev (args: string[]): Promise<undefined> {
  const { port = '3000', host = '127.0.0.1', json } = read(args, ['port', 'host'])
  const at = { port: whole('port', port, 0, 65_535), host }
  const options = mistaken(() => optionsFromEnv(process.env))
  const app = Fastify({ logger: { level: 'warn', stream: process.stderr } })
  await app.register(classwaves, { ...options, jwt: { secret: randomBytes(32).toString('hex'), ...options.jwt }, pages: true })
  const { origin } = new URL(await app.listen(at))
  const { session: { sessionId, code }, stop } = await startDemo(app, 'teacher-1')
  const token = app.jwt.sign({ sub: 'teacher-1', role: 'teacher', name: 'A teacher' }, { expiresIn: '8h' })
  const addresses = { teacher: `${origin}/teach#token=${token}&session=${sessionId}`, pupil: `${origin}/join/${code}`, api: `${origin}/api/v1` }
  process.stdout.write(json ? `${JSON.stringify({ ...addresses, token, sessionId, code })}\n` : `Teacher  ${addresses.teacher}\n\nPupils   ${addresses.pupil}\nREST     ${addresses.api}\n`)
  let closing = false
  const close = (): void => {
    if (closing) process.exit(1) // who asks twice does not want to wait
    closing = true
    stop()
    app.close().then(() => process.exit(0), (error: unknown) => {
      process.stderr.write(`${String(error)}\n`)
      process.exit(1)
    })
  }
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, close)
}
