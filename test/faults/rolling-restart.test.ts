import { setTimeout as pause } from 'node:timers/promises'
import t from 'tap'
import type { Forked } from '../fork.ts'
import { faultsOf } from './delivery.ts'
import { startSchool } from './school.ts'
import { figure, tier } from './tier.ts'

/**
 * Each server of three is sent away and replaced, one after the other, while classes go on: what an operator does with
 * each new version. Fails without `since`: what is said during a reconnect is lost. That transports are closed, not
 * sockets, was not seen to matter here: the client SDK comes back from both.
 */

const rounds = tier(1, 50)
const plan = { servers: 3, classes: tier(3, 10), pupils: tier(10, 30), eventsPerSecond: tier(50, 100), eager: true, lively: true }

t.test(`${rounds} rolling restarts of ${plan.servers} processes`, { timeout: 7_200_000 }, async t => {
  const school = await startSchool(t, plan)
  const { pupils } = school
  let servers = school.servers

  const control = await school.during(async () => await pause(1_000))
  t.same([faultsOf(control), control.told, control.refused], [[], 0, 0], 'control: nobody goes')
  t.equal(control.seen, control.said * plan.pupils)

  const sum = { said: 0, talked: 0, seen: 0, lost: 0, twice: 0, disorder: 0, ms: 0 }
  const codes = new Set<number | null>()
  let next = school.another()
  for (let round = 0; round < rounds; round++) {
    const verdict = await school.during(async () => {
      for (const old of servers) {
        const fresh: Forked = await next
        next = school.another() // boots while the old one closes
        old.signal('SIGTERM')
        // The others and the new one take over as soon as the old one does not listen any more.
        servers = [...servers.filter(one => one !== old), fresh]
        school.route(...servers)
        codes.add(await old.ended)
      }
    })
    t.same([faultsOf(verdict), verdict.told, verdict.refused], [[], 0, 0], `round ${round + 1}`)
    for (const what of ['lost', 'twice', 'disorder'] as const) sum[what] += verdict[what].length
    for (const what of ['said', 'talked', 'seen', 'ms'] as const) sum[what] += verdict[what]
  }
  await next
  t.same([...codes], [0], 'each process ended by itself')
  t.ok(pupils.every(({ client }) => client.health === 'online'))
  const rate = 1000 * sum.talked / sum.ms
  figure(t, {
    what: `${rounds} rolling restarts of 3 processes, ${plan.eventsPerSecond} events/s, ${pupils.length} clients`,
    reach: `0 lost, 0 seen twice, talk at ${plan.eventsPerSecond}/s`,
    got: `${sum.lost} lost, ${sum.twice} seen twice, ${sum.disorder} out of order, of ${sum.said} events, talk at ${rate.toFixed(1)}/s, seen ${sum.seen} times`
  }, sum.lost + sum.twice + sum.disorder === 0 && rate >= plan.eventsPerSecond)
})
