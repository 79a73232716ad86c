import type { Redis } from 'ioredis'

/**
 * Makes everything in a test's Redis `ms` older, as if that time had passed: what lives shorter is gone, and times
 * kept as scores lie further back. So a day passes without a test that waits for it.
 */
export async function age (redis: Redis, ms: number): Promise<void> {
  for (const key of await redis.keys('core:*')) {
    const left = await redis.pttl(key)
    if (left < 0) throw new Error(`${key} would stay for ever`)
    if (left <= ms) {
      await redis.del(key)
      continue
    }
    await redis.pexpire(key, left - ms)
    if (await redis.type(key) !== 'zset') continue
    for (const member of await redis.zrange(key, '0', '-1')) await redis.zincrby(key, -ms, member)
  }
}
