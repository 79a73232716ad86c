import { setTimeout as pause } from 'node:timers/promises'
import { io } from 'socket.io-client'
import { createClient, type ClassClient } from '../../lib/client/index.ts'
import { createEmitter } from '../../lib/worker.ts'
import { remote, token } from '../app.ts'
import { balance } from '../balance.ts'
import { fork, type Forked } from '../fork.ts'
import { unlessLate } from '../late.ts'
import { startRedis, type Owner, type RedisServer } from '../redis.ts'
import type { Meta } from '../../lib/core/contract.ts'
import { checkDelivery, excuse, type Reader, type Said, type Verdict } from './delivery.ts'
import { listen, type Wire } from './wire.ts'

/**
 * A school day: classes of pupils who listen over the client SDK, a worker that talks into every class, several servers
 * behind one address; if wanted, pupils who chat, a transcriber, and a teacher who pauses and resumes. What is said and
 * what each pupil hears is recorded. The client SDK drops what comes twice, so in each class one more pupil listens to the
 * bare wire.
 */

export interface SchoolPlan {
  servers: number
  /** How many of them the pupils come to first; all unless said. */
  full?: number
  classes: number
  /** In each class. */
  pupils: number
  /** Talk over all classes. */
  eventsPerSecond: number
  /** The worker does not wait for an acknowledgement before it says the next; only with a Redis that stays is what it says in order then. */
  eager?: boolean
  /** Beside the talk: in each class two messages of pupils, a slice over REST and a change of its status in a second. */
  lively?: boolean
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
  readonly sessions: readonly Pick<Session, 'sessionId' | 'teacher'>[]
  /** Where new connections go from now on. */
  route (...servers: Forked[]): void
  another (): Promise<Forked>
  /** What is said from now on must be heard, whatever the pupils are told of their rooms. Resolves with the first of it that is acknowledged. */
  insist (): Promise<void>
  /** Resolves when in each class somebody has heard what is said since `insist`. */
  heard (): Promise<void>
  /** `excuse`, in the talk of all classes. To be asked before Redis is back, since what it acknowledges then must be heard. */
  mourn (killedAt: number): number
  /** The worker and all others talk while `events` go on; then everybody gets time to hear all of it, and the record is judged. `talked` and `refused` are the worker's, `wired` how many came over the bare wires. */
  during (events: () => Promise<unknown>): Promise<Verdict & { said: number, talked: number, refused: number, ms: number, wired: number }>
}

/** How long after the last word it may take until all have heard it (ms). */
const patienceMs = 60_000
const groupId = 'all'

interface Session {
  sessionId: string
  code: string
  teacher: string
  /** Where its events are kept. */
  rooms: Record<'talk' | 'status' | 'chat', string>
  pupils: Pupil[]
}

const statusId = (version: number): string => `version ${version}`

export async function startSchool (t: Owner, { servers: count, full = count, classes, pupils: size, eventsPerSecond, eager = false, lively = false, persistent = false }: SchoolPlan): Promise<School> {
  const redis = await startRedis(t, { persistent })
  const another = async (): Promise<Forked> => await fork(t, { redis: redis.url })
  const servers = await Promise.all(Array.from({ length: count }, another))
  const front = await balance(t)
  const route = (...to: Forked[]): void => front.to(...to.map(({ url }) => url))
  route(...servers.slice(0, full))
  const office = remote(t, front.url)
  const transcriber = token({ role: 'worker' })
  const worker = createEmitter({ redis: redis.url })
  t.teardown(() => worker.close())

  let said: Said[] = []
  let due = false
  let accepted = (): void => {}
  let heardIn = (_sessionId: string, _id: string): void => {}
  const sessions: Session[] = []
  const pupils: Pupil[] = []
  const readers: (Reader & { seen: Reader['seen'][number][] })[] = []
  const wires: Wire[] = []
  for (let number = 0; number < classes; number++) {
    const teacher = token({ sub: `teacher-${number}` })
    const names = Array.from({ length: size }, (_, i) => `pupil-${number}-${i}`)
    const stock = `stock-${number}`
    const { sessionId, code } = await (servers[0] as Forked).session(teacher, { groups: [{ groupId, name: 'All', memberIds: [...names, stock] }] })
    const rooms = { talk: `session:${sessionId}:group:${groupId}`, status: `session:${sessionId}`, chat: `classroom:${sessionId}` }
    const session: Session = { sessionId, code, teacher, rooms, pupils: [] }
    sessions.push(session)
    await Promise.all(names.map(async name => {
      const reader = { name, rooms: lively ? Object.values(rooms) : [rooms.talk], seen: [] as Reader['seen'][number][] }
      const client = createClient({ io, url: front.url, getToken: () => token({ sub: name, role: 'student', sessionId }) })
      t.teardown(() => client.close())
      const pupil = { client, there: NaN }
      const hear = (id: string, { room, epoch = '', offset = NaN }: Meta): void => { reader.seen.push({ room, id, epoch, offset }) }
      const miss = (rooms: readonly string[]): void => { reader.seen.push(...rooms.map(room => ({ lost: room }))) }
      client.sessions.on('transcription:group:new', ({ id }, meta) => {
        heardIn(sessionId, id)
        hear(id, meta)
      })
      await client.sessions.follow('session:join', sessionId, ({ lost }) => {
        pupil.there = performance.now()
        miss(lost)
      }).ready
      if (lively) {
        client.sessions.on('session:status_changed', ({ version }, meta) => hear(statusId(version), meta))
        client.classroom.on('messageReceived', ({ message }, meta) => hear(message, meta))
        await client.classroom.follow('joinSession', code, ({ lost }) => miss(lost)).ready
      }
      pupils.push(pupil)
      session.pupils.push(pupil)
      readers.push(reader)
    }))
    wires.push(await listen(t, { url: front.url, name: stock, token: token({ sub: stock, role: 'student', sessionId }), sessionId }))
  }

  /** Says one thing after the other into one class, at its share of the rate. */
  async function talk ({ sessionId, rooms }: Session, offset: number, stopped: () => boolean): Promise<void> {
    const every = 1000 * classes / eventsPerSecond
    const began = performance.now() + offset * every / classes
    const emits: Promise<void>[] = []
    const saying = (n: number): Promise<void> => {
      const one: Said = { room: rooms.talk, id: `${offset}-${n}-${Math.round(began)}`, by: 'worker', acknowledged: false, due }
      said.push(one)
      const text = { sessionId, groupId, id: one.id, text: 'So it takes the bank away.', timestamp: new Date().toISOString() }
      // Where Redis was only late it is said again, as a worker would: by its id it comes once.
      return unlessLate(async () => await worker.sessions.to({ sessionId, groupId }).emit('transcription:group:new', text, one.id)).then(() => {
        Object.assign(one, { acknowledged: true, at: performance.now() })
        if (one.due) accepted()
      }, (error: unknown) => {
        if ((error as { code?: string }).code !== 'UNAVAILABLE') throw error
      })
    }
    for (let n = 0; !stopped();) {
      await pause(Math.max(0, began + n * every - performance.now()))
      // All that is due by now: with hundreds of clients in this process a turn may take longer than it is to the next word.
      if (eager) do emits.push(saying(n++)); while (began + n * every <= performance.now())
      else await saying(n++)
    }
    await Promise.all(emits)
  }

  /** The pupils of a class say something, one after the other. */
  async function chat ({ code, rooms, pupils }: Session, stopped: () => boolean): Promise<void> {
    const began = Math.round(performance.now())
    for (let n = 0; !stopped(); n++) {
      const author = n % pupils.length
      const one = { room: rooms.chat, id: `message-${began}-${n}`, by: `pupil ${author}`, acknowledged: false }
      said.push(one)
      // What waits for a connection is said again by the client SDK, and counts once.
      const { client } = pupils[author] as Pupil
      await client.classroom.send('sendMessage', { sessionCode: code, message: one.id, id: one.id }).catch((error: unknown) => {
        const { sessions, classroom } = client
        throw new Error(`pupil ${author} said nothing: ${JSON.stringify({ health: client.health, connections: sessions.socket.io.engine.readyState, sessions: sessions.facts, classroom: classroom.facts })}`, { cause: error })
      })
      one.acknowledged = true
      await pause(500)
    }
  }

  /** A transcriber hands in one slice after the other over REST, again and again until somebody answers that it is there. */
  async function transcribe ({ sessionId, rooms }: Session, stopped: () => boolean): Promise<void> {
    const began = Math.round(performance.now())
    for (let n = 0; !stopped(); n++) {
      const one = { room: rooms.talk, id: `slice-${began}-${n}`, by: 'transcriber', acknowledged: false }
      said.push(one)
      while (!one.acknowledged) {
        const slices = [{ id: one.id, groupId, text: 'And so it bends.' }]
        const answer = await office.call('POST', `/sessions/${sessionId}/transcripts`, { slices }, transcriber).catch(() => undefined)
        if (answer?.status === 202) one.acknowledged = true
        else if (answer && answer.status !== 503) throw new Error(`a slice was refused: ${JSON.stringify(answer.body)}`)
        else await pause(50)
      }
      await pause(1_000)
    }
  }

  /** The teacher of a class pauses it and goes on, over whichever server answers. */
  async function lead ({ sessionId, teacher, rooms }: Session, stopped: () => boolean): Promise<void> {
    const ask = async (method: 'GET' | 'POST', step: string) => await office.call<{ version: number, status: string }>(method, `/sessions/${sessionId}${step}`, undefined, teacher).catch(() => undefined)
    while (!stopped()) {
      const before = await ask('GET', '')
      if (before?.status !== 200) continue
      const next = { room: rooms.status, id: statusId(before.body.version + 1), by: 'teacher', acknowledged: false }
      // After a call that came to nothing it is said already.
      const one = said.find(({ room, id }) => room === next.room && id === next.id) ?? next
      if (one === next) said.push(one)
      const moved = await ask('POST', before.body.status === 'active' ? '/pause' : '/resume')
      if (moved?.status === 200) one.acknowledged = true
      await pause(1_000)
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
    async heard () {
      const waiting = new Set(sessions.map(({ sessionId }) => sessionId))
      await new Promise<void>(resolve => {
        heardIn = (sessionId, id) => { if (said.some(one => one.due && one.id === id) && waiting.delete(sessionId) && waiting.size === 0) resolve() }
      })
    },
    mourn: killedAt => sessions.reduce((sum, { rooms }) => sum + excuse(said, readers, rooms.talk, killedAt), 0),
    async during (events) {
      // What nobody was sure of may still come.
      said = said.filter(one => !one.acknowledged)
      due = false
      for (const reader of readers) reader.seen.length = 0
      for (const wire of wires) wire.forget()
      const began = performance.now()
      let stopped = false
      const isOver = (): boolean => stopped
      const talking = Promise.all(sessions.flatMap((session, i) => [talk(session, i, isOver), ...lively ? [chat(session, isOver), transcribe(session, isOver), lead(session, isOver)] : []]))
      try {
        await events()
      } finally {
        stopped = true
      }
      const ms = performance.now() - began
      await talking
      const acknowledged = said.filter(one => one.acknowledged).length
      for (const end = performance.now() + patienceMs; ; await pause(100)) {
        const isQuiet = pupils.every(({ client }) => client.health === 'online')
        const verdict = checkDelivery(said, readers)
        if ((isQuiet && verdict.lost.length === 0) || performance.now() > end) {
          // What comes twice comes late.
          await pause(300)
          const judged = checkDelivery(said, readers)
          return { ...judged, twice: [...judged.twice, ...wires.flatMap(({ twice }) => twice)], wired: wires.reduce((sum, { heard }) => sum + heard, 0), said: acknowledged, talked: said.filter(one => one.by === 'worker' && one.acknowledged).length, refused: said.filter(one => one.by === 'worker' && !one.acknowledged).length, ms }
        }
      }
    }
  }
}
