import t, { type Test } from 'tap'
import type { FastifyBaseLogger } from 'fastify'
import { Analysis } from '../../../lib/guidance/analysis.ts'
import type { Announcer } from '../../../lib/guidance/announce.ts'
import { gateDefaults, type Gates } from '../../../lib/guidance/gates.ts'
import { createMemoryGates } from '../../../lib/guidance/gates-memory.ts'
import { createRedisGates } from '../../../lib/guidance/gates-redis.ts'
import { outcomes } from '../../../lib/guidance/prompts.ts'
import { newGroup, newRecord, type GuidanceRecord, type Look } from '../../../lib/guidance/record.ts'
import type { TeacherPrompt } from '../../../lib/guidance/schema.ts'
import { Work, type Outcome, type WorkSettings } from '../../../lib/guidance/work.ts'
import { onBackends } from './backends.ts'

const start = Date.now() - 7_200_000
const subject = { sessionId: 's1', topic: 'Rivers', contextOf: () => ({ topic: 'Rivers', goals: [], members: [] }), seedOf: (groupId: string) => `s1|${groupId}` }
const silent = { info () {}, warn () {}, error () {} } as unknown as FastifyBaseLogger
const analysis = new Analysis(undefined, silent, () => {})

/** A look at a group that has been off its task, or the like, since the class began. */
const look = (seconds: number, score: number, groupId = 'a', signal = 'stall'): Look => ({
  groupId,
  at: start + seconds * 1000,
  assessment: {
    score,
    metrics: { confidence: 1 } as Look['assessment']['metrics'],
    drivers: score > 0 ? [{ signal, value: 1, contribution: score }] : [],
    evidence: [],
    sentence: ''
  }
})

function build (options: { gates?: Gates, settings?: Partial<WorkSettings> } = {}) {
  const gates = options.gates ?? createMemoryGates(gateDefaults)
  const sent: TeacherPrompt[] = []
  const counts: Record<string, number> = {}
  const announcer = { async attention () {}, async prompt (prompt: TeacherPrompt) { sent.push(prompt) } } as unknown as Announcer
  const settings = { autoPrompts: true, maxPromptsPerSession: 15, promptExpiryMs: 600_000, cooldownMs: 90_000, alertAfterMs: 30_000, tier2ShiftEnabled: true, ...options.settings }
  const work = new Work({ gates, analysis, announcer, settings, countPrompt: result => { counts[result] = (counts[result] ?? 0) + 1 } })
  /** All that came of the looks: what was stored at once, then what is stored after them. */
  async function looks (record: GuidanceRecord, ...looks: Look[]): Promise<Outcome[]> {
    const stored: Outcome[] = []
    const rest: Outcome[] = []
    for (const look of looks) rest.push(...await work.look(subject, record, look, async outcome => { stored.push(outcome) }))
    return [...rest, ...stored]
  }
  return { work, gates, sent, counts, looks }
}

function newClass (...groupIds: string[]): GuidanceRecord {
  const record = newRecord(start, start, 5000)
  for (const groupId of groupIds) record.groups[groupId] = newGroup(start, 60_000, 180_000)
  return record
}

/** As another process reads it. */
const copy = (record: GuidanceRecord): GuidanceRecord => JSON.parse(JSON.stringify(record)) as GuidanceRecord
const grid = (from: number, until: number, score: number, groupId?: string): Look[] =>
  Array.from({ length: Math.floor((until - from) / 5) + 1 }, (_, i) => look(from + 5 * i, score, groupId))
const at = (prompt: TeacherPrompt | undefined): number => (Date.parse(prompt?.generatedAt ?? '') - start) / 1000
const known = async (gates: Gates, templateKey: string) => await gates.promptStats({ templateKey })

t.test('a prompt comes when one reason has led for a while, and not before', async t => {
  const { looks, sent } = build()
  const record = newClass('a')
  await looks(record, ...grid(0, 10, 80))
  t.equal(sent.length, 0)
  await looks(record, look(15, 80))
  t.match(sent, [{ groupId: 'a', priority: 'high', suggestedTiming: 'immediate', templateKey: /\.stall\./, why: [{ signal: 'stall', contribution: 80 }] }])
  t.equal(record.groups.a?.totals.prompts, 1)
})

onBackends(t, 'a prompt that runs out untouched counts once, a little, at the time when it ran out', async (t, gates) => {
  const { looks, sent, counts } = build({ gates })
  const record = newClass('a')
  await looks(record, ...grid(0, 15, 50))
  const [prompt] = sent
  if (!prompt) return t.fail('a prompt was expected')
  await looks(record, ...grid(20, 610, 0))
  t.match(await known(gates, prompt.templateKey), { observationCount: 0 }, 'not while it is open')
  await looks(record, ...grid(615, 900, 0))
  t.match(await known(gates, prompt.templateKey), { observationCount: 1, successRate: outcomes.silence, lastUpdate: Date.parse(prompt.expiresAt) })
  t.equal(counts.silent, 1)
})

onBackends(t, 'once in a cluster: two processes at the same time, and one after a crash', async (t, gates) => {
  const first = build({ gates })
  const before = newClass('a')
  await first.looks(before, ...grid(0, 15, 50))
  const key = first.sent[0]?.templateKey ?? ''
  const others = [build({ gates }), build({ gates })] as const
  await Promise.all(others.map(async one => await one.looks(copy(before), look(700, 0))))
  t.match(await known(gates, key), { observationCount: 1 })
  // What these two found was never stored. The next one finds the prompt as it was.
  const heir = build({ gates })
  const record = copy(before)
  const came = await heir.looks(record, look(705, 0))
  t.match(await known(gates, key), { observationCount: 1 })
  t.same([...others, heir].map(one => one.counts.silent ?? 0).sort(), [0, 0, 1])
  const stored = copy(before)
  for (const outcome of came) (outcome as Outcome)(stored)
  t.equal(stored.session.prompts[0]?.over, 'silent', 'and once it is stored nobody looks again')
})

t.test('what the teacher touched is not silence', async t => {
  for (const done of [['acknowledge'], ['use'], ['dismiss'], ['acknowledge', 'use']] as const) {
    const { looks, gates, sent } = build()
    const record = newClass('a')
    await looks(record, ...grid(0, 15, 50))
    const [entry] = record.session.prompts
    if (!entry) return t.fail('a prompt was expected')
    entry.done = done
    await looks(record, look(700, 0))
    t.match(await known(gates, sent[0]?.templateKey ?? ''), { observationCount: 0 }, done.join())
  }
})

t.test('without Redis the learning is dropped, and nothing waits for it', async t => {
  const gates = createRedisGates(gateDefaults, () => undefined)
  const { looks, sent, counts } = build({ gates })
  const record = newClass('a')
  await looks(record, ...grid(0, 15, 50))
  await looks(record, look(700, 0))
  t.equal(sent.length, 1)
  t.equal(record.session.prompts[0]?.over, 'silent')
  t.notOk(counts.silent)
})

t.test('templates that are met with silence give way to others', async t => {
  const { gates, looks, sent } = build()
  await looks(newClass('a'), ...grid(0, 15, 50))
  const favourite = sent[0]?.templateKey ?? ''
  for (let i = 0; i < 12; i++) await gates.promptStats({ templateKey: favourite, outcome: outcomes.silence, id: `p${i}`, at: start })
  const later = build({ gates: { ...gates, dedupe: createMemoryGates(gateDefaults).dedupe, cooldown: createMemoryGates(gateDefaults).cooldown } })
  await later.looks(newClass('a'), ...grid(0, 15, 50))
  t.not(later.sent[0]?.templateKey, favourite)
  t.match(later.sent, [{ groupId: 'a' }])
})

t.test('the same looks in any chunks give the same prompts', async t => {
  const score = (i: number): number => [80, 80, 50, 50, 0][Math.floor(i / 40) % 5] ?? 0
  const all = Array.from({ length: 1000 }, (_, i) => [look(5 * i, score(i), 'a'), look(5 * i, score(i + 60), 'b', 'confusion')]).flat()
  const run = async (size: number): Promise<TeacherPrompt[]> => {
    const { looks, sent } = build()
    let record = newClass('a', 'b')
    for (let i = 0; i < all.length; i += size) {
      await looks(record, ...all.slice(i, i + size))
      record = copy(record)
    }
    return sent
  }
  const whole = await run(all.length)
  t.ok(whole.length >= 6, `${whole.length} prompts in 83 minutes`)
  for (const size of [1, 7, 240]) t.same(await run(size), whole)
})

t.test('an alert may follow a recommendation within the cooldown; then the group is left alone for longer', async t => {
  const { looks, sent } = build()
  const record = newClass('a')
  await looks(record, ...grid(0, 15, 50), ...grid(20, 400, 80))
  t.same(sent.map(at).slice(0, 3), [15, 45, 195])
  t.same(sent.map(one => one.priority).slice(0, 3), ['medium', 'high', 'high'])
})

t.test('a recommendation does not pass, nor an alert an alert, nor anything where it is not allowed', async t => {
  const times = async (scores: readonly [number, number], settings: Partial<WorkSettings> = {}): Promise<number[]> => {
    const { looks, sent } = build({ settings })
    await looks(newClass('a'), ...grid(0, 15, scores[0]), ...grid(20, 200, scores[1]))
    return sent.map(at)
  }
  t.same(await times([50, 50]), [15, 105, 195])
  t.same(await times([80, 80]), [15, 105, 195])
  t.same(await times([80, 50]), [15, 105, 195])
  t.same(await times([50, 80], { alertAfterMs: 90_000 }), [15, 105, 195])
})

t.test('a refusal burns nothing', async t => {
  const { looks, sent, counts } = build()
  const record = newClass('a')
  await looks(record, ...grid(0, 600, 80))
  t.equal(new Set(sent.map(one => one.message)).size, 4, 'each template came, one a cooldown')
  t.same(sent.map(at), [15, 105, 195, 285])
  t.ok((counts.cooldown ?? 0) > 30)
  t.ok((counts.duplicate ?? 0) > 0, 'and none comes twice')
})

t.test('a session has a cap of open prompts; what is settled or runs out makes room', async (t: Test) => {
  const { looks, sent, counts } = build({ settings: { maxPromptsPerSession: 2 } })
  const record = newClass('a', 'b', 'c')
  const all = (from: number, until: number): Look[] => grid(from, until, 80, 'a').flatMap(one => [one, { ...one, groupId: 'b' }, { ...one, groupId: 'c' }])
  await looks(record, ...all(0, 60))
  t.same(sent.map(one => one.groupId), ['a', 'b'])
  t.ok((counts.capped ?? 0) > 5)
  const [first] = record.session.prompts
  if (first) first.done = ['dismiss']
  await looks(record, ...all(65, 65))
  t.same(sent.map(one => one.groupId), ['a', 'b', 'c'])
  await looks(record, ...all(70, 610))
  t.equal(sent.length, 3)
  await looks(record, look(620, 80, 'a'))
  t.equal(sent.length, 4, 'the one of b ran out')
})

t.test('no prompts where the host wants none', async t => {
  const { looks, sent } = build({ settings: { autoPrompts: false } })
  await looks(newClass('a'), ...grid(0, 120, 90))
  t.equal(sent.length, 0)
})
