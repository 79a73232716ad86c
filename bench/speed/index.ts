import { cpus, loadavg } from 'node:os'
import { parseArgs } from 'node:util'
import { startRedis } from '../../test/redis.ts'
import { compare, text, type Outcome } from './compare.ts'
import { rows, type Row } from './rows.ts'

/** `npm run bench`: what the package costs beside what it stands on. `npm run bench -- NAME...` measures rows by their names, or by the words that these begin with. */

const { values, positionals } = parseArgs({ allowPositionals: true, options: { repeats: { type: 'string', default: '5' } } })
const began = Date.now()
const progress = (line: string): void => { process.stderr.write(`[${((Date.now() - began) / 1000).toFixed(0).padStart(4)} s] ${line}\n`) }
const named = (word: string): readonly Row[] => {
  const exact = rows.filter(({ name }) => name === word)
  return exact.length > 0 ? exact : rows.filter(({ name }) => name.startsWith(`${word}-`))
}
const chosen = positionals.length === 0 ? rows : rows.filter(row => positionals.some(word => named(word).includes(row)))
const endings: (() => unknown)[] = []

try {
  if (chosen.length === 0) throw new Error(`No such row. There are: ${rows.map(({ name }) => name).join(', ')}`)
  const redis = await startRedis({ teardown: handler => endings.push(handler) }, { unheard: true })
  const outcomes: Outcome[] = []
  for (const row of chosen) {
    const outcome = await compare(row, Number(values.repeats), redis.url, progress)
    outcomes.push(outcome)
    progress(`${row.name}: ${figure(outcome)}, ${outcome.reached ? 'reached' : 'missed'}`)
  }
  const [{ model = 'unknown' } = {}] = cpus()
  process.stdout.write(`${legend(chosen)}\n\n${table(outcomes)}\n\nNode ${process.versions.node}, ${cpus().length} x ${model}, load ${loadavg()[0]?.toFixed(1)}, ${values.repeats} repeats\n`)
} catch (error) {
  process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`)
  process.exitCode = 1
} finally {
  for (const end of endings) await end()
}

/** The two tables of docs/performance.md: what the rows are, and what they gave. */
function legend (chosen: readonly Row[]): string {
  return ['| row | what | reference |', '| --- | --- | --- |', ...chosen.map(({ name, what, reference }) => `| \`${name}\` | ${what} | ${reference || '-'} |`)].join('\n')
}

function table (outcomes: readonly Outcome[]): string {
  const lines = outcomes.map(outcome => {
    const { row, ours, theirs, reached } = outcome
    return `| \`${row.name}\` | ${text(row, theirs) || '-'} | ${text(row, ours)} | ${figure(outcome)} | ${reach(row)} | ${reached ? 'reached' : 'missed'} |`
  })
  return ['| row | reference | ours | figure | reach | |', '| --- | --- | --- | --- | --- | --- |', ...lines].join('\n')
}

/** The median, and between what it lay. */
function figure ({ row, figure, least, most }: Outcome): string {
  const say = (value: number): string => row.compare === 'ratio' ? value.toFixed(2) : text({ ...row, unit: '' }, value).trim()
  return `${say(figure)} (${say(least)} - ${say(most)})${row.compare === 'ratio' ? '' : ` ${row.unit}`}`
}

function reach ({ reach, compare, unit }: Row): string {
  const value = 'most' in reach ? reach.most : reach.least
  return `${'most' in reach ? '<=' : '>='} ${compare === 'ratio' ? value.toFixed(2) : `${value.toLocaleString('en')} ${unit}`}`
}
