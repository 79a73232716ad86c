import { fork } from 'node:child_process'
import { once } from 'node:events'
import t from 'tap'
import { gateScripts } from '../../../lib/guidance/gates-redis.ts'
import { compiled } from '../../compiled.ts'
import { tier } from '../../faults/tier.ts'
import { useRedis } from '../../redis.ts'
import type { Report, Task } from './gate-differential.ts'
import { lanes } from './gate-histories.ts'

/**
 * Scripts and twins are driven with the same histories and every answer is compared. The arguments go to the
 * scripts unchecked, so that their own guards are tried; the clock of both is part of the history.
 */

/** Of each of the eight scripts: together twice ten thousand, or ten thousand each. */
const histories = tier(2_500, 10_000)
// In full size, on an idle machine, two thirds of a minute; a busy one takes its time.
t.setTimeout(600_000)
const seed = Number(process.env.CLASSWAVES_SEED ?? Date.now() % 2 ** 31)

t.test(`scripts and twins agree in ${histories} histories each (CLASSWAVES_SEED=${seed})`, async t => {
  t.equal(gateScripts.filter(({ source }) => source.includes("redis.call('TIME')")).length, 6, 'the clocks can be set')
  const { url } = await useRedis(t)
  const names = Object.keys(lanes)
  const reports: Report[] = []
  await Promise.all([0, 1].map(async half => {
    const task: Task = { url, seed, histories, lanes: names.filter((_, index) => index % 2 === half) }
    const child = fork(await compiled(new URL('gate-differential.ts', import.meta.url)), [JSON.stringify(task)], { execArgv: [] })
    t.teardown(() => child.kill())
    child.on('message', (report: Report) => {
      reports.push(report)
      t.equal(report.failure, undefined, report.lane)
    })
    await once(child, 'exit')
  }))
  t.same(reports.map(report => report.lane).sort(), names.sort(), 'each lane was driven to its end')
})
