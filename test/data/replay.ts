import { existsSync } from 'node:fs'
import { join, resolve } from 'node:path'
import type { ClassRecord } from '../../examples/replay/feed.ts'
import { main } from '../../examples/replay/main.ts'
import type { GroupRecord } from '../../examples/replay/record.ts'
import { table } from '../../examples/replay/table.ts'

/**
 * The main job on real talk: replays the transcripts of `CLASSWAVES_DATA` (or `../shared/data`) and looks whether
 * what comes out is sane. Whether it is right is measured elsewhere. Run it with `npm run test:data`.
 */

/** At most so many groups of each file, so that the whole stays within two minutes on two cores. */
const files: readonly [file: string, limit: number][] = [
  ['demo_class.json', 4],
  ['groups_justhink.jsonl', 8],
  ['groups_wtd.jsonl', 8],
  ['groups_delidata.jsonl', 96],
  ['meetings_ami.jsonl', 24],
  ['scenarios.jsonl', 64],
  ['splices.jsonl', 48]
]

const folder = process.env.CLASSWAVES_DATA ?? resolve(import.meta.dirname, '../../../shared/data')
const results = { passed: 0, failed: 0 }

if (existsSync(folder)) {
  for (const [file, limit] of files) await check(file, limit)
  await checkDemo()
} else {
  process.stdout.write(`There is no folder ${folder}: these tests replay real transcripts; set CLASSWAVES_DATA to where they are.\n`)
  results.failed++
}
process.stdout.write(`${results.passed} passed, ${results.failed} failed\n`)
process.exitCode = results.failed > 0 ? 1 : 0

function expect (holds: boolean, what: string): void {
  results[holds ? 'passed' : 'failed']++
  process.stdout.write(`${holds ? 'ok' : 'NOT OK'} ${what}\n`)
}

async function replay (file: string, ...words: string[]): Promise<{ code: number, out: string, err: string }> {
  let [out, err] = ['', '']
  const streams = { stdout: { write: (text: string) => { out += text } }, stderr: { write: (text: string) => { err += text } } }
  const code = await main([join(folder, file), ...words], streams)
  return { code, out, err }
}

async function check (file: string, limit: number): Promise<void> {
  const begun = Date.now()
  const { code, out, err } = await replay(file, '--limit', String(limit), '--json')
  if (code !== 0) {
    expect(false, `${file} is replayed: ${err.trim().split('\n').at(-1) ?? ''}`)
    return
  }
  const { classes } = JSON.parse(out) as { classes: ClassRecord[] }
  const groups = classes.flatMap(one => one.groups)
  const count = (of: (group: GroupRecord) => number): number => groups.reduce((sum, group) => sum + of(group), 0)
  const slices = count(group => group.slices)
  process.stdout.write(`# ${file}: ${classes.length} classes, ${groups.length} groups, ${slices} slices, ` +
    `${count(group => group.alerts)} alerts, ${count(group => group.prompts)} prompts, ${((Date.now() - begun) / 1000).toFixed(1)} s\n`)

  expect(slices > 0 && classes.every(one => one.accepted === one.slices && one.duplicates === 0), `${file}: every slice is taken, once`)
  const talked = groups.filter(group => group.slices >= 20)
  expect(talked.length > 0 && talked.every(group => group.scores.length > 0), `${file}: every group that talks gets attention scores`)
  expect(groups.every(group => group.scores.every(({ score, at }) => score >= 0 && score <= 100 && at >= 0 && at <= group.heardUntil + 10)),
    `${file}: scores lie between 0 and 100, and within the class`)
  expect(count(group => group.alerts + group.prompts) > 0, `${file}: prompts come out`)
  const most = classes.every(one => one.groups.every(group => group.alerts + group.prompts <= 2 + one.durationSeconds / 90))
  expect(most, `${file}: no group brings more prompts than the cooldown lets through`)
  expect(classes.every(one => tells(one, table(one))), `${file}: each table has a row and a story for every group`)
}

function tells (record: ClassRecord, text: string): boolean {
  const [, rows = ''] = text.split('\n\n')
  const broken = /NaN|undefined|null|Infinity/.test(rows) || rows.split('\n').length !== record.groups.length + 1
  return !broken && record.groups.every(group => text.includes(`\n\n${group.name}\n`))
}

/** The one class with labels that a teacher would agree on at once, at any speed. */
async function checkDemo (): Promise<void> {
  const told: string[] = []
  for (const speed of [[], ['--speed', '60'], ['--speed', '240']]) {
    const { code, out } = await replay('demo_class.json', ...speed)
    checkStories(code, out, speed.join(' '))
    told.push(out.replace(/ of class in [\d.]+ s/, ''))
  }
  expect(new Set(told).size === 1, 'demo_class.json: the same at each speed, to the letter')
}

function checkStories (code: number, out: string, speed: string): void {
  const name = `demo_class.json ${speed}`.trim()
  const story = (group: string): string => out.split(`\n\n${group}\n`)[1]?.split('\n\n')[0] ?? ''
  expect(code === 0 && /^group-a +\d+ {2}[▁▂▃▄▅▆▇█·]{30}/m.test(out), `${name}: the table is printed`)
  expect(story('group-a') !== '' && !story('group-a').includes('Focus Now'), `${name}: the healthy group is left alone`)
  // What was put in: B from 2:04 to 4:18, C from 1:33 to 3:58, D from 1:53 to 3:59.
  expect(/^ {2}0[2-4]:\d\d Focus Now \(\d+\): off-task/m.test(story('group-b')), `${name}: the group that drifts off is named, in time, with the reason`)
  expect(/^ {2}0[1-3]:\d\d Focus Now \(\d+\): signs of confusion/m.test(story('group-c')), `${name}: the group that does not understand is named, in time, with the reason`)
  expect(/^ {2}0[1-4]:\d\d Focus Now \(\d+\): the talk dries up/m.test(story('group-d')), `${name}: the group that falls silent is named, in time, with the reason`)
}
