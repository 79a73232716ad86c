import t, { type Test } from 'tap'
import type { FastifyBaseLogger } from 'fastify'
import { createEmit, type Transport } from '../../../lib/core/emit.ts'
import { Analysis } from '../../../lib/guidance/analysis.ts'
import type { Analyzer } from '../../../lib/guidance/analyzer.ts'
import { createAnnouncer } from '../../../lib/guidance/announce.ts'
import { guidance as contract } from '../../../lib/guidance/contract.ts'
import { createEngine, type Guidance, type Topic } from '../../../lib/guidance/engine.ts'
import { gateDefaults, type GateName, type Gates } from '../../../lib/guidance/gates.ts'
import { createMemoryGates } from '../../../lib/guidance/gates-memory.ts'
import type { Cause } from '../../../lib/guidance/record.ts'
import type { GuidanceStore } from '../../../lib/guidance/store.ts'
import { createMemoryGuidanceStore } from '../../../lib/guidance/store-memory.ts'
import { Work } from '../../../lib/guidance/work.ts'

const silent = { info () {}, warn () {}, error () {} } as unknown as FastifyBaseLogger
const timing = { tier1WindowMs: 30_000, tier1WarmupMs: 60_000, tier2WindowMs: 180_000, evaluateEveryMs: 5_000 }
const topic: Topic = { sessionId: 's1', topic: 'Fractions', goals: ['Compare two fractions'], groups: [{ groupId: 'a', naming: [] }, { groupId: 'b', naming: [] }] }

interface Sent { event: string, id: string, payload: Record<string, unknown> & { metrics: Record<string, unknown> }, rooms: readonly string[] }

function build (options: { analyzer?: Analyzer, store?: GuidanceStore, gates?: Gates, settings?: object } = {}) {
  const sent: Sent[] = []
  const asked: [GateName, unknown][] = []
  const counts: string[] = []
  const followed: [event: string, cameAt: number | undefined][] = []
  const transport: Transport = { async send (_, rooms, event, payload, { id }) { sent.push({ event, id, payload: payload as Sent['payload'], rooms }) } }
  const emit = createEmit(contract, { transport, lookup: async () => ({ teacherId: 't1' }) })
  const inner = options.gates ?? createMemoryGates(gateDefaults)
  const gates = Object.fromEntries(Object.entries(inner).map(([gate, decide]) => [gate, async (input: never) => {
    asked.push([gate as GateName, input])
    return await (decide as (input: never) => Promise<unknown>)(input)
  }])) as unknown as Gates
  const analysis = new Analysis(options.analyzer, silent, () => {})
  const settings = { autoPrompts: true, maxPromptsPerSession: 15, promptExpiryMs: 1_800_000, cooldownMs: gateDefaults.cooldownMs, alertAfterMs: 30_000, tier2ShiftEnabled: true, ...options.settings }
  const work = new Work({ gates, analysis, announcer: createAnnouncer(() => emit, gates), settings, countPrompt: result => { counts.push(result) }, onTold: (event, cause) => { followed.push([event, cause?.cameAt]) } })
  const store = options.store ?? createMemoryGuidanceStore({ ttlSeconds: 3600 })
  const engine = createEngine({ store, gates, work, analysis, timing, log: silent })
  return { engine, sent, asked, counts, followed, gates, store, named: (event: string) => sent.filter(one => one.event === event) }
}

const start = Date.now() - 3_600_000
const chat = ['did you see the game yesterday my dog went crazy', 'lol I love pizza and that movie', 'who is your favourite singer', 'my cousin has a new phone']
const work = ['a half is more than a third', 'compare the fractions with the same denominator', 'so two fourths equal one half', 'which fraction is larger']

/** Talk of one group from second `from` on, a line every three seconds. */
const lines = (from: number, count: number, texts: readonly string[], groupId = 'a') => Array.from({ length: count }, (_, i) => ({
  groupId, text: texts[i % texts.length] as string, speaker: `p${i % 3}`, startedAt: start + (from + 3 * i) * 1000 - 2000, endedAt: start + (from + 3 * i) * 1000
}))

async function drift (engine: Guidance, cause?: Cause): Promise<void> {
  await engine.feed(topic, lines(1, 60, work))
  await engine.feed(topic, lines(182, 80, chat), cause)
}

t.test('talk that drifts off leads to a rising score, a reason and a prompt', async t => {
  const { engine, named } = build()
  await drift(engine)
  const scores = named('guidance:analytics').map(one => one.payload.metrics.attentionScore as number)
  t.ok(Math.max(...scores) >= 70, `highest ${Math.max(...scores)}`)
  const prompts = [...named('teacher:alert').map(one => one.payload), ...named('teacher:recommendations').flatMap(one => one.payload as unknown as Sent['payload'][])]
  t.ok(prompts.length > 0)
  for (const prompt of prompts) {
    const why = prompt.why as { signal: string, contribution: number }[]
    t.match(prompt, { promptId: /^s1\./, groupId: 'a', category: String, message: String, templateKey: String })
    t.ok(why.length > 0 && Number.isInteger(why[0]?.contribution))
  }
  const { attention, insights, prompts: open } = await engine.state('s1')
  t.match(attention, [{ groupId: 'a', heat: String }])
  t.equal(attention[0]?.why.reduce((sum, one) => sum + one.contribution, 0), attention[0]?.attentionScore, 'the reasons add up to the score')
  t.ok(insights[0]?.tier1 && insights[0].tier2)
  t.equal(open.length, prompts.length)
  t.ok(named('ai:tier2:insight').every(one => one.payload.groupId === 'a'))
  t.ok(named('teacher:alert').every(one => one.rooms.includes('guidance:teacher:t1:teacher_alerts') && one.rooms.includes('guidance:session:s1')))
})

t.test('no analysis for each line: windows and a grid of looks, whatever the number of lines', async t => {
  const windows: number[] = []
  const { engine, asked } = build({
    analyzer: { tier1: (window) => { windows.push(window.utterances.length); return window.assessment.metrics } }
  })
  await engine.feed(topic, Array.from({ length: 1200 }, (_, i) => ({ ...lines(1, 1, work)[0] as ReturnType<typeof lines>[0], startedAt: start + i * 100, endedAt: start + i * 100 })))
  await new Promise(resolve => setImmediate(resolve))
  t.ok(windows.length <= 3, `${windows.length} windows in two minutes`)
  t.ok(asked.filter(([gate]) => gate === 'attention').length <= 24)
})

t.test('a cooldown burns nothing: dedupe peeks before the slot is claimed', async t => {
  const { engine, asked } = build()
  await drift(engine)
  const order = asked.filter(([gate]) => gate === 'dedupe' || gate === 'cooldown')
  const claims = order.filter(([gate, input]) => gate === 'dedupe' && (input as { peek?: boolean }).peek !== true).length
  const { prompts } = await engine.state('s1')
  t.equal(claims, prompts.length, 'a prompt is remembered as shown only when it was sent')
  t.ok(order.filter(([gate]) => gate === 'cooldown').length > claims, 'some were refused by the cooldown')
})

t.test('acknowledging lowers the pressure and the score; using and dismissing teach the template', async t => {
  const { engine, gates } = build()
  await drift(engine)
  const [prompt] = (await engine.state('s1')).prompts
  if (!prompt) return t.fail('a prompt was expected')
  await engine.interact({ promptId: prompt.promptId, action: 'acknowledge' })
  await engine.interact({ promptId: prompt.promptId, action: 'acknowledge' })
  const { pressure, ackCount } = await gates.promptPressure({ sessionId: 's1', groupId: 'a' })
  t.ok(pressure < 1)
  t.ok(ackCount > 0.99 && ackCount <= 1, 'the same action twice counts once')
  t.equal((await gates.promptStats({ templateKey: prompt.templateKey })).observationCount, 0, 'to acknowledge is no verdict')
  await engine.interact({ promptId: prompt.promptId, action: 'use', feedback: 'helped' })
  t.match(await gates.promptStats({ templateKey: prompt.templateKey }), { observationCount: 1, successRate: 1 })
  t.notOk((await engine.state('s1')).prompts.some(one => one.promptId === prompt.promptId), 'a used prompt is closed')
})

t.test('an unknown prompt is not found', async t => {
  const { engine } = build()
  await t.rejects(engine.interact({ promptId: 's1.nothing', action: 'use' }), { code: 'PROMPT_NOT_FOUND' })
  await t.rejects(engine.interact({ promptId: 'nothing', action: 'use' }), { code: 'PROMPT_NOT_FOUND' })
})

t.test('a host\'s analyzer that fails, hangs on or answers nonsense is replaced, and nobody waits for it', async t => {
  for (const tier1 of [() => { throw new Error('down') }, () => ({ topicalCohesion: 7 }) as never, async () => await Promise.reject(new Error('late'))]) {
    const { engine, named } = build({ analyzer: { tier1 } })
    await engine.feed(topic, lines(1, 60, work))
    await new Promise(resolve => setTimeout(resolve, 20))
    t.ok(named('ai:tier1:insight').length > 0)
  }
})

/** A class of two groups for twenty minutes; one of them drifts off, argues and comes back. */
const lesson = [...lines(1, 60, work), ...lines(182, 80, chat), ...lines(423, 250, work), ...lines(2, 380, work, 'b')].sort((a, b) => a.endedAt - b.endedAt)
const told = (sent: readonly Sent[]): string[] => sent.map(({ event, payload }) => JSON.stringify([event, payload]))

t.test('the same class in any chunks: the same events in the same order, to the byte', async t => {
  const whole = build()
  await whole.engine.feed(topic, lesson)
  const [first] = whole.named('ai:tier2:insight')
  t.ok(whole.named('ai:tier2:insight').length > 8 && first && whole.named('ai:tier1:insight').length > 60)
  for (const size of [1, 50, 500]) {
    const { engine, sent } = build()
    for (let i = 0; i < lesson.length; i += size) await engine.feed(topic, lesson.slice(i, i + size))
    t.same(told(sent), told(whole.sent), `${size} at a time`)
  }
})

t.test('the same class in another session gets the same prompts', async t => {
  const [one, other] = [build(), build()]
  await one.engine.feed(topic, lesson)
  await other.engine.feed({ ...topic, sessionId: 's2' }, lesson)
  const messages = ({ sent }: typeof one): unknown[] => sent.flatMap(({ payload }) => [payload].flat()).flatMap(payload => payload.message ?? [])
  t.ok(messages(one).length > 0)
  t.same(messages(other), messages(one))
})

t.test('two engines on one store give what one gives, in turn and at the same time', async t => {
  const alone = build()
  await alone.engine.feed(topic, lesson)
  const pair = (): [ReturnType<typeof build>, ReturnType<typeof build>] => {
    const shared = { store: createMemoryGuidanceStore({ ttlSeconds: 3600 }), gates: createMemoryGates(gateDefaults) }
    return [build(shared), build(shared)]
  }
  const told = (...engines: ReturnType<typeof build>[]): string[] => engines.flatMap(({ sent }) => sent.map(({ event, payload }) => JSON.stringify([event, payload]))).sort()
  const inTurn = pair()
  for (let i = 0; i < lesson.length; i += 7) await inTurn[(i / 7) % 2 as 0 | 1].engine.feed(topic, lesson.slice(i, i + 7))
  t.same(told(...inTurn), told(alone))
  const together = pair()
  // Both at work at once: what one finds due while the other acts is left to that one.
  const calls: Promise<void>[] = []
  for (let i = 0; i < lesson.length; i += 7) {
    calls.push(together[(i / 7) % 2 as 0 | 1].engine.feed(topic, lesson.slice(i, i + 7)))
    if (i % 3 === 0) await new Promise(resolve => setImmediate(resolve))
  }
  await Promise.all(calls)
  t.same(told(...together), told(alone))
})

t.test('a process that dies with the lease: whoever comes after it ran out does what was left', async t => {
  let now = Date.now()
  const store = createMemoryGuidanceStore({ ttlSeconds: 3600, now: () => now })
  const dead = build({ store })
  const stuck = build({ store, gates: { ...dead.gates, attention: async () => await new Promise<never>(() => {}) } })
  void stuck.engine.feed(topic, lines(1, 10, work))
  const heir = build({ store })
  await heir.engine.feed(topic, lines(31, 10, work))
  t.equal(heir.sent.length, 0, 'not while the lease holds')
  now += 11_000
  await heir.engine.feed(topic, lines(61, 1, work))
  const at = heir.named('guidance:analytics').map(one => one.payload.timestamp as string)
  t.ok(at.some(time => Date.parse(time) < start + 61_000), 'looks of before')
  t.same(at, [...at].sort())
})

t.test('a window whose process died is analysed by the next', async t => {
  let now = Date.now()
  const store = createMemoryGuidanceStore({ ttlSeconds: 3600, now: () => now })
  const dying = build({ store })
  const stuck = { ...dying.gates, promptPressure: async () => await new Promise<never>(() => {}) }
  const dead = build({ store, gates: stuck })
  void dead.engine.feed(topic, lines(1, 40, work))
  await new Promise(resolve => setImmediate(resolve))
  t.equal(dead.named('ai:tier1:insight').length, 0)
  const heir = build({ store })
  await heir.engine.tick(topic)
  t.equal(heir.named('ai:tier1:insight').length, 0, 'not while the claim holds')
  now += 30_000
  await heir.engine.tick(topic)
  t.ok(heir.named('ai:tier1:insight').length > 0)
  const ids = heir.sent.filter(one => one.event.startsWith('ai:')).map(one => one.id)
  t.ok(ids.every(id => /^s1:a:1:\d+$/.test(id)) && new Set(ids).size === ids.length, 'named for their windows: what the dead one told is not told again')
})

t.test('a prompt that was stored and not sent is sent by the next, under its own id, and counts as sent', async t => {
  const { engine, store, gates, named } = build()
  const cameAt = start + 422_000
  await drift(engine, { cameAt })
  const [prompt] = named('teacher:alert')
  if (!prompt) return t.fail('an alert was expected')
  t.equal(prompt.id, prompt.payload.promptId)
  await store.update('s1', record => {
    for (const entry of record?.session.prompts ?? []) entry.told = entry.prompt.promptId !== prompt.payload.promptId
    return record ? { result: undefined, record } : { result: undefined }
  })
  const heir = build({ store, gates })
  await heir.engine.feed(topic, lines(430, 1, work))
  t.same(heir.named('teacher:alert').map(one => one.payload), [prompt.payload])
  t.same(heir.counts.filter(result => result === 'sent'), ['sent'])
  t.same(heir.followed.filter(([event]) => event === 'teacher:alert'), [['teacher:alert', cameAt]], 'late, and measured from the talk that it follows from')
  await heir.engine.feed(topic, lines(433, 1, work))
  t.equal(heir.named('teacher:alert').length, 1)
})

t.test('a shift that the throttle holds back is told when it opens, and is not forgotten with the process', async t => {
  const store = createMemoryGuidanceStore({ ttlSeconds: 3600 })
  const plan = { store, gates: createMemoryGates(gateDefaults) }
  const held = build({ ...plan, gates: { ...plan.gates, tier2Shift: async () => ({ allowed: false, reason: 'throttled', remainingMs: 1, previousAt: 1 }) } })
  const reasons = ['because it is larger so we know that', 'if we compare them then it means that', 'i think so because the rule says that', 'but what if they are not the same']
  const argue = [...lines(1, 500, ['okay', 'put it here', 'and this one']), ...lines(1501, 300, reasons)]
  await held.engine.feed(topic, argue)
  const shifts = ({ named }: typeof held) => named('guidance:analytics').filter(one => one.payload.category === 'tier2-shift')
  t.same(shifts(held), [])
  const waiting = (await store.read('s1')).record?.groups.a?.shift.pending.map(one => one.metric) ?? []
  t.ok(waiting.length > 0, `${waiting.length} wait`)
  const open = build(plan)
  await open.engine.feed(topic, lines(2401, 70, reasons))
  t.same(shifts(open).map(one => one.payload.metrics.metric).sort(), [...waiting].sort())
})

t.test('prompts stop at the cap of the session', async t => {
  const { engine } = build({ settings: { maxPromptsPerSession: 1 } })
  await drift(engine)
  t.equal((await engine.state('s1')).prompts.length, 1)
})

t.test('the summary counts what each group did', async t => {
  const { engine } = build()
  await drift(engine)
  const [a, b] = await engine.summarise(topic)
  t.match(a, { groupId: 'a', slices: 140, meanAttention: Number, maxAttention: Number })
  t.same(b, { groupId: 'b', slices: 0, meanAttention: null, maxAttention: null, prompts: 0 })
})

t.test('a paused session is left alone', async (t: Test) => {
  const { engine, sent } = build()
  await engine.feed(topic, lines(1, 30, work))
  await engine.paused('s1')
  const before = sent.length
  await engine.feed(topic, lines(100, 60, chat))
  t.equal(sent.length, before)
  await engine.resumed('s1')
  await engine.feed(topic, lines(300, 30, work))
  t.ok(sent.length > before)
})

t.test('a teacher may answer a prompt the moment it arrives', async t => {
  const { engine, store, gates } = build()
  const answered: string[] = []
  const transport: Transport = {
    async send (_, __, event, payload) {
      const [prompt] = event === 'teacher:alert' ? [payload] : event === 'teacher:recommendations' ? payload as unknown[] : []
      if (!prompt) return
      const { promptId } = prompt as { promptId: string }
      await engine.interact({ promptId, action: 'acknowledge' })
      answered.push(promptId)
    }
  }
  const emit = createEmit(contract, { transport, lookup: async () => ({ teacherId: 't1' }) })
  const analysis = new Analysis(undefined, silent, () => {})
  const settings = { autoPrompts: true, maxPromptsPerSession: 15, promptExpiryMs: 1_800_000, tier2ShiftEnabled: true, cooldownMs: 90_000, alertAfterMs: 30_000 }
  const work = new Work({ gates, analysis, announcer: createAnnouncer(() => emit, gates), settings, countPrompt: () => {} })
  await drift(createEngine({ store, gates, work, analysis, timing, log: silent }))
  t.ok(answered.length > 0)
})

t.test('members are counted once, whether their talk is under their ids or their names', async t => {
  for (const speakers of [['id1', 'id2'], ['Mia', 'Ben']]) {
    const { engine, store } = build()
    const named: Topic = { ...topic, groups: [{ groupId: 'a', naming: [['id1', 'id2'], ['Mia', 'Ben']] }] }
    await engine.feed(named, lines(1, 20, work).map((line, i) => ({ ...line, speaker: i % 5 === 4 ? 'Teacher' : speakers[i % 2] as string })))
    const { record } = await store.read('s1')
    t.equal(record?.groups.a?.naming, speakers[0] === 'id1' ? 0 : 1)
    t.equal(record?.groups.a?.features.floor.speakers.length, 2, 'the teacher is no member')
  }
})
