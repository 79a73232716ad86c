import type { Test } from 'tap'
import { gateDefaults, type Gates, type GateSettings } from '../../lib/guidance/gates.ts'

/** A backend under test: makes gates that share nothing with those of another call but, perhaps, the server. */
export type MakeGates = (settings?: Partial<GateSettings>) => Gates

let groups = 0

/** A group that no other test knows. */
export function newGroup (): { sessionId: string, groupId: string } {
  return { sessionId: `s${process.pid}.${++groups}`, groupId: 'g1' }
}

/** The law of the gates. Each backend passes it whole; event times lie in the past, so that no clock matters. */
export function gatesLaw (t: Test, make: MakeGates): void {
  const base = Date.now() - 3_600_000
  const near = (t: Test, found: number | null, wanted: number, name: string): void => {
    t.ok(found !== null && Math.abs(found - wanted) <= 1e-9 * Math.max(1, Math.abs(wanted)), `${name}: ${found} is ${wanted}`)
  }

  t.test('energy compares with the samples before', async t => {
    const gates = make()
    const group = newGroup()
    for (const [sample, zScore] of [[1, 0], [2, 0], [3, 0], [4, 2 / Math.sqrt(2 / 3)]] as const) {
      near(t, (await gates.energy({ ...group, sample })).zScore, zScore, 'z-score')
    }
    t.same(await gates.energy({ ...newGroup(), sample: 7 }), { reason: 'updated', mean: 7, variance: 0, count: 1, zScore: 0 })
    const { mean, variance, count } = await gates.energy({ ...group, sample: 5 })
    near(t, mean, 3, 'mean')
    near(t, variance, 2, 'variance')
    t.equal(count, 5)
  })

  t.test('energy stays neutral while samples hardly vary', async t => {
    const gates = make()
    const group = newGroup()
    for (const sample of [5, 5, 5, 5]) await gates.energy({ ...group, sample })
    t.equal((await gates.energy({ ...group, sample: 500 })).zScore, 0)
  })

  t.test('energy keeps its digits far from zero', async t => {
    const gates = make()
    const group = newGroup()
    for (const sample of [4, 7, 13]) await gates.energy({ ...group, sample: sample + 1e9 })
    near(t, (await gates.energy({ ...group, sample: 16 + 1e9 })).variance, 22.5, 'variance')
  })

  t.test('an observation with an id counts once among the last 16', async t => {
    const gates = make()
    const group = newGroup()
    t.equal((await gates.energy({ ...group, sample: 3, id: 'slice-1' })).reason, 'updated')
    t.match(await gates.energy({ ...group, sample: 3, id: 'slice-1' }), { reason: 'repeated', count: 1 })
    for (let n = 0; n < 15; n++) await gates.energy({ ...group, sample: n })
    t.match(await gates.energy({ ...group, sample: 3, id: 'slice-1' }), { reason: 'repeated', count: 16 })
    await gates.energy({ ...group, sample: 3 })
    t.match(await gates.energy({ ...group, sample: 3, id: 'slice-1' }), { reason: 'updated', count: 18 })
    t.equal((await gates.acknowledge({ ...group, id: 'prompt-1', at: base })).reason, 'counted')
    t.same(await gates.acknowledge({ ...group, id: 'prompt-1', at: base }), { reason: 'repeated', ackCount: 1 })
    const templateKey = `t.${group.sessionId}`
    await gates.promptStats({ templateKey, outcome: 1, id: 'prompt-1', at: base })
    t.match(await gates.promptStats({ templateKey, outcome: 0, id: 'prompt-1', at: base }), { reason: 'repeated', successRate: 1, observationCount: 1 })
  })

  t.test('attention lets the first, a move and a pause through', async t => {
    const gates = make()
    const group = newGroup()
    const ask = (score: number, seconds: number) => gates.attention({ ...group, score, at: base + seconds * 1000 })
    t.same(await ask(50, 0), { allowed: true, reason: 'first', previousScore: null, previousAt: null, remainingMs: 0 })
    t.same(await ask(54.9, 10), { allowed: false, reason: 'unchanged', previousScore: 50, previousAt: base, remainingMs: 20_000 })
    t.match(await ask(45, 10), { allowed: true, reason: 'score', previousScore: 50 })
    t.match(await ask(46, 39.999), { allowed: false, reason: 'unchanged', remainingMs: 1 })
    t.match(await ask(46, 40), { allowed: true, reason: 'time', previousAt: base + 10_000 })
    t.match(await gates.attention({ ...group, score: 47, at: base + 41_000, minScoreDelta: 1 }), { reason: 'score' })
    t.match(await gates.attention({ ...group, score: 47, at: base + 42_000, minTimeDeltaMs: 1000 }), { reason: 'time' })
  })

  t.test('pressure falls with acknowledgements and comes back', async t => {
    const gates = make()
    const group = newGroup()
    t.same(await gates.promptPressure({ ...group, at: base }), { reason: 'none', pressure: 1, ackCount: 0 })
    t.same(await gates.acknowledge({ ...group, at: base }), { reason: 'counted', ackCount: 1 })
    near(t, (await gates.promptPressure({ ...group, at: base })).pressure, 0.8, 'after one')
    near(t, (await gates.promptPressure({ ...group, at: base + 300_000 })).pressure, 0.9, 'a half-life later')
    near(t, (await gates.acknowledge({ ...group, at: base + 300_000 })).ackCount, 1.5, 'a second one')
    for (let n = 0; n < 6; n++) await gates.acknowledge({ ...group, at: base + 300_000 })
    t.match(await gates.promptPressure({ ...group, at: base + 300_000 }), { reason: 'acknowledged', pressure: 0 })
    t.ok((await gates.promptPressure({ ...group, at: base + 3_000_000 })).pressure > 0.99)
  })

  t.test('a cooldown has one winner', async t => {
    const gates = make()
    const group = newGroup()
    const ask = (seconds: number) => gates.cooldown({ ...group, at: base + seconds * 1000 })
    t.same(await ask(0), { allowed: true, reason: 'first', remainingMs: 0, previousAt: null })
    t.same(await ask(30), { allowed: false, reason: 'cooling', remainingMs: 60_000, previousAt: base })
    t.same(await ask(90), { allowed: true, reason: 'cooled', remainingMs: 0, previousAt: base })
    t.match(await gates.cooldown({ ...group, at: base + 91_000, cooldownMs: 0 }), { allowed: true, reason: 'cooled' })
    const other = newGroup()
    const answers = await Promise.all(Array.from({ length: 200 }, () => gates.cooldown({ ...other, at: base })))
    t.equal(answers.filter(answer => answer.allowed).length, 1)
    t.ok((await gates.cooldown({ ...other, groupId: 'g2', at: base })).allowed, 'each group has its own')
    t.ok((await gates.cooldown({ ...newGroup(), at: base })).allowed, 'and each session')
  })

  t.test('dedupe knows a prompt in any wording and any alphabet', async t => {
    const gates = make()
    const group = newGroup()
    const ask = (message: string, category = 'redirection', peek = false) => gates.dedupe({ ...group, category, message, peek })
    t.match(await ask('Ask them: why?', 'redirection', true), { allowed: true, reason: 'new' })
    const first = await ask('Ask them: why?')
    t.match(first, { allowed: true, reason: 'new', fingerprint: /^[0-9a-f]{40}$/ })
    t.same(await ask('  ask THEM — why'), { allowed: false, reason: 'duplicate', fingerprint: first.fingerprint })
    t.match(await ask('Ask them: why?', 'redirection', true), { allowed: false, reason: 'duplicate' })
    t.ok((await ask('Ask them: why?', 'deepening')).allowed, 'another category')
    t.ok((await ask('Спросите: почему?')).allowed)
    t.ok((await ask('Спросите: когда?')).allowed, 'other letters are another prompt')
    t.notOk((await ask('спросите почему')).allowed)
    t.ok((await gates.dedupe({ ...newGroup(), category: 'redirection', message: 'Ask them: why?' })).allowed)
  })

  t.test('prompt stats fade by half each half-life', async t => {
    const gates = make()
    const templateKey = `t.${newGroup().sessionId}`
    const day = 24 * 3600 * 1000
    const now = Date.now()
    t.same(await gates.promptStats({ templateKey }), { reason: 'read', successRate: null, successSum: 0, weightSum: 0, observationCount: 0, lastUpdate: null })
    t.same(await gates.promptStats({ templateKey, outcome: 1, at: now - 14 * day }),
      { reason: 'updated', successRate: 1, successSum: 1, weightSum: 1, observationCount: 1, lastUpdate: now - 14 * day })
    const updated = await gates.promptStats({ templateKey, outcome: 0, at: now })
    near(t, updated.successRate, 0.5 / 1.5, 'success rate')
    t.match(updated, { observationCount: 2, lastUpdate: now })
    near(t, (await gates.promptStats({ templateKey, at: now })).weightSum, 1.5, 'weight')
  })

  t.test('tier2 keeps the newest snapshot and throttles shifts', async t => {
    const gates = make()
    const group = newGroup()
    const snapshot = { collaborationPatterns: 0.72, learningSignals: 1 / 3, emotionalTrajectory: 'aufwärts ↑' }
    t.same(await gates.tier2Snapshot({ ...group, at: base }), { reason: 'read', previous: null, previousAt: null })
    t.same(await gates.tier2Snapshot({ ...group, snapshot, at: base }), { reason: 'stored', previous: null, previousAt: null })
    t.same(await gates.tier2Snapshot({ ...group, snapshot: { learningSignals: 0 }, at: base + 1 }), { reason: 'stored', previous: snapshot, previousAt: base })
    t.same(await gates.tier2Snapshot({ ...group, at: base + 2 }), { reason: 'read', previous: { learningSignals: 0 }, previousAt: base + 1 })
    t.same(await gates.tier2Shift({ ...group, at: base }), { allowed: true, reason: 'first', remainingMs: 0, previousAt: null })
    t.same(await gates.tier2Shift({ ...group, at: base + 1 }), { allowed: false, reason: 'throttled', remainingMs: 599_999, previousAt: base })
    t.same(await gates.tier2Shift({ ...group, at: base + 600_000 }), { allowed: true, reason: 'elapsed', remainingMs: 0, previousAt: base })
    t.match(await gates.tier2Shift({ ...group, at: base + 700_000, throttleMs: 100_000 }), { allowed: true })
  })

  t.test('event time runs ahead by 5 s at most', async t => {
    const gates = make()
    const group = newGroup()
    await gates.cooldown({ ...group, at: Date.now() + 600_000 })
    const { previousAt, allowed } = await gates.cooldown(group)
    t.notOk(allowed)
    t.ok(previousAt !== null && Math.abs(previousAt - Date.now() - 5000) < 2000, `${previousAt} is about now + 5 s`)
  })

  t.test('keys are forgotten after their time, which only accepted writes renew', async t => {
    const gates = make({ ttlSeconds: 4 })
    const [attention, others] = [newGroup(), newGroup()]
    await Promise.all([
      gates.attention({ ...attention, score: 50 }), gates.acknowledge(others), gates.energy({ ...others, sample: 1 }),
      gates.tier2Snapshot({ ...others, snapshot: { learningSignals: 1 } })
    ])
    await pause(2_400)
    await gates.acknowledge(others)
    t.equal((await gates.attention({ ...attention, score: 50 })).reason, 'unchanged')
    t.equal((await gates.tier2Snapshot(others)).reason, 'read')
    await pause(2_400)
    t.equal((await gates.attention({ ...attention, score: 50 })).reason, 'first', 'the refusal did not renew')
    t.equal((await gates.tier2Snapshot(others)).previous, null, 'nor did the reading')
    t.equal((await gates.energy({ ...others, sample: 1 })).count, 1)
    t.equal((await gates.promptPressure(others)).reason, 'acknowledged', 'the second acknowledgement did')
  })
}

export function pause (ms: number): Promise<void> {
  return new Promise(resolve => setTimeout(resolve, ms))
}

export const settingsOf = (settings: Partial<GateSettings> = {}): GateSettings => ({ ...gateDefaults, ...settings })
