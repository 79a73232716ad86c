import { setTimeout as pause } from 'node:timers/promises'
import t from 'tap'
import { build, onBoth, token, type Remote } from '../../app.ts'
import type { Client } from '../../client.ts'
import { createRedisPresence } from '../../../lib/classroom/presence-redis.ts'
import type { classroom } from '../../../lib/contract.ts'
import { startRedis } from '../../redis.ts'

/** Presence as clients see it: tabs, words, silence, connections that break. */

type Here = Client<typeof classroom>
const enter = async (app: Remote, code: string, claims: object): Promise<Here> => {
  const one = await app.connect('/', token({ ...claims })) as unknown as Here
  await one.ok('joinSession', code)
  return one
}
const told = (client: Here, userId: string): string[] => client.received('presenceUpdated').filter(one => one.userId === userId).map(one => one.status)

onBoth(t, 'several tabs are one person, and the most present one counts', async (t, options) => {
  const app = await build(t, options)
  const { code, sessionId } = await app.session(token({ sub: 'teacher-1' }))
  const teacher = await enter(app, code, { sub: 'teacher-1' })
  const [one, two] = [await enter(app, code, { sub: 'pupil-1', role: 'student' }), await enter(app, code, { sub: 'pupil-1', role: 'student' })]
  await one.ok('updatePresence', { sessionCode: code, status: 'away' })
  await two.ok('updatePresence', { sessionCode: code, status: 'idle' })
  await one.ok('leaveSession', code)
  t.equal(await app.app.classroom.count(sessionId), 2)
  await two.ok('leaveSession', code)
  t.equal(await app.app.classroom.count(sessionId), 1)
  await teacher.flush()
  t.same(told(teacher, 'pupil-1'), ['active', 'idle', 'left'], 'while one tab is active the other one\'s word is nobody\'s news')
})

onBoth(t, 'who comes back in the grace was never away; who does not is gone after it', async (t, options) => {
  const app = await build(t, { ...options, classroom: { graceMs: 2_000 } })
  const { code, sessionId } = await app.session(token({ sub: 'teacher-1' }))
  const teacher = await enter(app, code, { sub: 'teacher-1' })
  for (let i = 0; i < 3; i++) {
    const flapping = await enter(app, code, { sub: 'pupil-1', role: 'student' })
    flapping.socket.io.engine.close()
    await pause(50)
  }
  const back = await enter(app, code, { sub: 'pupil-1', role: 'student' })
  await pause(2_300)
  await teacher.flush()
  t.same(told(teacher, 'pupil-1'), ['active'], 'nobody heard of it')
  back.close()
  await teacher.next('presenceUpdated')
  await teacher.next('presenceUpdated')
  t.same(await teacher.next('presenceUpdated').then(({ userId, status }) => [userId, status]), ['pupil-1', 'disconnected'])
  t.equal(await app.app.classroom.count(sessionId), 1)
})

onBoth(t, 'silence makes idle, then away; whoever does something is there again', async (t, options) => {
  const app = await build(t, { ...options, classroom: { idleAfterMs: 400, awayAfterMs: 2_500, leaseMs: 1000 } })
  const { code } = await app.session(token({ sub: 'teacher-1' }))
  const teacher = await enter(app, code, { sub: 'teacher-1' })
  const pupil = await enter(app, code, { sub: 'pupil-1', role: 'student' })
  const status = async (): Promise<string> => {
    for (;;) {
      const one = await teacher.next('presenceUpdated')
      if (one.userId === 'pupil-1') return one.status
    }
  }
  t.same([await status(), await status(), await status()], ['active', 'idle', 'away'])
  await pupil.ok('sendMessage', { sessionCode: code, message: 'Still here.' })
  t.equal(await status(), 'active')
})

t.test('to count the class costs Redis the same, however many are there', async t => {
  const redis = (await startRedis(t)).client()
  await redis.ping()
  const store = createRedisPresence(() => redis, { leaseMs: 60_000, graceMs: 3_000, idleAfterMs: 60_000, awayAfterMs: 90_000 })
  const work = async (): Promise<string[]> => (await redis.info('commandstats')).split('\n').flatMap(line => /^cmdstat_(h\w+|z\w+):calls=(\d+)/.exec(line)?.slice(1, 3).join(' ') ?? [])
  const costs: string[][] = []
  for (const [name, size] of [['few', 3], ['many', 400]] as const) {
    await store.apply(name, Array.from({ length: size }, (_, i) => ({ kind: 'here', userId: `u${i}`, seat: `s${i}`, name: 'n', role: 'student' })))
    await redis.config('RESETSTAT')
    t.equal((await store.apply(name, [])).count, size)
    costs.push(await work())
  }
  t.ok((costs[0]?.length ?? 0) > 0)
  t.same(costs[1], costs[0])
})

t.test('events say nothing of classes that were not joined', async t => {
  const app = await build(t)
  const [first, second] = [await app.session(token({ sub: 'teacher-1' })), await app.session(token({ sub: 'teacher-1' }))]
  const other = await enter(app, second.code, { sub: 'teacher-1' })
  const pupil = await enter(app, first.code, { sub: 'pupil-1', role: 'student' })
  await pupil.ok('sendMessage', { sessionCode: first.code, message: 'To the first class.' })
  t.equal(await pupil.code('sendMessage', { sessionCode: second.code, message: 'And to the second.' }), 'NOT_IN_SESSION')
  await other.flush()
  t.same(told(other, 'pupil-1'), [])
  t.same(other.received('messageReceived'), [])
})

t.test('a code opens to whom it should', async t => {
  const app = await build(t, { limits: { wrongCodesPerMinute: 4 } }) // two of them by the foreign and the bound below
  const { code, sessionId } = await app.session(token({ sub: 'teacher-1' }))
  const elsewhere = await app.session(token({ sub: 'teacher-1' }))
  const join = async (claims: object, typed = code): Promise<string> => await (await app.connect('/', token({ ...claims }))).code('joinSession', typed)
  t.equal(await join({ role: 'student', sub: 'new' }), 'ok', 'a student of none')
  t.ok((await app.app.sessions.get(sessionId)).participants.some(one => one.userId === 'new'), 'is enrolled')
  t.equal(await join({ role: 'student', sub: 'typed' }, ` ${code.slice(0, 3).toLowerCase()}-${code.slice(3)}`), 'ok', 'as people type it')
  t.equal(await join({ role: 'student', sessionId: elsewhere.sessionId }), 'SESSION_NOT_FOUND', 'not one who is bound to another')
  t.equal(await join({ role: 'teacher', sub: 'foreign' }), 'SESSION_NOT_FOUND', 'not a foreign teacher')
  t.equal(await join({ role: 'admin' }), 'ok')
  t.equal(await join({ role: 'parent' }), 'FORBIDDEN')
  t.equal(await join({ role: 'worker' }), 'FORBIDDEN')
  const guessing = await app.connect('/', token({ role: 'student' }))
  t.same([await guessing.code('joinSession', 'WRNG22'), await guessing.code('joinSession', 'WRNG23'), await guessing.code('joinSession', code)],
    ['SESSION_NOT_FOUND', 'SESSION_NOT_FOUND', 'RATE_LIMITED'], 'guessing is limited as it is over REST')
  t.equal(await join({ role: 'student', sub: 'another' }), 'RATE_LIMITED', 'for every account of the address')
  t.equal((await app.call('POST', '/sessions/join', { code, displayName: 'Ada' })).status, 429, 'and at the other door')
  t.equal(await join({ role: 'student', sub: 'new' }), 'ok', 'who takes part already comes back all the same')
  t.equal(await join({ role: 'teacher', sub: 'teacher-1', sessionId: 'a-login' }), 'ok', 'what a teacher\'s token says of a session is about something else')
  t.match(await app.refusal('/', token({ role: 'student', sessionId: 'no-such-session' })), { code: 'SESSION_NOT_FOUND' }, 'a token for a session that is not there opens nothing')
})

t.test('the host\'s word comes before enrolling', async t => {
  const app = await build(t, { authorize: (user, action) => action !== 'session:read' || user.userId !== 'unwelcome' })
  const { code, sessionId } = await app.session(token({ sub: 'teacher-1' }))
  const one = await app.connect('/', token({ sub: 'unwelcome', role: 'student' }))
  t.equal(await one.code('joinSession', code), 'SESSION_NOT_FOUND')
  t.same((await app.app.sessions.get(sessionId)).participants, [])
})

t.test('without the area the namespace is still there, and says nothing', async t => {
  const app = await build(t, { classroom: false })
  t.equal(await (await app.connect('/', token())).code('joinSession', 'ABC234'), 'UNSUPPORTED_OPERATION')
})
