import { randomBytes } from 'node:crypto'
import Fastify, { type FastifyInstance } from 'fastify'
import Type from 'typebox'
import classwaves, { Closed, contract, Id, Payload, receives, room, sends, Timestamp } from '../index.ts'

/**
 * A namespace of the host's own, through the same door as the package's: `/hands`, where pupils raise a hand and
 * the teacher sees who waits. Declared once, so that what is not declared is refused, roles and shapes are
 * checked before a handler runs, and the types of handlers and events follow.
 *
 *   npx tsx examples/own-namespace.ts
 */

const desk = room('desk:{classId}')

const hands = contract({
  namespace: '/hands',
  summary: 'Pupils raise a hand; the teacher at the desk sees who waits.',
  admits: ['teacher', 'student'],
  receives: {
    'desk:open': receives({ summary: 'The teacher sits down at the desk of a class.', payload: Closed({ classId: Id }), who: ['teacher'] }),
    'hand:raise': receives({
      summary: 'A pupil raises a hand.',
      payload: Closed({ classId: Id, about: Type.Optional(Type.String({ maxLength: 80 })) }),
      ack: Type.Object({ waiting: Type.Integer({ description: 'how many wait, this one included' }) }),
      who: ['student'],
      limit: { perSecond: 0.2, burst: 2 }
    })
  },
  sends: {
    'hand:raised': sends({
      summary: 'A pupil waits for the teacher.',
      payload: Payload({ classId: Id, userId: Id, about: Type.Optional(Type.String()), at: Timestamp }),
      rooms: [desk],
      kept: false
    })
  }
})

/** @param secret signs the tokens; a real host has one already, or has registered @fastify/jwt itself */
export async function build (secret: string): Promise<FastifyInstance> {
  const app = Fastify({ logger: { level: 'warn', stream: process.stderr } })
  await app.register(classwaves, { jwt: { secret } })
  const waiting = new Map<string, Set<string>>()
  app.classwaves.serve(hands, {
    async 'desk:open' (context, { classId }) {
      await context.join(desk({ classId }))
    },
    async 'hand:raise' ({ user, emit, now }, { classId, about }) {
      const queue = waiting.get(classId) ?? new Set()
      waiting.set(classId, queue.add(user.userId))
      await emit.to({ classId }).emit('hand:raised', {
        classId, userId: user.userId, at: new Date(now()).toISOString(), ...(about !== undefined && { about })
      })
      return { waiting: queue.size }
    }
  })
  return app
}

if (import.meta.filename === process.argv[1]) {
  const app = await build(randomBytes(32).toString('hex'))
  const address = await app.listen({ port: Number(process.env.PORT ?? 3000), host: '127.0.0.1' })
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, async () => { await app.close() })
  const token = (sub: string, role: string): string => app.jwt.sign({ sub, role }, { expiresIn: '8h' })
  process.stdout.write(`${address}/hands\nTeacher ${token('teacher-1', 'teacher')}\nStudent ${token('student-1', 'student')}\n`)
}
