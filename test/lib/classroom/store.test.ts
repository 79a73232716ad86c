import t from 'tap'
import { createMemoryChatStore } from '../../../lib/classroom/store-memory.ts'
import { chatKeys, createRedisChatStore } from '../../../lib/classroom/store-redis.ts'
import { bounds, chatStoreConformance } from '../../conformance/chat-store.ts'
import { useRedis } from '../../redis.ts'

t.test('in memory', async t => { chatStoreConformance(t, (_, bounds) => createMemoryChatStore(bounds)) })

t.test('on Redis', async t => {
  const redis = (await useRedis(t)).client()
  t.beforeEach(async () => { await redis.flushdb() })
  chatStoreConformance(t, (_, bounds) => createRedisChatStore(() => redis, bounds))
})

t.test('what nobody touches is forgotten, and the old falls out', async t => {
  let now = 1_000_000
  const store = createMemoryChatStore({ ...bounds, ageMs: 1000 }, () => now)
  const content = { userId: 'ada', displayName: 'Ada', role: 'student', message: 'Hello', reactions: {} }
  await store.post('s', { messageId: 'm1', content, rank: 'student', bytes: 0 })
  now += 2000
  await store.post('s', { messageId: 'm2', content, rank: 'student', bytes: 0 })
  t.same((await store.page('s', 'main', { limit: 9 })).messages.map(one => one.messageId), ['m2'])
  await store.setMode('s', 'off')
  now += bounds.ttlSeconds * 1000 - 1
  await store.touch('s')
  now += bounds.ttlSeconds * 1000 - 1
  t.equal(await store.mode('s'), 'off', 'a touch keeps it')
  now += 2
  t.equal(await store.mode('s'), 'open')
})

t.test('every key of Redis ends by itself', async t => {
  const redis = (await useRedis(t)).client()
  await redis.ping()
  const store = createRedisChatStore(() => redis, bounds)
  const content = { userId: 'ada', displayName: 'Ada', role: 'student', message: 'Hello', reactions: {} }
  await store.post('s', { messageId: 'm1', content, rank: 'student', bytes: 0 })
  await store.post('s', { messageId: 'd1', content: { ...content, to: 'bob' }, rank: 'student', bytes: 0 })
  await store.setMode('s', 'moderated')
  await store.post('s', { messageId: 'm2', content, rank: 'student', bytes: 0 })
  await store.read('s', 'ada', 1, false)
  await store.putFile('s', 'f', Buffer.from('bytes'))
  const keys = await redis.keys('classroom:*')
  t.ok(keys.includes(chatKeys.messages({ sessionId: 's' })) && keys.length >= 8, keys.join(' '))
  for (const key of keys) t.ok(await redis.pttl(key) > 0, key)
})
