import { showTime } from './clock.ts'
import type { ClassRecord } from './feed.ts'
import type { GroupRecord } from './record.ts'

const columns = 30
const nameWidth = 20
const levels = '▁▂▃▄▅▆▇█'

/** The end of a replay, for a person: a row per group, then what happened in each and when. */
export function table (record: ClassRecord): string {
  const { groups, topic, slices, accepted, duplicates, durationSeconds, elapsedMs } = record
  const refused = accepted === slices ? '' : ` (${accepted} taken, ${duplicates} known before)`
  const width = Math.min(nameWidth, Math.max('group'.length, ...groups.map(group => group.name.length)))
  const row = (name: string, count: string, line: string, mean: string, max: string, alerts: string, prompts: string): string =>
    [fit(name, width), count.padStart(6), line.padEnd(columns), mean.padStart(4), max.padStart(4), alerts.padStart(6), prompts.padStart(7)].join('  ')
  const rows = groups.map(group => row(
    group.name, String(group.slices), sparkLine(group, durationSeconds),
    String(group.meanAttention ?? '-'), String(group.maxAttention ?? '-'), String(group.alerts), String(group.prompts)
  ))
  return [
    topic,
    `${count(groups.length, 'group')}, ${count(slices, 'slice')}${refused}, ${showTime(durationSeconds)} of class in ${(elapsedMs / 1000).toFixed(1)} s`,
    '',
    row('group', 'slices', `attention, 0:00 to ${showTime(durationSeconds)}`, 'mean', 'max', 'alerts', 'prompts'),
    ...rows,
    ...groups.flatMap(story),
    ''
  ].join('\n')
}

function story (group: GroupRecord): string[] {
  const lines = group.moments.flatMap(({ at, text, details = [] }) => {
    const time = showTime(at).padStart(5)
    return [`  ${time} ${text}`, ...details.map(line => `  ${' '.repeat(time.length)} ${line}`)]
  })
  return ['', group.name, ...lines.length > 0 ? lines : ['  nothing that needed the teacher']]
}

/** The highest score of each stretch of the class; a dot where none was known, nothing where none can be. */
function sparkLine ({ scores, heardUntil }: GroupRecord, durationSeconds: number): string {
  const tops: (number | null)[] = Array<null>(columnOf(heardUntil, durationSeconds) + 1).fill(null)
  for (const [index, { at, score }] of scores.entries()) {
    // A score holds until the next one.
    const until = scores[index + 1]?.at ?? heardUntil
    for (let column = columnOf(at, durationSeconds); column <= columnOf(until, durationSeconds); column++) {
      tops[column] = Math.max(tops[column] ?? 0, score)
    }
  }
  return tops.map(top => top === null ? '·' : levels[Math.min(levels.length - 1, Math.floor(top / 100 * levels.length))]).join('')
}

function columnOf (at: number, durationSeconds: number): number {
  const share = durationSeconds > 0 ? at / durationSeconds : 0
  return Math.max(0, Math.min(columns - 1, Math.floor(share * columns)))
}

function fit (name: string, width: number): string {
  return name.length > width ? `${name.slice(0, width - 1)}…` : name.padEnd(width)
}

function count (number: number, noun: string): string {
  return `${number} ${noun}${number === 1 ? '' : 's'}`
}
