import { setTimeout as pause } from 'node:timers/promises'
import t from 'tap'
import { token } from '../app.ts'
import type { Client } from '../client.ts'
import type { sessions as contract } from '../../lib/contract.ts'
import type { Forked } from '../fork.ts'
import { faultsOf } from './delivery.ts'
import { startSchool } from './school.ts'
import { figure, percentile, tier } from './tier.ts'

/**
 * Redis is killed (SIGKILL) in the middle of a class and comes back after a while. Fails when the client SDK does not hand
 * out what it holds once the session has gone with Redis' data, when a new epoch is not read from its beginning, and when
 * a Redis that still loads is not asked again soon. In the short size it passes without the comparison that follows each
 * new connection (`#compare(true)` in lib/core/delivery.ts), and with ioredis' own pauses, which test/lib/core/redis.test.ts holds.
 */

const downs = tier([500], [...Array.from({ length: 16 }, (_, i) => 300 + 200 * i), 8_000, 8_000, 30_000])

interface Way { from: Forked, listener: Client<typeof contract> }

for (const persistent of [true, false]) {
  t.test(`${downs.length} times, ${persistent ? 'with' : 'without'} its data`, { timeout: 7_200_000 }, async t => {
    const school = await startSchool(t, { servers: 2, classes: 2, pupils: tier(6, 50), eventsPerSecond: tier(40, 100), persistent })
    const { pupils, redis, servers } = school
    const [{ sessionId, teacher }] = school.sessions as [typeof school.sessions[0]]
    const ways: Way[] = await Promise.all(servers.map(async (from, i) => {
      const listener = await (servers[(i + 1) % servers.length] as Forked).connect('/sessions', teacher)
      await listener.ok('session:join', { sessionId })
      return { from, listener }
    }))

    const control = await school.during(async () => await pause(500))
    t.same([faultsOf(control), control.told, control.refused], [[], 0, 0], 'control: nothing is told as lost, nothing refused')

    const firsts: number[] = []
    const sum = { said: 0, refused: 0, seen: 0, told: 0, gone: 0, faults: 0 }
    for (const [round, down] of downs.entries()) {
      const verdict = await school.during(async () => {
        await pause(200)
        const killedAt = performance.now()
        await redis.kill()
        await Promise.all(servers.map(noticed))
        await pause(down)
        if (!persistent) sum.gone += school.mourn(killedAt)
        await redis.restart()
        // From here on Redis accepts: that all have to connect again first is part of what is timed.
        const accepts = performance.now()
        // Without its data the session is gone, so that no route says anything in it; the class goes on by its rooms alone, in which the worker talks.
        const first = persistent ? Promise.all(ways.map(async (way, i) => await firstEvent(way, sessionId, `${round}-${i}`))) : school.heard()
        await Promise.all([school.insist(), first.then(() => firsts.push(performance.now() - accepts))])
        await pause(200)
      })
      t.same(faultsOf(verdict), [], `down for ${down} ms`)
      sum.faults += faultsOf(verdict).length
      for (const what of ['said', 'refused', 'seen', 'told'] as const) sum[what] += verdict[what]
    }
    t.ok(pupils.every(({ client }) => client.health === 'online'))
    t.comment(`${sum.said} events acknowledged, ${sum.refused} refused, seen ${sum.seen} times; ${sum.told} said just before and told as lost, ${sum.gone} gone with its memory`)
    const faults = `${sum.faults} lost, twice or out of order, ${sum.told} said just before it and told as lost${persistent ? '' : `, ${sum.gone} gone with its memory before all had heard`}, of ${sum.seen} seen`
    const worst = Math.max(...firsts)
    figure(t, {
      what: `Redis killed and back ${persistent ? 'with' : 'without'} its data, ${downs.length} times: first cross-process event`,
      reach: '<= 1 s after it accepts, 0 lost after recovery',
      got: `${persistent ? 'both ways' : 'from a worker into each class'}, median ${percentile(firsts, 0.5).toFixed(0)} ms, worst ${worst.toFixed(0)} ms; ${faults}`
    }, worst <= 1_000 && sum.faults === 0)
  })
}

/** Resolves once a server says that Redis is away. */
async function noticed (server: Forked): Promise<void> {
  while ((await server.call('GET', '//health')).body.redis !== 'away') await pause(5)
}

/** Resolves when what one server is told has reached a listener of the other. */
async function firstEvent ({ from, listener }: Way, sessionId: string, analyticsId: string): Promise<void> {
  const payload = { sessionId, analyticsId, durationMs: 0, summary: { groups: [] } }
  const order = { namespace: '/sessions', event: 'analytics:finalized', payload }
  while ((await from.call('POST', `/sessions/${sessionId}/emit`, order, token({ role: 'worker' }))).status !== 202) await pause(10)
  for (;;) if ((await listener.next('analytics:finalized')).analyticsId === analyticsId) return
}
