import t from 'tap'
import type { FastifyBaseLogger } from 'fastify'
import { createEmit, type Transport } from '../../../lib/core/emit.ts'
import { Analysis } from '../../../lib/guidance/analysis.ts'
import type { Analyzer, GroupContext, Window } from '../../../lib/guidance/analyzer.ts'
import { createAnnouncer } from '../../../lib/guidance/announce.ts'
import { guidance as contract } from '../../../lib/guidance/contract.ts'
import { createEngine, type Topic } from '../../../lib/guidance/engine.ts'
import { gateDefaults } from '../../../lib/guidance/gates.ts'
import { createMemoryGates } from '../../../lib/guidance/gates-memory.ts'
import { createMemoryGuidanceStore } from '../../../lib/guidance/store-memory.ts'
import { Work } from '../../../lib/guidance/work.ts'
import { context, said, tier1Answer, tier2Answer, windowOf } from './remote/endpoint.ts'

const { window, reading } = windowOf(said)

function build (host?: Analyzer, limitMs = 5000) {
  const failures: number[] = []
  const logs: [level: string, fields: { code?: string }][] = []
  const log = Object.fromEntries(['info', 'warn', 'error'].map(level => [level, (fields: object) => { logs.push([level, fields]) }])) as unknown as FastifyBaseLogger
  return { analysis: new Analysis(host, log, tier => { failures.push(tier) }, { 1: limitMs, 2: limitMs }), failures, logs }
}

const own = await build().analysis.tier1(window, context)

t.test('a sound answer counts, without what the schema does not name', async t => {
  const answer = { ...tier1Answer, windowEnd: 'never', thought: 'x' }
  const { analysis, failures } = build({ tier1: () => answer, tier2: async () => ({ ...tier2Answer, thought: 'x' }) as never })
  const insights = await analysis.tier1(window, context)
  t.match(insights, { ...tier1Answer, windowEnd: new Date(window.end).toISOString() })
  t.notOk('thought' in insights)
  t.same(await analysis.tier2(window, reading, context), tier2Answer)
  t.equal(answer.thought, 'x', 'the host keeps what it said')
  t.same(failures, [])
})

t.test('whatever goes wrong, the embedded result takes its place and it is counted', async t => {
  const wrong: Record<string, Analyzer['tier1']> = {
    'throws at once': () => { throw new Error('x') },
    rejects: async () => await Promise.reject(new TypeError('x')),
    'throws a text': () => { throw 'x' }, // eslint-disable-line no-throw-literal
    'says nothing': () => undefined as never,
    'says null': () => null as never,
    'leaves one out': () => ({ ...tier1Answer, confidence: undefined }) as never,
    'says NaN': () => ({ ...tier1Answer, confidence: NaN }),
    'goes out of range': () => ({ ...tier1Answer, discussionMomentum: -1.01 })
  }
  for (const [name, tier1] of Object.entries(wrong)) {
    const { analysis, failures } = build({ tier1 } as Analyzer)
    t.same(await analysis.tier1(window, context), own, name)
    t.same(failures, [1], name)
  }
})

t.test('who is late is told that nobody waits', async t => {
  let signal: AbortSignal | undefined
  const { analysis, failures, logs } = build({ tier1: (_window, _context, call) => { signal = call.signal; return new Promise(() => {}) } }, 30)
  t.same(await analysis.tier1(window, context), own)
  t.ok(signal?.aborted)
  t.same(failures, [1])
  t.match(logs, [['warn', { code: 'ANALYZER_LATE' }]])
})

t.test('who answers is left alone', async t => {
  let signal: AbortSignal | undefined
  const { analysis } = build({ tier1: (_window, _context, call) => { signal = call.signal; return tier1Answer } }, 20)
  await analysis.tier1(window, context)
  await new Promise(resolve => setTimeout(resolve, 60))
  t.equal(signal?.aborted, false)
})

t.test('logs carry a code and no words; an outage is told once, and its end', async t => {
  let trouble: Error | undefined = Object.assign(new Error(`cannot parse ${said[0][1]}`), { code: 'E_PARSE' })
  const { analysis, failures, logs } = build({ tier1: () => { if (trouble) throw trouble; return tier1Answer } })
  for (let i = 0; i < 4; i++) await analysis.tier1(window, context)
  trouble = Object.assign(new SyntaxError(said[0][1]), { code: said[0][1] })
  await analysis.tier1(window, context)
  trouble = undefined
  await analysis.tier1(window, context)
  await analysis.tier1(window, context)
  t.same(logs, [['warn', { tier: 1, code: 'E_PARSE' }], ['warn', { tier: 1, code: 'SyntaxError' }], ['info', { tier: 1 }]])
  t.equal(failures.length, 5)
})

t.test('a window in which nobody spoke is not handed over', async t => {
  const { analysis, failures } = build({ tier2: () => { throw new Error('asked') } })
  t.match(await analysis.tier2({ ...window, utterances: [] }, reading, context), { confidence: Number })
  t.same(failures, [])
})

t.test('once closed, what is out is finished by the embedded one and nobody is asked', async t => {
  let asked = 0
  const { analysis } = build({ tier1: () => { asked++; return new Promise(() => {}) } })
  const pending = analysis.tier1(window, context)
  analysis.close()
  t.same(await pending, own)
  t.same(await analysis.tier1(window, context), own)
  t.equal(asked, 1)
})

/** Talk through the whole engine. */
async function engineWith (host: Analyzer) {
  const { analysis } = build(host)
  const transport: Transport = { async send () {} }
  const gates = createMemoryGates(gateDefaults)
  const emit = createEmit(contract, { transport, lookup: async () => ({ teacherId: 't1' }) })
  const settings = { autoPrompts: true, maxPromptsPerSession: 15, promptExpiryMs: 60_000, cooldownMs: 90_000, alertAfterMs: 30_000, tier2ShiftEnabled: true }
  const work = new Work({ gates, analysis, announcer: createAnnouncer(() => emit, gates), settings, countPrompt: () => {} })
  const store = createMemoryGuidanceStore({ ttlSeconds: 3600 })
  const log = { info () {}, warn () {}, error (...words: unknown[]) { throw new Error(String(words)) } } as unknown as FastifyBaseLogger
  const timing = { tier1WindowMs: 30_000, tier1WarmupMs: 45_000, tier2WindowMs: 100_000, evaluateEveryMs: 5_000 }
  return { engine: createEngine({ store, gates, work, analysis, timing, log }), store, gates }
}

const topic: Topic = { sessionId: 's1', topic: 'Rivers', goals: ['Explain a meander'], groups: [{ groupId: 'a', naming: [['Anna', 'Bilal']] }, { groupId: 'b', naming: [['Chen']] }] }
const start = Date.now() - 3_600_000
const lines = Array.from({ length: 200 }, (_, i) => ({
  groupId: 'a', speaker: i % 2 ? 'Anna' : 'Bilal', text: `line ${i} of the river`, startedAt: start + i * 3000, endedAt: start + i * 3000 + 2000
}))

t.test('a host\'s tier2 gets the talk of its window, none of it twice, and the names that must not leave', async t => {
  const windows: Window[] = []
  const contexts: GroupContext[] = []
  const { engine, store } = await engineWith({ tier2: (window, context) => { windows.push(window); contexts.push(context); return tier2Answer as never } })
  for (let i = 0; i < lines.length; i += 9) await engine.feed(topic, lines.slice(i, i + 9))
  await new Promise(resolve => setImmediate(resolve))
  t.ok(windows.length >= 5)
  const texts = windows.flatMap(one => one.utterances.map(({ text }) => text))
  t.same(texts, lines.slice(0, texts.length).map(one => one.text))
  t.ok(texts.length > 150)
  for (const { start, end, utterances } of windows) t.ok(utterances.every(one => one.endedAt >= start && one.endedAt < end))
  for (const { names } of contexts) t.same(names, ['Anna', 'Bilal', 'Chen'])
  const { record } = await store.read('s1')
  t.ok((record?.groups.a?.talk.length ?? 999) < 40)
})

t.test('without one, the talk of tier2 is not even kept', async t => {
  const { engine, store } = await engineWith({ tier1: () => tier1Answer })
  await engine.feed(topic, lines)
  t.same((await store.read('s1')).record?.groups.a?.talk, [])
})

t.test('a prompt that ran out may still be used: the silence stays counted, and the use counts too', async t => {
  const { engine, store, gates } = await engineWith({})
  const chat = ['did you see the game yesterday my dog went crazy', 'lol I love pizza and that movie', 'who is your favourite singer', 'my cousin has a new phone']
  await engine.feed(topic, lines.slice(0, 60).map(one => ({ ...one, text: 'the river bends because the outer bank erodes' })))
  await engine.feed(topic, lines.slice(60, 120).map((one, i) => ({ ...one, text: chat[i % 4] as string })))
  const [prompt] = (await store.read('s1')).record?.session.prompts.map(one => one.prompt) ?? []
  if (!prompt) return t.fail('a prompt was expected')
  await engine.feed(topic, lines.slice(160).map(one => ({ ...one, text: 'the river bends because the outer bank erodes' })))
  t.notOk((await engine.state('s1')).prompts.some(one => one.promptId === prompt.promptId))
  t.match(await gates.promptStats({ templateKey: prompt.templateKey }), { observationCount: 1 })
  await engine.interact({ promptId: prompt.promptId, action: 'use' })
  t.match(await gates.promptStats({ templateKey: prompt.templateKey }), { observationCount: 2 })
})
