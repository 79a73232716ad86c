import { execFile } from 'node:child_process'
import { promisify } from 'node:util'
import t from 'tap'
import type { Measure } from '../../bench/eval/measure.ts'

/** `npm run eval` on a folder that is not quite like the one that the figures in the docs come from. */

const run = promisify(execFile)
const script = new URL('../../bench/eval.ts', import.meta.url).pathname
const evaluate = async (folder: string, ...words: string[]) => await run(process.execPath, ['--import=tsx', script, '--data', folder, ...words], { encoding: 'utf8' })

const lines = (...rows: unknown[]): string => rows.map(row => typeof row === 'string' ? row : JSON.stringify(row)).join('\n')
const said = ['the outer bank is faster', 'so it erodes there', 'i do not get it', 'did you see the game', 'my dog is so funny', 'what do we do now']
const talk = (count: number, off: (i: number) => boolean) => Array.from({ length: count }, (_, i) => [i * 4, i * 4 + 3, i % 2 ? 'A' : 'B', 0, said[off(i) ? 3 + i % 2 : i % 3], off(i) ? 1 : 0])
const splice = (n: number) => ({ id: `river-${n}+realoff0`, base: 'river', kind: 'realoff', topic: 'Why do rivers bend?', goals: ['Say where the bank erodes'], utterances: talk(60, i => i > 30 && i < 42) })

t.test('other sources, a subset of files, missing fields, rows that make no sense, a file that nobody knows', async t => {
  const folder = t.testdir({
    'splices.jsonl': lines(splice(1), splice(2), splice(3)),
    'groups_river.jsonl': lines({ id: 'river-9', utterances: talk(200, () => false).map(([t, te, s, , text]) => ({ t, te, s, text })) }, '{ not json', 'null', { id: 'river-10' }),
    'scenarios.jsonl': lines({ id: 'river-4+none0', kind: 'none', utterances: talk(100, () => false) }, { id: 'river-4+strange0', kind: 'strange', episodes: [[0, 10]], utterances: [] }),
    'help_requests_maths.jsonl': lines({ text: 'how do you do this?', actions: ['question'] }, { text: 'it is seven' }, {}),
    'meetings_ami.jsonl': '',
    'notes.jsonl': 'whatever',
    'readme.md': 'whatever'
  })
  const { stdout, stderr } = await evaluate(folder, '--json')
  const { measures } = JSON.parse(stdout) as { measures: Measure[] }
  t.ok(measures.length > 5)
  for (const one of measures) {
    t.match(one.name, /^[a-z0-9]+(-[a-z0-9]+)*$/)
    t.match(Object.keys(one).filter(key => key !== 'seen'), ['name', 'source', 'value', 'low', 'high', 'n', 'goal', 'met'])
    t.ok(one.value === null || Number.isFinite(one.value), `${one.name}: ${one.value}`)
  }
  const named = (name: string, source: string) => measures.find(one => one.name === name && one.source === source)
  t.ok((named('off-topic-auc-real-off-task-talk-spliced-in', 'river')?.value ?? 0) > 0.8)
  t.equal(named('confusion-auc', 'help_requests_maths')?.n, 3)
  t.ok(named('false-alarms-per-group-hour-focus-now', 'river') && named('false-tier2-shifts-per-group-hour', 'river'))
  t.match(stderr, /groups_river\.jsonl: 3 of 4 rows make no sense/)
  t.match(stderr, /\d s\] Attention: \d+ rows/, 'it tells how far it is, beside the answer')

  const timeless = (text: string): string => text.replace(/\{"name":"time-per-utterance[^}]*\}/, '')
  t.equal(timeless((await evaluate(folder, '--json')).stdout), timeless(stdout), 'the same twice, but for the time that it takes')
})

t.test('a folder without any of the files is told of, in a sentence', async t => {
  await t.rejects(evaluate(t.testdir({ 'notes.txt': 'x' })), { code: 1, stderr: /No data files in .+: give the folder with --data DIR/ })
})
