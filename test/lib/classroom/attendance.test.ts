import { setTimeout as pause } from 'node:timers/promises'
import t from 'tap'
import type { classroom } from '../../../lib/contract.ts'
import { build, token, type Remote } from '../../app.ts'
import type { Client } from '../../client.ts'
import { startRedis, useRedis } from '../../redis.ts'

/** Presence while things fail. */

type Here = Client<typeof classroom>
const enter = async (app: Remote, code: string, claims: object): Promise<Here> => {
  const one = await app.connect('/', token({ ...claims })) as unknown as Here
  await one.ok('joinSession', code)
  return one
}
const gone = (client: Here): string[] => client.received('presenceUpdated').filter(one => one.status === 'disconnected').map(one => one.userId)

t.test('Redis that is away for longer than a lease makes nobody go', async t => {
  const redis = await startRedis(t, { persistent: true })
  const options = { redis: redis.url, classroom: { leaseMs: 1000, graceMs: 200 } }
  const [one, two] = await Promise.all([build(t, options), build(t, options)])
  const { code, sessionId } = await one.session(token({ sub: 'teacher-1' }))
  const teacher = await enter(one, code, { sub: 'teacher-1' })
  await enter(one, code, { sub: 'ada', role: 'student' })
  const bob = await enter(two, code, { sub: 'bob', role: 'student' })
  await redis.stop()
  t.equal(await bob.code('sendMessage', { sessionCode: code, message: 'Anybody?' }), 'UNAVAILABLE')
  await pause(2500)
  await redis.restart()
  while (one.app.classwaves.health().redis !== 'ready') await pause(5)
  t.equal(await one.app.classroom.count(sessionId), 3, 'also for the first who asks')
  await pause(2500)
  t.equal(await one.app.classroom.count(sessionId), 3)
  t.same(gone(teacher), [])
  bob.close()
  while (gone(teacher).length === 0) await teacher.next('presenceUpdated')
  t.same(gone(teacher), ['bob'], 'and who goes afterwards goes')
  await bob.end()
})

t.test('Redis that lost everything learns again who is there', async t => {
  const redis = await startRedis(t)
  const app = await build(t, { redis: redis.url, classroom: { leaseMs: 1000 } })
  const { code, sessionId } = await app.session(token({ sub: 'teacher-1' }))
  const teacher = await enter(app, code, { sub: 'teacher-1' })
  await enter(app, code, { sub: 'ada', role: 'student' })
  await redis.client().flushall()
  await pause(800)
  t.equal(await app.app.classroom.count(sessionId), 2)
  t.same(gone(teacher), [])
})

t.test('a connection that ends while it joins leaves nobody behind', async t => {
  const { url } = await useRedis(t)
  const app = await build(t, { redis: url, classroom: { leaseMs: 1000, graceMs: 100 } })
  const { code, sessionId } = await app.session(token({ sub: 'teacher-1' }))
  await enter(app, code, { sub: 'teacher-1' })
  for (let i = 0; i < 10; i++) {
    const one = await app.connect('/', token({ sub: `pupil-${i}`, role: 'student' }))
    one.socket.emit('joinSession', code)
    setTimeout(() => one.socket.io.engine.close(), i)
  }
  while (await app.app.classroom.count(sessionId) > 1) await pause(50)
  await pause(200)
  t.equal(await app.app.classroom.count(sessionId), 1, 'and nobody comes after it')
})

t.test('a server that closes leaves nobody behind', async t => {
  const { url } = await useRedis(t)
  const options = { redis: url, drainMs: 100, classroom: { graceMs: 200 } }
  const [one, two] = await Promise.all([build(t, options), build(t, options)])
  const { code, sessionId } = await one.session(token({ sub: 'teacher-1' }))
  const teacher = await enter(one, code, { sub: 'teacher-1' })
  await enter(two, code, { sub: 'bob', role: 'student' })
  const began = Date.now()
  await two.app.close()
  while (gone(teacher).length === 0) await teacher.next('presenceUpdated')
  t.ok(Date.now() - began < 5000, `told after ${Date.now() - began} ms, without waiting for a lease`)
  t.equal(await one.app.classroom.count(sessionId), 1)
})
