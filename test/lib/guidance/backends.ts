import type { Test } from 'tap'
import { gateDefaults, type Gates } from '../../../lib/guidance/gates.ts'
import { createMemoryGates } from '../../../lib/guidance/gates-memory.ts'
import { createRedisGates } from '../../../lib/guidance/gates-redis.ts'
import { useRedis } from '../../redis.ts'

/** The same test on the gates in memory and on those in Redis. */
export function onBackends (t: Test, name: string, body: (t: Test, gates: Gates) => Promise<unknown>): void {
  t.test(`${name}, in memory`, async t => await body(t, createMemoryGates(gateDefaults)))
  t.test(`${name}, in Redis`, async t => {
    const client = (await useRedis(t)).client()
    await client.ping()
    await body(t, createRedisGates(gateDefaults, client, { onUnavailable: (gate, cause) => t.fail(`${gate}: ${cause.message}`) }))
  })
}
