import { existsSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { attributions } from '../bench/eval/sources.ts'
import { optionTable } from '../lib/core/tables.ts'
import { gateDeadlineMs, gateNames, whenUnavailable } from '../lib/guidance/gates.ts'
import { settle } from '../lib/guidance/embedded/level.ts'
import { signals } from '../lib/guidance/embedded/index.ts'
import { analyzerMs } from '../lib/guidance/analysis.ts'
import { GuidanceOptions } from '../lib/guidance/options.ts'
import { outcomes, steadyMs } from '../lib/guidance/prompts.ts'
import { recordBounds } from '../lib/guidance/record.ts'
import { OpenaiOptions } from '../lib/guidance/remote/index.ts'
import { Tier1Insights, Tier2Insights } from '../lib/guidance/schema.ts'
import { documentText, Project, root, snippetsIn } from './snippets.ts'

/** What docs/guidance.md says is what the code does. */

const text = await documentText('docs/guidance.md')
const [forTeachers = '', forEngineers = ''] = text.split('\n## For engineers\n')
const rowsOf = (document: string): string[] => document.split('\n').filter(line => line.startsWith('| '))
const rowOf = (document: string, name: string): string => rowsOf(document).find(row => row.startsWith(`| \`${name}\` |`)) ?? ''

t.test('its code compiles, strictly', async t => {
  const snippets = snippetsIn(text).filter(({ language }) => language === 'ts')
  t.ok(snippets.some(one => one.text.includes('openaiAnalyzer({')) && snippets.some(one => one.text.includes('signal')))
  t.same(await (await Project.create(t)).complaints(snippets), [])
})

t.test('every reason and every score is explained to teachers', async t => {
  for (const signal of signals) t.equal(rowOf(forTeachers, signal).split('|').length, 6, signal)
  const { windowStart: _, windowEnd: __, summary: ___, ...tier1 } = Tier1Insights.properties
  for (const score of Object.keys(tier1)) t.ok(rowOf(forTeachers, score).length > 50, score)
  const { recommendations: ____, confidence: _____, ...tier2 } = Tier2Insights.properties
  for (const [picture, { properties }] of Object.entries(tier2)) {
    for (const part of Object.keys(properties)) t.ok(rowOf(forTeachers, picture).includes(`\`${part}\``), `${picture}: ${part}`)
  }
})

t.test('every gate stands there with what it does without Redis', async t => {
  for (const gate of gateNames) t.equal(rowOf(forEngineers, gate).split('|').at(-2)?.trim(), whenUnavailable[gate], gate)
  t.match(forEngineers, `longer than ${gateDeadlineMs} ms`)
})

t.test('the options of the endpoint are all there, with their defaults', async t => {
  t.ok(text.includes(optionTable(OpenaiOptions)), optionTable(OpenaiOptions))
})

t.test('its figures are those of the code', async t => {
  const { cooldownMs, alertAfterMs, maxPromptsPerSession, promptExpiryMinutes, promptStatsHalfLifeMs, tier1WindowMs, tier2WindowMs, evaluateEveryMs, halfLifeMs, minScoreDelta, minTimeDeltaMs, tier2ShiftThrottleMs, tier1WarmupMs } =
    Object.fromEntries(Object.entries(GuidanceOptions.properties).map(([name, schema]) => [name, (schema as { default?: unknown }).default]))
  t.same(
    { cooldownMs, alertAfterMs, maxPromptsPerSession, promptExpiryMinutes, promptStatsHalfLifeMs, tier1WindowMs, tier2WindowMs, evaluateEveryMs, halfLifeMs, minScoreDelta, minTimeDeltaMs, tier2ShiftThrottleMs, tier1WarmupMs },
    {
      cooldownMs: 90_000, alertAfterMs: 30_000, maxPromptsPerSession: 15, promptExpiryMinutes: 30, promptStatsHalfLifeMs: 14 * 24 * 3_600_000, tier1WindowMs: 30_000, tier2WindowMs: 180_000,
      evaluateEveryMs: 5_000, halfLifeMs: 300_000, minScoreDelta: 5, minTimeDeltaMs: 30_000, tier2ShiftThrottleMs: 600_000, tier1WarmupMs: 60_000
    },
    'the text tells these defaults in words: change it with them'
  )
  t.match(forEngineers, `use ${outcomes.use}, silence ${outcomes.silence}, dismiss ${outcomes.dismiss}`)
  t.match(forEngineers, `has led for ${steadyMs / 1000} s`)
  t.match(forEngineers, `${analyzerMs[1] / 1000} s for tier1 and ${analyzerMs[2] / 1000} s for tier2`)
  t.match(forEngineers, `${recordBounds.utterances} utterances for tier1; ${recordBounds.talk} for tier2`)
  t.match(forEngineers, `the last ${recordBounds.prompts} of a session`)
  t.match(forEngineers, 'entered at 70 and left below 55, Watch Next entered at 40 and left below 28')
  t.same([[null, 70], [null, 69], ['Focus Now', 55], ['Focus Now', 54], [null, 40], [null, 39], ['Watch Next', 28], ['Watch Next', 27]].map(([before, score]) => settle(before as never, score as number)),
    ['Focus Now', 'Watch Next', 'Focus Now', 'Watch Next', 'Watch Next', 'Stable', 'Watch Next', 'Stable'])
})

t.test('the makers of the data are named', async t => {
  for (const { attribution, licence } of Object.values(attributions)) t.ok(rowsOf(forEngineers).includes(`| ${attribution} | ${licence} |`), attribution)
})

t.test('the measured table has its place, once', async t => {
  t.match(text, /\n<!-- eval -->\n(?:[^]*\n)?<!-- \/eval -->\n/)
  for (const mark of ['<!-- eval -->', '<!-- /eval -->']) t.equal(text.split(mark).length, 2, mark)
})

t.test('its links lead somewhere', async t => {
  const anchors = new Set([...text.matchAll(/^#+ (.+)$/gm)].map(([, title = '']) => title.toLowerCase().replace(/[^\p{L}\p{N} -]/gu, '').replaceAll(' ', '-')))
  const links = [...text.matchAll(/\]\(([^)]+)\)/g)].map(([, link = '']) => link)
  t.ok(links.length > 15)
  for (const link of links) {
    const [file = '', anchor] = link.split('#')
    if (file === '') t.ok(anchors.has(anchor ?? ''), link)
    else t.ok(existsSync(join(root, 'docs', file)), link)
  }
  for (const file of new Set([...forEngineers.matchAll(/`(\w+\.ts)`/g)].map(([, name = '']) => name))) {
    t.ok(['lib/guidance', 'lib/guidance/embedded'].some(folder => existsSync(join(root, folder, file))), file)
  }
})
