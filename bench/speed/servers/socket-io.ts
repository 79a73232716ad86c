import jwt from '@fastify/jwt'
import { createAdapter } from '@socket.io/redis-adapter'
import Fastify from 'fastify'
import { Redis } from 'ioredis'
import { Server } from 'socket.io'
import { classId, heard, namespace, news, secret } from './payload.ts'
import { optionsOf, serve } from './serve.ts'

/** Socket.IO alone, on the same HTTP server; with `redis` its Redis adapter, with `tokens` a check at the door. */

const { redis, tokens = false } = optionsOf<{ redis?: string, tokens?: boolean }>()

const app = Fastify()
await app.register(jwt, { secret })
const io = new Server(app.server, { serveClient: false })
if (redis !== undefined) io.adapter(createAdapter(new Redis(redis), new Redis(redis)))
const bench = io.of(namespace)
if (tokens) {
  bench.use((socket, next) => {
    try {
      socket.data = app.jwt.verify(String(socket.handshake.auth.token))
      next()
    } catch (error) {
      next(error as Error)
    }
  })
}
bench.on('connection', socket => {
  socket.on('bench:enter', ({ rooms }: { rooms: string[] }, acknowledge: (answer: object) => void) => {
    void socket.join(rooms.map(name => `class:${name}`))
    acknowledge({ ok: true })
  })
  socket.on('bench:say', (_payload: unknown, acknowledge: (answer: object) => void) => acknowledge({ ok: true }))
})

let published = 0
await serve(await app.listen({ port: 0, host: '127.0.0.1' }), () => { bench.to(`class:${classId}`).emit(heard, news(published++)) }, {
  token: (claims: object) => app.jwt.sign({ ...claims }, { expiresIn: '1h' })
})
