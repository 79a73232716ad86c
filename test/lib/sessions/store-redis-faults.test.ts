import { once } from 'node:events'
import { connect, createServer, type AddressInfo, type Socket } from 'node:net'
import { Redis } from 'ioredis'
import t, { type Test } from 'tap'
import type { SessionStore } from '../../../lib/sessions/store.ts'
import { createRedisSessionStore, sessionKeys, sessionScripts, type SessionRedis } from '../../../lib/sessions/store-redis.ts'
import { make, plan } from '../../conformance/session-store-backends.ts'
import { ready, startRedis, useRedis } from '../../redis.ts'

const server = await useRedis(t)
const redis = server.client()
t.beforeEach(async () => { await redis.flushdb() })

const ttlSeconds = 60
const store = createRedisSessionStore({ redis: () => redis, ttlSeconds })
const groups = [{ groupId: 'a', name: 'A' }]
const pupil = { userId: 'ann', displayName: 'Ann', role: 'student' }
const slice = { id: '1', groupId: 'a', text: 'hello' }

t.test('every key is declared, and none stays for ever', async t => {
  await make(store, 's1', { groups }, 'start')
  await store.enrol('s1', pupil)
  await store.append('s1', [slice])
  const values = { sessionId: 's1', code: 'C-s1', teacherId: 'teacher' }
  const keys = await redis.keys('sessions:*')
  t.same(keys.sort(), Object.values(sessionKeys).map(key => key(values)).sort())
  for (const key of keys) t.ok(await redis.pttl(key) > (ttlSeconds - 5) * 1000, key)
})

t.test('keys of other slots never die before the session does', async t => {
  await make(store, 's1', { groups }, 'start')
  const elsewhere = [sessionKeys.code({ code: 'C-s1' }), sessionKeys.teacher({ teacherId: 'teacher' }), sessionKeys.all({})]
  await redis.hincrby(sessionKeys.session({ sessionId: 's1' }), 'renewed', -2000)
  for (const key of elsewhere) await redis.pexpire(key, 5000)
  await store.append('s1', [slice])
  for (const key of elsewhere) t.ok(await redis.pttl(key) >= await redis.pttl(sessionKeys.session({ sessionId: 's1' })), key)
})

t.test('life is counted in milliseconds of Redis, not of the caller', async t => {
  const brief = createRedisSessionStore({ redis: () => redis, ttlSeconds: 0.2 })
  const real = Date.now
  Date.now = () => real() + 600_000
  t.teardown(() => { Date.now = real })
  const [seconds] = await redis.time()
  const session = await make(brief, 's1', { groups })
  t.ok(Math.abs(Date.parse(session.createdAt) - Number(seconds) * 1000) < 5000, 'a clock that is ten minutes ahead is not asked')
  await new Promise(resolve => setTimeout(resolve, 250))
  t.equal(await brief.get('s1'), null)
  t.equal(await brief.byCode('C-s1'), null, 'also while the code itself is still there')
})

t.test('a process that dies between two steps leaves nothing that stands in the way', async t => {
  await t.test('after the session, before its code', async t => {
    const first = await make(store, 's1')
    await redis.del(sessionKeys.code({ code: 'C-s1' }), sessionKeys.all({}))
    t.same(await store.create(plan('s1')), first)
    t.same([await store.byCode('C-s1'), (await store.list({ limit: 1 })).sessions], [first, [first]], 'the call can be repeated')
  })
  await t.test('a code whose session is gone', async t => {
    await redis.set(sessionKeys.code({ code: 'C-s2' }), 'gone')
    await make(store, 's2')
    t.equal((await store.byCode('C-s2'))?.sessionId, 's2')
  })
  await t.test('after the end, before its code is free', async t => {
    await make(store, 's3', { code: 'RIVER' }, 'end', 'finish')
    await redis.set(sessionKeys.code({ code: 'RIVER' }), 's3', 'EX', ttlSeconds)
    t.equal(await store.byCode('RIVER'), null)
    await make(store, 's4', { code: 'RIVER' })
    const release = sessionScripts.find(script => script.file === 'sessions_code_release')
    t.equal(await redis.eval(release?.source ?? '', 1, sessionKeys.code({ code: 'RIVER' }), 's3'), 0, 'who comes late frees nothing')
    t.equal((await store.byCode('RIVER'))?.sessionId, 's4')
  })
})

t.test('entries of sessions that have expired leave the lists', async t => {
  const expire = async (): Promise<void> => {
    for (let i = 0; i < 20; i++) await make(store, `s${i}`)
    for (let i = 0; i < 20; i++) await redis.del(sessionKeys.session({ sessionId: `s${i}` }), sessionKeys.code({ code: `C-s${i}` }))
  }
  await expire()
  await make(store, 'alive')
  t.match(await store.list({ limit: 30 }), { sessions: [{ sessionId: 'alive' }], nextCursor: null })
  t.equal(await redis.zcard(sessionKeys.all({})), 1, 'when somebody lists')
  await expire()
  for (let i = 0; i < 60; i++) await make(store, `new${i}`)
  t.ok(await redis.zcard(sessionKeys.all({})) < 81, 'and where nobody does')
})

t.test('a call whose answer was lost, and which the client sends again, is answered right and counts once', async t => {
  const own = await startRedis(t)
  const lossy = await startLossyPath(t, own.port)
  const client = new Redis({ port: lossy.port, retryStrategy: () => 10 })
  client.on('error', () => {})
  t.teardown(() => client.disconnect())
  await ready(client)
  const store = createRedisSessionStore({ redis: () => client, ttlSeconds })
  const losing = async <T>(call: () => Promise<T>): Promise<T> => {
    lossy.loseNextAnswer()
    const answer = await call()
    t.notOk(lossy.armed(), 'an answer was lost')
    await store.get('s0')
    return answer
  }
  // Scripts that Redis does not know yet would lose that news instead.
  await make(store, 's0', { groups }, 'start', 'end', 'finish')
  await make(store, 's1', { groups })
  await store.updateGroup('s1', 'a', { status: 'ready' })
  await store.enrol('s1', { ...pupil, userId: 'bob' })
  await store.transition('s1', 'start')
  await store.append('s1', [{ ...slice, id: '0' }])

  t.match(await losing(() => store.transition('s1', 'pause')), { ok: true, from: 'active', session: { status: 'paused', version: 3 } })
  t.match(await losing(() => store.transition('s1', 'start')), { ok: true, from: 'paused', session: { status: 'active', version: 4 } })
  t.match(await losing(() => store.updateGroup('s1', 'a', { status: 'issue' })), { ok: true, changed: true })
  t.match(await losing(() => store.enrol('s1', pupil)), { ok: true, created: true })
  t.match(await losing(() => store.append('s1', [slice, { ...slice, id: '0' }, slice])), { ok: true, accepted: [{ id: '1', seq: 2 }], duplicates: 2 })
  t.match(await losing(() => store.setGroups('s1', groups)), { ok: true })
  t.match(await losing(() => store.create(plan('s2'))), { sessionId: 's2', version: 1 })
  t.match(await store.get('s1'), { version: 4, participants: { length: 2 } })
  t.equal((await store.slices('s1', { limit: 9 })).slices.length, 2)
})

t.test('what is remembered of answered moves stays small', async t => {
  await make(store, 's1', {}, 'start')
  const fields: number[] = []
  for (let i = 0; i < 20; i++) {
    t.match(await store.transition('s1', i % 2 ? 'resume' : 'pause'), { ok: true, session: { version: i + 3 } })
    fields.push((await redis.hget(sessionKeys.session({ sessionId: 's1' }), 'moves'))?.split(' ').length ?? 0)
  }
  t.ok(Math.max(...fields) < 12, String(fields))
})

t.test('a write that is stored is answered as such, whatever becomes of the other keys', async t => {
  const told: unknown[] = []
  const failing: SessionRedis = {
    status: 'ready',
    isCluster: false,
    evalsha: (sha, count, ...args) => redis.evalsha(sha, count, ...args),
    eval: (source, count, ...args) => source.includes('Frees the join code') ? Promise.reject(new Error('no release')) : redis.eval(source, count, ...args),
    get: key => redis.get(key),
    del: key => redis.del(key),
    exists: key => redis.exists(key),
    hgetall: key => redis.hgetall(key),
    pexpire: () => Promise.reject(new Error('no renewal')),
    zadd: (key, score, member) => redis.zadd(key, score, member),
    zrem: (key, ...members) => redis.zrem(key, ...members),
    zrandmember: (key, count) => redis.zrandmember(key, count),
    zrevrangebylex: (key, max, min, limit, offset, count) => redis.zrevrangebylex(key, max, min, limit, offset, count)
  }
  await make(store, 's1', { groups }, 'start', 'end')
  await redis.script('FLUSH')
  await redis.hincrby(sessionKeys.session({ sessionId: 's1' }), 'renewed', -2000)
  const broken = createRedisSessionStore({ redis: () => failing, ttlSeconds, onSideFailure: error => told.push(error) })
  t.match(await broken.transition('s1', 'finish'), { ok: true, session: { status: 'ended' } })
  while (told.length < 4) await new Promise(resolve => setImmediate(resolve))
  t.match(told.map(String).sort(), ['Error: no release', 'Error: no renewal', 'Error: no renewal', 'Error: no renewal'])
})

t.test('a key of another kind is left alone, and is not taken for a Redis that is away', async t => {
  const key = sessionKeys.session({ sessionId: 's1' })
  await redis.set(key, 'mine')
  const calls: Promise<unknown>[] = [store.get('s1'), store.transition('s1', 'start'), store.create(plan('s1'))]
  for (const call of calls) await t.rejects(call, { name: 'ReplyError', message: /WRONGTYPE/ })
  t.equal(await redis.get(key), 'mine')
})

/** Every call of the store, on a session that may not be there. */
function everyCall (store: SessionStore): Promise<unknown>[] {
  return [
    store.create(plan('s9')), store.get('s1'), store.byCode('C-s1'), store.list({ limit: 1 }), store.transition('s1', 'pause'), store.finishOverdue('s1'),
    store.setGroups('s1', []), store.updateGroup('s1', 'a', {}), store.enrol('s1', pupil), store.append('s1', [slice]), store.slices('s1', { limit: 1 })
  ]
}

t.test('without Redis every call fails at once, and works again when Redis is back', async t => {
  const own = await startRedis(t, { persistent: true })
  const client = own.client({ retryStrategy: () => 20 })
  const store = createRedisSessionStore({ redis: () => client, ttlSeconds })
  await t.rejects(store.get('s1'), { code: 'UNAVAILABLE', statusCode: 503 }, 'not connected yet')
  await ready(client)
  await make(store, 's1', { groups }, 'start')
  await own.kill()
  if (client.status === 'ready') await once(client, 'close')
  const from = performance.now()
  for (const call of everyCall(store)) await t.rejects(call, { code: 'UNAVAILABLE' })
  t.ok(performance.now() - from < 3_000, 'at once')
  await Promise.all([own.restart(), ready(client)])
  t.match(await store.transition('s1', 'pause'), { ok: true, session: { version: 3 } })
})

t.test('a Redis that is silent holds nobody longer than a second, and what was asked happens once', async t => {
  const own = await startRedis(t)
  const client = own.client()
  await ready(client)
  const store = createRedisSessionStore({ redis: () => client, ttlSeconds })
  await make(store, 's1', { groups }, 'start')
  await client.client('PAUSE', 5000, 'ALL')
  const from = performance.now()
  const results = await Promise.allSettled(everyCall(store))
  const took = performance.now() - from
  t.ok(took > 900 && took < 4_500, `${took} ms`)
  t.match(results, Array.from(results, () => ({ status: 'rejected', reason: { code: 'UNAVAILABLE' } })))
  await client.ping()
  t.match(await store.get('s1'), { status: 'paused', version: 3 })
})

/** A path to Redis that can drop one answer together with its connection, after Redis has done what was asked. */
async function startLossyPath (t: Test, target: number): Promise<{ port: number, loseNextAnswer: () => void, armed: () => boolean }> {
  let losing = false
  const open = new Set<Socket>()
  const path = createServer(near => {
    const far = connect(target, '127.0.0.1')
    for (const end of [near, far]) {
      open.add(end)
      end.on('error', () => {})
      end.on('close', () => { near.destroy(); far.destroy(); open.delete(end) })
    }
    near.on('data', bytes => far.write(bytes))
    far.on('data', bytes => {
      if (!losing) return near.write(bytes)
      losing = false
      near.destroy()
    })
  }).listen(0, '127.0.0.1')
  await once(path, 'listening')
  t.teardown(() => {
    for (const end of open) end.destroy()
    path.close()
  })
  return { port: (path.address() as AddressInfo).port, loseNextAnswer: () => { losing = true }, armed: () => losing }
}
