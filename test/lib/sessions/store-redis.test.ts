import t from 'tap'
import { useRedis } from '../../redis.ts'
import { redisBackend } from '../../conformance/session-store-backends.ts'
import { sessionStoreConforms } from '../../conformance/session-store.ts'

const server = await useRedis(t)
const client = server.client()

sessionStoreConforms(t, async () => {
  await client.flushdb()
  return redisBackend(client)
})
