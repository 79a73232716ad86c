import { randomBytes } from 'node:crypto'
import Fastify from 'fastify'
import classwaves from '../../index.ts'

export interface OwnServer {
  url: string
  teacher: string
  worker: string
  close (): Promise<void>
}

/** A server in this process, for a replay that was given none. Nothing outlives it. */
export async function startOwnServer (): Promise<OwnServer> {
  const app = Fastify({ logger: { level: 'warn', stream: process.stderr } })
  await app.register(classwaves, { jwt: { secret: randomBytes(32).toString('hex') }, redis: false })
  const url = await app.listen({ port: 0, host: '127.0.0.1' })
  const token = (sub: string, role: string): string => app.jwt.sign({ sub, role }, { expiresIn: '1d' })
  return { url, teacher: token('replay-teacher', 'teacher'), worker: token('replay-worker', 'worker'), close: () => app.close() }
}
