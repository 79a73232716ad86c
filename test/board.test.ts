import { readFile } from 'node:fs/promises'
import { Registry } from '@platformatic/prom-client'
import t, { type Test } from 'tap'
import { alerts, board, rows, rules } from '../docs/board.ts'
import { createMetrics } from '../lib/core/metrics.ts'
import { build, token } from './app.ts'
import { samplesOf } from './scrape.ts'

/** The Grafana board and the alerts against what a server really says. */

interface Declared { name: string, labelNames: readonly string[] }
const declared = createMetrics(new Registry()).registry.getMetricsAsArray() as unknown as Declared[]
const labelsOf = new Map(declared.map(({ name, labelNames }) => [name, labelNames]))
/** What Prometheus itself adds. */
const given = ['le', 'instance', 'job']
const panels = Object.values(rows).flat()
const expressions = [...panels.flatMap(({ queries }) => queries.map(([expr]) => expr)), ...alerts.map(({ expr }) => expr)]

const metricsIn = (expr: string): string[] => [...expr.matchAll(/\b(classwaves|guidance|process|nodejs)_\w+/g)].map(([name]) => name)

function labelsIn (expr: string): string[] {
  const matched = [...expr.matchAll(/\{([^}]*)\}/g)].flatMap(([, inside = '']) => [...inside.matchAll(/(\w+)\s*[=!~]/g)].map(([, label = '']) => label))
  const grouped = [...expr.matchAll(/\bby \(([^)]*)\)/g)].flatMap(([, inside = '']) => inside.split(',').map(label => label.trim()))
  return [...matched, ...grouped]
}

function faults (expr: string, said: ReadonlySet<string>, extra: readonly string[] = []): string[] {
  const base = (name: string): string => said.has(name) ? name : name.replace(/_(bucket|sum|count)$/, '')
  const names = metricsIn(expr).map(base)
  const labels = new Set(names.flatMap(name => labelsOf.get(name) ?? []))
  return [
    ...names.length === 0 ? [`no metric in ${expr}`] : [],
    ...names.filter(name => !said.has(name)).map(name => `${name} does not exist`),
    ...[...labelsIn(expr), ...extra].filter(label => !labels.has(label) && !given.includes(label)).map(label => `${label} is no label in ${expr}`),
    ...opened(expr) ? [] : [`brackets of ${expr}`]
  ]
}

function opened (expr: string): boolean {
  const open: string[] = []
  for (const sign of expr.replace(/"[^"]*"/g, '')) {
    if ('([{'.includes(sign)) open.push({ '(': ')', '[': ']', '{': '}' }[sign] as string)
    else if (')]}'.includes(sign) && open.pop() !== sign) return false
  }
  return open.length === 0
}

async function said (t: Test): Promise<Set<string>> {
  const app = await build(t, { metrics: { public: true } })
  const { body } = await app.call<string>('GET', '//metrics')
  return new Set([...body.matchAll(/^# TYPE (\S+)/gm)].map(([, name = '']) => name))
}

t.test('the files are those that the data make', async t => {
  const read = async (name: string): Promise<unknown> => JSON.parse(await readFile(new URL(`../ops/${name}`, import.meta.url), 'utf8'))
  t.ok(JSON.stringify(await read('grafana.json')) === JSON.stringify(board()), 'run npm run docs')
  t.ok(JSON.stringify(await read('alerts.yml')) === JSON.stringify(rules()), 'run npm run docs')
})

t.test('what is asked for is there', async t => {
  const names = await said(t)
  t.same(faults('sum by (user) (rate(classwaves_nothing_total{session="1"}[5m]))', names).length, 3, 'the check itself finds faults')
  for (const expr of expressions) t.same(faults(expr, names), [], expr)
  for (const { queries } of panels) {
    for (const [expr, legend] of queries) t.same(faults(expr, names, [...legend.matchAll(/\{\{(\w+)\}\}/g)].map(([, label = '']) => label)), [], legend)
  }
})

t.test('what fails within is in its alert, whichever door it came by', async t => {
  const expr = alerts.find(({ name }) => name === 'ClasswavesInternalErrors')?.expr ?? ''
  const parts = expr.split(' or ').map(part => /(\w+)\{(\w+)="(\w+)"\}/.exec(part)?.slice(1) ?? [])
  const app = await build(t, { metrics: { public: true }, authorize: () => { throw new Error('the host fails') } })
  const counted = async (): Promise<number[]> => {
    const samples = samplesOf((await app.call<string>('GET', '//metrics')).body)
    return parts.map(([metric, label = '', value]) => samples.find(({ name, labels }) => name === metric && labels[label] === value)?.value ?? 0)
  }
  const { sessionId } = await app.app.sessions.create({ topic: 'Rivers' }, 'teacher-1')
  const mine = token({ sub: 'teacher-1' })
  t.same(await counted(), [0, 0])
  t.equal((await app.call('GET', `/sessions/${sessionId}`, undefined, mine)).status, 500)
  t.same(await counted(), [0, 1])
  t.equal(await (await app.connect('/sessions', mine)).code('session:join', { sessionId }), 'INTERNAL')
  t.same(await counted(), [1, 1])
})

t.test('each metric has its panel, each panel a title, a unit and words', async t => {
  const shown = new Set(panels.flatMap(({ queries }) => queries.flatMap(([expr]) => metricsIn(expr))).map(name => labelsOf.has(name) ? name : name.replace(/_(bucket|sum|count)$/, '')))
  t.same(declared.map(({ name }) => name).filter(name => !shown.has(name)), [])
  t.same(panels.filter(({ title, unit, says }) => !title || !unit || !says), [])
  const titles = panels.map(({ title }) => title)
  t.same(titles, [...new Set(titles)])
  const made = board() as { panels: { id: number, type: string }[] }
  t.same(made.panels.map(({ id }) => id), made.panels.map((_, at) => at + 1))
})
