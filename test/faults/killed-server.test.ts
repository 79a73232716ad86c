import { setTimeout as pause } from 'node:timers/promises'
import t from 'tap'
import type { Forked } from '../fork.ts'
import { faultsOf } from './delivery.ts'
import { startSchool } from './school.ts'
import { figure, percentile, tier } from './tier.ts'

/**
 * A server dies as in a power cut (SIGKILL) while all listen on it. Fails without the positions that clients say when
 * they come back (`since`): what is said while they change over is lost. Fails with a server that sends each event twice,
 * which the client SDK alone would hide.
 */

const plan = { servers: 2, full: 1, classes: tier(2, 10), pupils: tier(10, 50), eventsPerSecond: tier(50, 100), lively: true }
const rounds = tier(1, 5)

t.test(`${plan.classes * plan.pupils} clients, their process killed`, { timeout: 1_800_000 }, async t => {
  const school = await startSchool(t, plan)
  const { pupils } = school
  let [here, other] = school.servers as [Forked, Forked]

  const control = await school.during(async () => await pause(500))
  t.same([faultsOf(control), control.told, control.refused], [[], 0, 0], 'control: nobody dies')
  t.ok(control.wired > 0, 'and the bare wires hear')

  const moves: number[] = []
  let faults = 0
  for (let round = 0; round < rounds; round++) {
    let killed = NaN
    const verdict = await school.during(async () => {
      await pause(500)
      school.route(here, other)
      killed = performance.now()
      await here.kill()
      while (!pupils.every(({ there }) => there > killed)) await pause(5)
      await pause(500)
    })
    t.same([faultsOf(verdict), verdict.told, verdict.refused], [[], 0, 0], 'killed')
    faults += faultsOf(verdict).length + verdict.told
    moves.push(...pupils.map(({ there }) => there - killed))
    if (round === rounds - 1) break
    here = other
    school.route(here)
    other = await school.another()
  }
  const p99 = percentile(moves, 0.99)
  figure(t, {
    what: `${pupils.length} clients, their process SIGKILLed, ${rounds} times`,
    reach: 'all on another within 6 s (p99), 0 lost',
    got: `median ${(percentile(moves, 0.5) / 1000).toFixed(1)} s, p99 ${(p99 / 1000).toFixed(1)} s; ${faults} lost, twice or out of order`
  }, p99 <= 6_000 && faults === 0)
})
