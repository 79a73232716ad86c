import { randomBytes } from 'node:crypto'
import { readFile } from 'node:fs/promises'
import { fileURLToPath } from 'node:url'
import Fastify, { type FastifyInstance } from 'fastify'
import classwaves from '../index.ts'

/**
 * A class that chats: the page `websocket-client.html`, a session, and a link for its teacher and for a pupil.
 *
 *   npx tsx examples/classroom.ts
 */

/** @param secret signs the tokens; a real host has one already */
export async function build (secret: string): Promise<FastifyInstance> {
  const app = Fastify({ logger: { level: 'warn', stream: process.stderr } })
  // `null` is what a browser says of a page that was opened from the disk. A real host lists its own pages only.
  await app.register(classwaves, { jwt: { secret }, origins: ['null'] })
  const [page, client] = await Promise.all([
    readFile(new URL('websocket-client.html', import.meta.url)),
    readFile(new URL('socket.io.min.js', import.meta.resolve('socket.io-client/dist/socket.io.js')))
  ])
  app.get('/', async (_request, reply) => await reply.type('text/html; charset=utf-8').send(page))
  app.get('/socket.io.js', async (_request, reply) => await reply.type('text/javascript; charset=utf-8').send(client))
  return app
}

if (fileURLToPath(import.meta.url) === process.argv[1]) {
  const app = await build(randomBytes(32).toString('hex'))
  const address = await app.listen({ port: Number(process.env.PORT ?? 3000), host: '127.0.0.1' })
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, async () => { await app.close() })
  const { code } = await app.sessions.create({ topic: 'Why do rivers bend?' }, 'teacher-1')
  const link = (sub: string, role: string): string => `${address}/#${new URLSearchParams({ token: app.jwt.sign({ sub, role }, { expiresIn: '8h' }), code }).toString()}`
  process.stdout.write(`Code    ${code}\nTeacher ${link('teacher-1', 'teacher')}\nPupil   ${link('pupil-1', 'student')}\n`)
}
