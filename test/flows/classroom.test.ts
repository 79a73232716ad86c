import { io, type Socket } from 'socket.io-client'
import t, { type Test } from 'tap'
import { build, token, type Remote } from '../app.ts'
import { patienceMs } from '../client.ts'
import { fork } from '../fork.ts'
import { useRedis } from '../redis.ts'

/** A client that knows seed 001 and nothing else: its events, their payloads, no acknowledgements. */
class Old {
  readonly socket: Socket
  readonly heard: { event: string, data: Record<string, unknown> }[] = []
  #read = 0

  constructor (url: string, token: string, transports = ['websocket']) {
    this.socket = io(url, { auth: { token }, transports, forceNew: true, reconnection: false })
    this.socket.onAny((event: string, data: Record<string, unknown>) => { this.heard.push({ event, data }) })
  }

  /** The next of this name that fits; what came before it is passed over. */
  async next (event: string, fits: (data: Record<string, unknown>) => boolean = () => true): Promise<Record<string, unknown>> {
    const until = Date.now() + patienceMs
    for (;;) {
      const at = this.heard.findIndex((one, i) => i >= this.#read && one.event === event && fits(one.data))
      if (at >= 0) {
        this.#read = at + 1
        return this.heard[at]!.data
      }
      if (Date.now() > until) throw new Error(`${event} did not come; what came: ${JSON.stringify(this.heard.slice(-5))}`)
      await new Promise(resolve => setTimeout(resolve, 10))
    }
  }
}

function old (t: Test, { url }: Remote, claims: Record<string, unknown>, transports?: string[]): Old {
  const one = new Old(url, token(claims), transports)
  t.teardown(() => one.socket.disconnect())
  return one
}

/** Everything that seed 001 lists, by a teacher and a pupil who may be on different servers and transports. */
async function everything (t: Test, first: Remote, second: Remote): Promise<void> {
  const teaching = { sub: 'teacher-1', role: 'teacher', name: 'Ms Lovelace' }
  const { code, sessionId } = await first.session(token(teaching))
  const teacher = old(t, first, teaching)
  const pupil = old(t, second, { sub: 'pupil-1', role: 'student', name: 'Ada' }, ['polling'])
  teacher.socket.emit('joinSession', code)
  t.match(await teacher.next('sessionJoined'), { sessionCode: code, participants: [{ userId: 'teacher-1', status: 'active', role: 'teacher' }] })

  pupil.socket.emit('joinSession', code)
  const joined = await pupil.next('sessionJoined')
  t.equal(joined.sessionCode, code)
  t.equal(joined.backend, (await first.call('GET', '//health')).body.backend, 'each answer says whether this is one process or many')
  t.same((joined.participants as { userId: string }[]).map(one => one.userId), ['teacher-1', 'pupil-1'], 'everybody, the teacher included, in the order of their coming')
  t.match(await teacher.next('presenceUpdated', one => one.userId === 'pupil-1'), { status: 'active' })

  pupil.socket.emit('sendMessage', { sessionCode: code, message: 'Hello class!' })
  for (const one of [teacher, pupil]) t.match(await one.next('messageReceived'), { userId: 'pupil-1', message: 'Hello class!' })
  teacher.socket.emit('sendMessage', { sessionCode: code, message: 'Good morning.' })
  for (const one of [teacher, pupil]) t.match(await one.next('messageReceived'), { userId: 'teacher-1', message: 'Good morning.' })

  for (const status of ['away', 'idle', 'active']) {
    pupil.socket.emit('updatePresence', { sessionCode: code, status })
    t.match(await teacher.next('presenceUpdated', one => one.userId === 'pupil-1'), { userId: 'pupil-1', status })
  }

  pupil.socket.emit('joinSession', code)
  t.match(await pupil.next('sessionJoined'), { sessionCode: code }, 'joining again answers again')
  pupil.socket.emit('leaveSession', code)
  t.match(await teacher.next('presenceUpdated', one => one.userId === 'pupil-1'), { status: 'left' })
  pupil.socket.emit('sendMessage', { sessionCode: code, message: 'Am I still there?' })
  t.match(await pupil.next('error'), { code: 'NOT_IN_SESSION', event: 'sendMessage' })

  pupil.socket.emit('joinSession', 'WRONG2')
  t.match(await pupil.next('error'), { code: 'SESSION_NOT_FOUND', event: 'joinSession' })
  pupil.socket.emit('joinSession', code)
  await pupil.next('sessionJoined')
  for (const [what, event, payload, expected] of [
    ['a status that is none', 'updatePresence', { sessionCode: code, status: 'dancing' }, 'INVALID_PAYLOAD'],
    ['a message that is none', 'sendMessage', { sessionCode: code, message: 7 }, 'INVALID_PAYLOAD'],
    ['nothing to say', 'sendMessage', { sessionCode: code, message: '  ' }, 'INVALID_PAYLOAD'],
    ['no code', 'joinSession', 7, 'INVALID_PAYLOAD'],
    ['a megabyte', 'sendMessage', { sessionCode: code, message: 'x'.repeat(1024 * 1024) }, 'PAYLOAD_TOO_LARGE']
  ] as const) {
    pupil.socket.emit(event, payload)
    t.match(await pupil.next('error'), { code: expected, message: String }, what)
  }
  t.equal(teacher.heard.filter(one => one.event === 'error').length, 0, 'nobody else hears of it')

  pupil.socket.disconnect()
  t.match(await teacher.next('presenceUpdated', one => one.userId === 'pupil-1' && one.status !== 'active'), { status: 'disconnected' })

  await first.call('POST', `/sessions/${sessionId}/end`, undefined, token(teaching))
  teacher.socket.emit('sendMessage', { sessionCode: code, message: 'Goodbye.' })
  t.match(await teacher.next('error'), { code: 'SESSION_NOT_ACTIVE' }, 'after the end nothing is said')
}

t.test('a client that knows only seed 001, one process in memory', async t => {
  const app = await build(t)
  await everything(t, app, app)
  t.same(app.warnings(), [])
})

t.test('a client that knows only seed 001, two processes on Redis', async t => {
  const { url } = await useRedis(t)
  const [one, two] = await Promise.all([fork(t, { redis: url }), fork(t, { redis: url })])
  await everything(t, one, two)
})

t.test('presence and history survive the death of a process', async t => {
  const { url } = await useRedis(t)
  const [one, two] = await Promise.all([fork(t, { redis: url }), fork(t, { redis: url })])
  const teaching = token({ sub: 'teacher-1', role: 'teacher' })
  const { code, sessionId } = await one.session(teaching)
  const teacher = await two.connect('/', teaching)
  await teacher.raw('joinSession', code)
  const pupils = ['pupil-1', 'pupil-2', 'pupil-3'].map(sub => token({ sub, role: 'student' }))
  const there = await Promise.all(pupils.map(async pupil => await one.connect('/', pupil)))
  for (const pupil of there) await pupil.raw('joinSession', code)
  await there[0]!.raw('sendMessage', { sessionCode: code, message: 'What I said stays.' })
  const staying = await two.connect('/', pupils[2]!)
  await staying.raw('joinSession', code)
  t.equal((await two.call('GET', `/sessions/${sessionId}/presence`, undefined, teaching)).body.count, 4, 'two tabs are one person')

  const killed = Date.now()
  await one.kill()
  const gone = new Set<string>()
  while (gone.size < 2) {
    const { userId, status } = await teacher.next('presenceUpdated' as never) as { userId: string, status: string }
    if (status === 'disconnected') gone.add(userId)
  }
  t.ok(Date.now() - killed < 20_000, `exact after ${Date.now() - killed} ms`)
  t.same([...gone].sort(), ['pupil-1', 'pupil-2'], 'whoever has a tab on the other process stays')
  const { body } = await two.call<{ count: number, people: { userId: string }[] }>('GET', `/sessions/${sessionId}/presence`, undefined, teaching)
  t.same([body.count, body.people.map(one => one.userId)], [2, ['teacher-1', 'pupil-3']], 'no ghosts')

  const history = await two.call<{ messages: { message: string }[] }>('GET', `/sessions/${sessionId}/messages`, undefined, teaching)
  t.same(history.body.messages.map(one => one.message), ['What I said stays.'])
  const told = teacher.records.filter(one => one.event === 'presenceUpdated' && (one.payload as { status: string }).status === 'disconnected')
  t.equal(told.length, 2, 'each is announced once')
})
