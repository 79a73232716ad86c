import { randomBytes } from 'node:crypto'
import Fastify, { type FastifyInstance } from 'fastify'
import { startDemo } from '../bin/demo.ts'
import classwaves, { type Session } from '../index.ts'
import { Mistake, settings, type Settings } from './settings.ts'

/** A classroom on this computer: `npm start`. Without REDIS_URL everything lives in this process. */

try {
  await serve(settings(process.env))
} catch (error) {
  const mistake = error instanceof Mistake || isListenError(error)
  process.stderr.write(`${mistake ? (error as Error).message : (error as Error).stack}\n`)
  process.exit(error instanceof Mistake ? 2 : 1)
}

async function serve ({ port, host, secret, redis }: Settings): Promise<void> {
  let stopDemo = (): void => {}
  const app = Fastify({ logger: { level: 'warn', stream: process.stderr } })
  await app.register(classwaves, { jwt: { secret: secret ?? randomBytes(32).toString('hex') }, pages: true, ...(redis !== undefined && { redis }) })
  let closing = false
  const close = (): void => {
    if (closing) process.exit(1) // who asks twice does not want to wait
    closing = true
    stopDemo()
    app.close().then(() => process.exit(0), (error: unknown) => {
      process.stderr.write(`${String(error)}\n`)
      process.exit(1)
    })
  }
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, close)
  const address = await app.listen({ port, host })
  const url = new URL(address)
  const demo = secret === undefined ? await startDemo(app, 'teacher-1') : undefined
  if (demo) stopDemo = demo.stop
  process.stdout.write([
    `REST       ${address}/api/v1`,
    `Socket.IO  ${address}/sessions and ${address}/guidance`,
    `Documents  ${address}/openapi.json and ${address}/asyncapi.json`,
    `Health     ${address}/health`,
    `Store      ${redis === undefined ? 'this process; set REDIS_URL to share it' : new URL(redis).host}`,
    '',
    ...(demo ? invitation(app, url.origin, demo.session) : ['Tokens must be signed with JWT_SECRET.'])
  ].join('\n') + '\n')
}

/** Tokens are handed out only under a secret that nobody else can know and that ends with this process. */
function invitation (app: FastifyInstance, origin: string, { sessionId, code }: Session): string[] {
  const sign = (sub: string, role: string, name: string): string => app.jwt.sign({ sub, role, name }, { expiresIn: '8h' })
  const teacher = sign('teacher-1', 'teacher', 'A teacher')
  const plan = JSON.stringify({ topic: 'Why do rivers bend?', groups: [{ name: 'Otters', memberIds: ['student-1'] }] })
  const post = `curl -s -X POST -H 'authorization: Bearer ${teacher}'`
  const create = `${post} -H 'content-type: application/json' -d '${plan}' ${origin}/api/v1/sessions`
  return [
    'JWT_SECRET is not set: this secret was made up, and its tokens end with this process (or after 8 hours).',
    '',
    'A class is on, in which simulated groups talk. Open it as its teacher; what stands after # never leaves the browser:',
    '',
    `${origin}/teach#token=${teacher}&session=${sessionId}`,
    '',
    `Join it as a pupil: ${origin}/join/${code}`,
    '',
    `Teacher    ${teacher}`,
    `Student    ${sign('student-1', 'student', 'A student')}`,
    '',
    'Create a session:',
    '',
    create,
    '',
    'Create one and start it:',
    '',
    `${post} ${origin}/api/v1/sessions/$(${create} | sed 's/.*"sessionId":"\\([^"]*\\)".*/\\1/')/start`
  ]
}

/** The port is taken or not allowed, the address is not ours: nothing that a stack would explain. */
function isListenError (error: unknown): boolean {
  return error instanceof Error && 'syscall' in error && (error.syscall === 'listen' || error.syscall === 'getaddrinfo')
}
