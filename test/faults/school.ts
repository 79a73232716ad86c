import { setTimeout as pause } from 'node:timers/promises'
import { io } from 'socket.io-client'
import { createClient, type ClassClient } from '../../lib/client/index.ts'
import { createEmitter } from '../../lib/worker.ts'
import { token } from '../app.ts'
import { balance } from '../balance.ts'
import { fork, type Forked } from '../fork.ts'
import { startRedis, type Owner, type RedisServer } from '../redis.ts'
import { checkDelivery, type Reader, type Said, type Verdict } from './delivery.ts'

/**
 * A school day: classes of pupils who listen over the client SDK, a worker that talks into every class, several servers
 * behind one address. What is said and what each pupil hears is recorded.
 */

export interface SchoolPlan {
  servers: number
  /** How many of them the pupils come to first; all unless said. */
  full?: number
  classes: number
  /** In each class. */
  pupils: number
  /** Over all classes. */
  eventsPerSecond: number
  /** Redis keeps its data over a restart. */
  persistent?: boolean
}

export interface Pupil {
  readonly client: ClassClient
  /** When a snapshot was handed over last: the pupil is there, and has what was missed (`performance.now()`). */
  there: number
}

export interface School {
  readonly redis: RedisServer
  readonly servers: Forked[]
  readonly pupils: readonly Pupil[]
  readonly sessions: readonly { sessionId: string, teacher: string }[]
  /** Where new connections go from now on. */
  route (...servers: Forked[]): void
  another (): Promise<Forked>
  /** What is said from now on must be heard, whatever the pupils are told of their rooms. Resolves with the first of it that is acknowledged. */
  insist (): Promise<void>
  /** The worker talks while `events` go on; then everybody gets time to hear all of it, and the record is judged. */
  during (events: () => Promise<unknown>): Promise<Verdict & { said: number, refused: number, ms: number }>
}

/** How long after the last word it may take until all have heard it (ms). */
const patienceMs = 60_000
const groupId = 'all'

export async function startSchool (t: Owner, { servers: count, full = count, classes, pupils: size, eventsPerSecond, persistent = false }: SchoolPlan): Promise<School> {
  const redis = await startRedis(t, { persistent })
  const another = async (): Promise<Forked> => await fork(t, { redis: redis.url })
  const servers = await Promise.all(Array.from({ length: count }, another))
  const front = await balance(t)
  const route = (...to: Forked[]): void => front.to(...to.map(({ url }) => url))
  route(...servers.slice(0, full))
  const worker = createEmitter({ redis: redis.url })
  t.teardown(() => worker.close())

  let said: Said[] = []
  let due = false
  let accepted = (): void => {}
  const sessions: School['sessions'][number][] = []
  const pupils: Pupil[] = []
  const readers: (Reader & { seen: Reader['seen'][number][] })[] = []
  for (let number = 0; number < classes; number++) {
    const teacher = token({ sub: `teacher-${number}` })
    const names = Array.from({ length: size }, (_, i) => `pupil-${number}-${i}`)
    const { sessionId } = await (servers[0] as Forked).session(teacher, { groups: [{ groupId, name: 'All', memberIds: names }] })
    sessions.push({ sessionId, teacher })
    await Promise.all(names.map(async name => {
      const room = `session:${sessionId}:group:${groupId}`
      const reader = { name, rooms: [room], seen: [] as Reader['seen'][number][] }
      const client = createClient({ io, url: front.url, getToken: () => token({ sub: name, role: 'student', sessionId }) })
      t.teardown(() => client.close())
      const pupil = { client, there: NaN }
      client.sessions.on('transcription:group:new', ({ id }, { room, epoch = '', offset = NaN }) => { reader.seen.push({ room, id, epoch, offset }) })
      const { ready } = client.sessions.follow('session:join', sessionId, ({ lost }) => {
        pupil.there = performance.now()
        reader.seen.push(...lost.map(room => ({ lost: room })))
      })
      await ready
      pupils.push(pupil)
      readers.push(reader)
    }))
  }

  /** Says one thing after the other into one class, at its share of the rate. */
  async function talk ({ sessionId }: { sessionId: string }, offset: number, stopped: () => boolean): Promise<void> {
    const every = 1000 * classes / eventsPerSecond
    const began = performance.now() + offset * every / classes
    for (let n = 0; !stopped(); n++) {
      await pause(Math.max(0, began + n * every - performance.now()))
      const one = { room: `session:${sessionId}:group:${groupId}`, id: `${offset}-${n}-${Math.round(began)}`, by: 'worker', acknowledged: false, due }
      said.push(one)
      try {
        await worker.sessions.to({ sessionId, groupId }).emit('transcription:group:new', { sessionId, groupId, id: one.id, text: 'So it takes the bank away.', timestamp: new Date().toISOString() })
        one.acknowledged = true
        if (one.due) accepted()
      } catch (error) {
        if ((error as { code?: string }).code !== 'UNAVAILABLE') throw error
      }
    }
  }

  return {
    redis,
    servers,
    pupils,
    sessions,
    route,
    another,
    async insist () {
      due = true
      await new Promise<void>(resolve => { accepted = resolve })
    },
    async during (events) {
      said = []
      due = false
      for (const reader of readers) reader.seen.length = 0
      const began = performance.now()
      let stopped = false
      const talking = Promise.all(sessions.map(async (session, i) => await talk(session, i, () => stopped)))
      try {
        await events()
      } finally {
        stopped = true
      }
      await talking
      const ms = performance.now() - began
      const acknowledged = said.filter(one => one.acknowledged).length
      for (const end = performance.now() + patienceMs; ; await pause(100)) {
        const isQuiet = pupils.every(({ client }) => client.health === 'online')
        const verdict = checkDelivery(said, readers)
        if ((isQuiet && verdict.lost.length === 0) || performance.now() > end) {
          // What comes twice comes late.
          await pause(300)
          return { ...checkDelivery(said, readers), said: acknowledged, refused: said.length - acknowledged, ms }
        }
      }
    }
  }
}
