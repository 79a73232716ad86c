import { once } from 'node:events'
import { createServer, type AddressInfo } from 'node:net'
import { Cluster } from 'ioredis'
import t from 'tap'
import { startRedis } from '../../redis.ts'
import { redisBackend } from '../../conformance/session-store-backends.ts'
import { sessionStoreConforms } from '../../conformance/session-store.ts'

// One node that owns all slots still refuses a script whose keys lie in more than one.
const server = await startRedis(t, { args: ['--cluster-enabled', 'yes', '--cluster-announce-ip', '127.0.0.1', '--cluster-port', String(await freePort())] })
const admin = server.client()
await admin.call('CLUSTER', 'ADDSLOTS', ...Array.from({ length: 16384 }, (_, slot) => slot))
while (!(await admin.cluster('INFO')).includes('cluster_state:ok')) await new Promise(resolve => setTimeout(resolve, 20))

const client = new Cluster([{ host: '127.0.0.1', port: server.port }])
t.teardown(() => client.disconnect())

sessionStoreConforms(t, async () => {
  await client.flushdb()
  return redisBackend(client)
})

/** The bus of a cluster has a port of its own, which is ten thousand higher and may not exist, unless it is named. */
async function freePort (): Promise<number> {
  const probe = createServer().listen(0, '127.0.0.1')
  await once(probe, 'listening')
  const { port } = probe.address() as AddressInfo
  probe.close()
  await once(probe, 'close')
  return port
}
