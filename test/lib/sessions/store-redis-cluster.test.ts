import t from 'tap'
import { startCluster } from '../../redis.ts'
import { redisBackend } from '../../conformance/session-store-backends.ts'
import { sessionStoreConforms } from '../../conformance/session-store.ts'

const { cluster } = await startCluster(t)

sessionStoreConforms(t, async () => {
  await cluster.flushdb()
  return redisBackend(cluster)
})
