import { setTimeout as pause } from 'node:timers/promises'
import { io } from 'socket.io-client'
import t from 'tap'
import { createClient, ClientError, heat, type ClassClient, type Health } from '../../../lib/client/index.ts'
import { createEmitter } from '../../../lib/worker.ts'
import { build, inSeconds, token } from '../../app.ts'
import { balance } from '../../balance.ts'
import { fork } from '../../fork.ts'
import { unlessLate } from '../../late.ts'
import { startRedis, type Owner } from '../../redis.ts'

function client (t: Owner, url: string, getToken: () => string, options: Partial<Parameters<typeof createClient>[0]> = {}): ClassClient & { seen: Health[] } {
  const one = createClient({ io, url, getToken, ...options })
  t.teardown(() => one.close())
  const seen: Health[] = []
  one.onHealth(health => seen.push(health))
  return Object.assign(Object.create(one) as ClassClient, { seen })
}

async function until (look: () => boolean, what: string): Promise<void> {
  const deadline = Date.now() + 20_000
  while (!look()) {
    if (Date.now() > deadline) throw new Error(`${what} did not come about`)
    await pause(10)
  }
}

t.test('two processes die and come back in turn: no event lost, none twice, order kept', async t => {
  const redis = await startRedis(t)
  const options = { redis: redis.url, drainMs: 100 }
  const front = await balance(t)
  let [a, b] = await Promise.all([fork(t, options), fork(t, options)])
  front.to(a.url, b.url)
  const teacher = token({ sub: 'teacher-1' })
  const { sessionId, code } = await a.session(teacher)
  const worker = createEmitter({ redis: redis.url })
  t.teardown(() => worker.close())

  const one = client(t, front.url, () => teacher)
  const heard: Record<string, string[]> = { red: [], blue: [] }
  const lost: string[] = []
  let states = 0
  one.sessions.on('transcription:group:new', ({ groupId, id }) => { heard[groupId]?.push(id) })
  const followed = one.sessions.follow('session:join', sessionId, state => { states++; lost.push(...state.lost) })
  one.guidance.follow('session:guidance:subscribe', sessionId, state => { lost.push(...state.lost) })
  const chat: string[] = []
  one.classroom.on('messageReceived', ({ message }) => { chat.push(message) })
  await one.classroom.follow('joinSession', code, state => { lost.push(...state.lost) }).ready
  await followed.ready
  const pupil = client(t, front.url, () => token({ sub: 'pupil-1', role: 'student' }))
  await pupil.classroom.follow('joinSession', ` ${code.toLowerCase()}`, () => {}).ready

  const said: Record<string, string[]> = { red: [], blue: [] }
  const written: string[] = []
  const talk = new AbortController()
  const talked = (async () => {
    for (let i = 0; !talk.signal.aborted; i++) {
      for (const groupId of ['red', 'blue']) {
        const id = `${groupId}-${i}`
        const say = async (): Promise<void> => { await worker.sessions.to({ sessionId, groupId }).emit('transcription:group:new', { sessionId, groupId, id, text: id, timestamp: new Date().toISOString() }, id) }
        // Where Redis was late it is said again, as a worker would.
        await unlessLate(say)
        said[groupId]?.push(id)
      }
      await pause(5)
    }
  })()
  const wrote = (async () => {
    for (let i = 0; !talk.signal.aborted; i++) {
      // Wherever the connection breaks: what was sent is there, once.
      await pupil.classroom.send('sendMessage', { sessionCode: code, message: `message ${i}` })
      written.push(`message ${i}`)
      await pause(20)
    }
  })()
  for (let round = 0; round < 2; round++) {
    await pause(200)
    await a.kill()
    // What is said while nobody is there comes later, once.
    const ready = one.sessions.send('group:status_update', { sessionId, groupId: 'red', status: 'ready' })
    a = await fork(t, options)
    front.to(a.url, b.url)
    t.match(await ready, { group: { isReady: true } })
    await (round === 0 ? b.close() : b.kill())
    b = await fork(t, options)
    front.to(a.url, b.url)
    await until(() => one.health === 'online', 'online again')
  }
  talk.abort()
  await Promise.all([talked, wrote])
  await until(() => chat.length >= written.length, 'all messages')
  await until(() => ['red', 'blue'].every(group => (heard[group]?.length ?? 0) >= (said[group]?.length ?? 0)), 'all talk')
  await pause(100)
  t.ok((said.red?.length ?? 0) > 50, `${said.red?.length} events a group`)
  t.same(heard, said)
  t.ok(written.length > 5, `${written.length} messages`)
  t.same(chat, written)
  t.same(lost, [])
  t.ok(states > 2, 'it did reconnect')
  t.ok(one.seen.includes('reconnecting') || one.seen.includes('draining'), one.seen.join(' '))
})

t.test('a message whose answer is lost with the connection is said again, and counts once', async t => {
  const { app, url, session } = await build(t)
  const { code, sessionId } = await session(token({ sub: 'teacher-1' }))
  const one = client(t, url, () => token({ sub: 'pupil-1', role: 'student' }), { socket: { transports: ['websocket'], reconnectionDelay: 50 } })
  const heard: string[] = []
  one.classroom.on('messageReceived', ({ message }) => {
    heard.push(message)
    // The class hears it before its author gets the answer.
    if (heard.length === 2) one.classroom.socket.io.engine.close()
  })
  await one.classroom.follow('joinSession', code, ({ snapshot }) => { heard.push(`${snapshot.mode} ${snapshot.count}`) }).ready
  await one.classroom.send('sendMessage', { sessionCode: code, message: 'Once' })
  await one.classroom.send('sendMessage', { sessionCode: code, message: 'And another' })
  await until(() => heard.at(-1) === 'And another', 'both')
  t.same(heard, ['open 1', 'Once', 'open 1', 'And another'])
  t.equal((await app.classroom.history(sessionId, 'main', {})).messages.length, 2)
})

t.test('a room that is too long ago hands over a fresh snapshot', async t => {
  const front = await balance(t)
  const teacher = token({ sub: 'teacher-2' })
  const { app, url, session } = await build(t)
  front.to(url)
  const { sessionId } = await session(teacher)
  const one = client(t, front.url, () => teacher, { socket: { transports: ['websocket'], reconnectionDelay: 50 } })
  const order: string[] = []
  one.sessions.on('transcription:group:new', ({ id }) => { order.push(id) })
  await one.sessions.follow('session:join', sessionId, ({ snapshot, lost }) => { order.push(`snapshot ${snapshot.status}`, ...lost) }).ready
  front.to()
  front.drop()
  await until(() => one.health === 'reconnecting', 'the loss')
  const say = async (id: string): Promise<void> => {
    await app.classwaves.emit.sessions?.to({ sessionId, groupId: 'red' }).emit('transcription:group:new', { sessionId, groupId: 'red', id, text: id, timestamp: new Date().toISOString() })
  }
  for (let i = 0; i < 1_101; i++) await say(`missed-${i}`)
  front.to(url)
  await until(() => one.health === 'online', 'online again')
  await say('after')
  await until(() => order.at(-1) === 'after', 'what came after')
  t.same(order, ['snapshot active', 'snapshot active', `session:${sessionId}:group:red`, 'after'])
})

t.test('the token is renewed in the connection; when it cannot be, the health says so and renew() brings it back', async t => {
  const { url, session } = await build(t)
  const { sessionId } = await session(token({ sub: 'teacher-3' }))
  // Within the last minute the server warns at once, and again when the next token ends as soon.
  let exp = inSeconds(10)
  let sub = 'teacher-3'
  let asked = 0
  const one = client(t, url, () => { asked++; return token({ sub, exp }) })
  await one.sessions.follow('session:join', sessionId, () => {}).ready
  await until(() => asked >= 2, 'a second token')
  const { id } = one.sessions.socket
  const end = exp * 1000
  exp = inSeconds(3600)
  await until(() => asked >= 3, 'a third token')
  await pause(end + 500 - Date.now())
  t.equal(asked, 3, 'no more often than it must')
  t.equal(one.health, 'online')
  t.equal(one.sessions.socket.id, id, 'it is the same connection')

  const other = client(t, url, () => { if (sub === 'nobody') throw new Error('signed out'); return token({ sub: 'teacher-3', exp: inSeconds(2) }) })
  await other.sessions.follow('session:join', sessionId, () => {}).ready
  sub = 'nobody'
  await until(() => other.health === 'expired', 'the end')
  sub = 'teacher-3'
  other.renew()
  await until(() => other.health === 'online', 'the return')
})

t.test('what waits is bounded, in number and in time', async t => {
  const one = client(t, 'http://127.0.0.1:9', () => 'x', { queueLimit: 2, offlineAfterMs: 100 })
  const send = (ttlMs?: number) => one.sessions.send('group:leader_ready', { sessionId: 's', groupId: 'g', ready: true }, ttlMs === undefined ? {} : { ttlMs })
  const code = async (promise: Promise<unknown>): Promise<string> => await promise.then(() => 'ok', error => error instanceof ClientError ? error.code : String(error))
  const waiting = [code(send(50)), code(send())]
  t.equal(await code(send()), 'QUEUE_FULL')
  t.equal(await waiting[0], 'TOO_LATE')
  t.equal(await code(send(0)), 'NOT_CONNECTED')
  t.equal(await code(one.sessions.send('audio:stream:end', { sessionId: 's', groupId: 'g' })), 'NOT_CONNECTED', 'audio is live or nothing')
  await until(() => one.health === 'offline', 'offline')
  one.close()
  t.equal(await waiting[1], 'CLOSED')
})

t.test('a refusal comes up', async t => {
  const { url } = await build(t)
  const one = client(t, url, () => token())
  const errors: string[] = []
  one.sessions.on('error', ({ code, event }) => { errors.push(`${event} ${code}`) })
  await t.rejects(one.sessions.follow('session:join', 'unknown', () => {}).ready, { code: 'SESSION_NOT_FOUND' })
  t.same(errors, ['session:join SESSION_NOT_FOUND'])
  await t.rejects(one.sessions.send('group:leader_ready', { sessionId: 'unknown', groupId: 'g', ready: true }), { code: 'NOT_IN_SESSION' })
})

t.test('heat is the seed\'s', async t => {
  t.same([100, 70, 69, 40, 39, 0].map(heat), ['Focus Now', 'Focus Now', 'Watch Next', 'Watch Next', 'Stable', 'Stable'])
})
