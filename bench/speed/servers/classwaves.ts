import Fastify from 'fastify'
import Type from 'typebox'
import classwaves, { Closed, contract, Id, Payload, receives, room, sends, type ClasswavesOptions } from '../../../index.ts'
import { classId, namespace, news, secret } from './payload.ts'
import { optionsOf, serve } from './serve.ts'

/** The package with a namespace of the host's own; whatever is measured goes through its doors. */

const { publishes = 'news', ...options } = optionsOf<ClasswavesOptions & { publishes?: 'news' | 'kept' }>()

const ofClass = room('class:{classId}')
const News = { classId: Id, number: Type.Integer(), text: Type.String({ maxLength: 1000 }) }
const bench = contract({
  namespace,
  summary: 'What is measured.',
  admits: ['student'],
  receives: {
    'bench:enter': receives({ summary: 'Joins rooms.', payload: Closed({ rooms: Type.Array(Id, { maxItems: 8 }) }), who: ['student'] }),
    'bench:say': receives({ summary: 'Says something.', payload: Closed(News), who: ['student'], limit: { perSecond: 1_000_000, burst: 1_000_000 } })
  },
  sends: {
    'bench:news': sends({ summary: 'News.', payload: Payload(News), rooms: [ofClass], kept: false }),
    'bench:kept': sends({ summary: 'News that are kept.', payload: Payload(News), rooms: [ofClass], kept: true })
  }
})

const unlimited = 1_000_000_000
const app = Fastify()
await app.register(classwaves, {
  jwt: { secret },
  ...options,
  limits: { connectsPer10Seconds: unlimited, handshakesPer10Seconds: unlimited, eventsPerSecond: unlimited, eventBurst: unlimited, ...options.limits }
})
const emit = app.classwaves.serve(bench, {
  'bench:enter': async ({ join }, { rooms }) => await join(...rooms.map(name => ofClass({ classId: name }))),
  'bench:say': async () => {}
})

let published = 0
const say = (event: 'bench:news' | 'bench:kept'): void => {
  emit.to({ classId }).emit(event, news(published++)).catch((error: unknown) => { console.error(error) })
}

await serve(await app.listen({ port: 0, host: '127.0.0.1' }), () => say(`bench:${publishes}`), {
  /** Decisions of the attention gate, so many at a time, over a thousand groups, for so long and so many at least; how many it made, and how long that took (ms). */
  async gates ({ ms, least, atOnce }: { ms: number, least: number, atOnce: number }) {
    const { gates } = app.guidance
    let decisions = 0
    const began = performance.now()
    await Promise.all(Array.from({ length: atOnce }, async () => {
      while (decisions < least || performance.now() - began < ms) {
        const i = decisions++
        await gates.attention({ sessionId: 'session-1', groupId: `group-${i * 7919 % 1000}`, score: i % 101 })
      }
    }))
    return { decisions, ms: performance.now() - began }
  },
  /** Publishes, so many at a time; settles when all have been taken. */
  async emits ({ event, times, atOnce }: { event: 'bench:news' | 'bench:kept', times: number, atOnce: number }) {
    let begun = 0
    await Promise.all(Array.from({ length: atOnce }, async () => {
      while (begun < times) await emit.to({ classId }).emit(event, news(begun++))
    }))
  },
  token: (claims: object) => app.jwt.sign({ ...claims }, { expiresIn: '1h' }),
  async session (teacherId: string) { return (await app.sessions.create({ topic: 'Bench', groups: [] }, teacherId)).sessionId },
  /** A class whose members come in by its code. */
  async classroom (memberIds: string[]) {
    const { sessionId, code } = await app.sessions.create({ topic: 'Bench', groups: [{ groupId: 'group-1', name: 'All', memberIds }] }, 'teacher-1')
    return { sessionId, code }
  },
  /** Asks so many times, one after the other, how many are present and who. */
  async present ({ sessionId, times }: { sessionId: string, times: number }) {
    for (let i = 0; i < times; i++) {
      await app.classroom.count(sessionId)
      await app.classroom.people(sessionId)
    }
  }
})
