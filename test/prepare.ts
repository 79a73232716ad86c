import { startRedis } from './redis.ts'

/** Before the tests: redis-server is found or installed once, and not by several of them at the same time. */

const ends: (() => unknown)[] = []
try {
  await startRedis({ teardown: end => ends.push(end) })
} catch (error) {
  process.stderr.write(`${(error as Error).message}\n`)
  process.exitCode = 1
}
for (const end of ends) await end()
