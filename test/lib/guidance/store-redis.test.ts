import t from 'tap'
import { createRedisGuidanceStore } from '../../../lib/guidance/store-redis.ts'
import { guidanceStoreLaw } from '../../conformance/guidance-store.ts'
import { startRedis } from '../../redis.ts'

guidanceStoreLaw(t, async (t, ttlSeconds = 60) => {
  const server = await startRedis(t)
  const [a, b] = [server.client(), server.client()]
  await Promise.all([a.ping(), b.ping()])
  return [createRedisGuidanceStore({ redis: () => a, ttlSeconds }), createRedisGuidanceStore({ redis: () => b, ttlSeconds })]
})

t.test('without Redis every call says so at once', async t => {
  const server = await startRedis(t)
  const client = server.client()
  await client.ping()
  const store = createRedisGuidanceStore({ redis: () => client, ttlSeconds: 60 })
  await server.kill()
  const from = Date.now()
  await t.rejects(store.read('s1'), { code: 'UNAVAILABLE' })
  await t.rejects(store.update('s1', () => ({ result: 1 })), { code: 'UNAVAILABLE' })
  t.ok(Date.now() - from < 3000)
})
