import t from 'tap'
import fc from 'fast-check'
import { announced, detect, dimensions, shiftStart, snapshotOf, start, tier2, type ShiftState, type Snapshot } from '../../../../lib/guidance/embedded/index.ts'
import { garden, healthy, onTask, repeat, say } from './talk.ts'

const at = (minute: number): number => Date.UTC(2026, 0, 12, 9, minute)
const flat = (value: number): Snapshot => ({ argumentationQuality: value, collaborationPatterns: value, learningSignals: value, groupEmotionalArc: value })

/** Readings every three minutes; what was found, and when. */
function watch (values: readonly number[]): { state: ShiftState, found: number[] } {
  let state = shiftStart(); const found: number[] = []
  values.forEach((value, i) => {
    const answer = detect(state, { ...flat(0.5), argumentationQuality: value }, at(3 * i))
    state = answer.state
    if (answer.shifts.length > 0) { found.push(i); state = announced(state, answer.shifts.map(one => one.metric)) }
  })
  return { state, found }
}

t.test('reasons, uptake and a shared floor raise tier2', async t => {
  const plain = say(start(), Array.from({ length: 30 }, () => ({ text: 'put the bed here', speaker: 'ana' })))
  const rich = tier2(healthy(), healthy().now, garden); const poor = tier2(plain, plain.now, garden)
  t.ok(rich.argumentationQuality.score > poor.argumentationQuality.score)
  t.ok(rich.collaborationPatterns.turnTaking > poor.collaborationPatterns.turnTaking)
  t.ok(rich.collaborationPatterns.inclusivity > poor.collaborationPatterns.inclusivity)
  t.ok(poor.recommendations.some(one => one.type === 'intervention' || one.type === 'deepen'))
})

t.test('too little talk: no recommendations and little confidence', async t => {
  const { recommendations, confidence } = tier2(say(start(), ['okay']), at(0), garden)
  t.same([recommendations, confidence < 0.3], [[], true])
})

t.test('a jump and a slow drift are both shifts; noise is none', async t => {
  const steady = Array.from({ length: 20 }, (_, i) => 0.5 + 0.03 * Math.sin(i * 2.3))
  t.same(watch(steady).found, [])
  t.ok(watch([...steady, 0.8, 0.8, 0.8, 0.8]).found.length === 1, 'a jump')
  t.ok(watch([...steady, ...Array.from({ length: 14 }, (_, i) => 0.5 - 0.03 * i)]).found.length >= 1, 'a drift that no two readings show')
  t.same(watch([...steady.slice(0, 8), 0.95, ...steady.slice(8)]).found, [], 'one odd reading')
})

t.test('a shift that was throttled waits, and goes when the change goes', async t => {
  let state = shiftStart()
  const see = (minute: number, value: number): number => {
    const answer = detect(state, { ...flat(0.5), learningSignals: value }, at(minute))
    state = answer.state
    return answer.shifts.length
  }
  for (let i = 0; i < 5; i++) see(3 * i, 0.4)
  let minute = 15
  while (see(minute, 0.8) === 0) minute += 3
  t.equal(see(minute + 3, 0.78), 1, 'still there')
  t.equal(see(minute + 3, 0.1), 1, 'a reading that is not newer changes nothing')
  t.equal(state.pending[0]?.current, 0.78)
  t.ok(state.pending[0]!.delta > 0 && state.pending[0]!.threshold > 0 && state.pending[0]!.previous < 0.5)
  see(minute + 6, 0.4)
  t.equal(state.pending.filter(one => one.delta > 0).length, 0, 'gone again')
})

t.test('detect is pure, bounded and never not-a-number', async t => {
  fc.assert(fc.property(fc.array(fc.tuple(fc.integer({ min: 0, max: 100 }), fc.oneof(fc.double(), fc.double({ min: 0, max: 1 }))), { maxLength: 40 }), readings => {
    let state = shiftStart()
    for (const [minute, value] of readings) {
      const before = JSON.stringify(state)
      const answer = detect(state, flat(value), at(minute))
      if (JSON.stringify(state) !== before) throw new Error('changed its argument')
      state = answer.state
      if (/null/.test(JSON.stringify(state)) || JSON.stringify(state).length > 2000) throw new Error(JSON.stringify(state))
    }
  }), { seed: 4 })
  t.pass('held for a hundred histories')
})

t.test('a snapshot has one number a dimension', async t => {
  const features = say(start(), repeat(onTask, 2))
  const snapshot = snapshotOf(tier2(features, features.now, garden))
  t.same(Object.keys(snapshot).sort(), [...dimensions].sort())
  for (const value of Object.values(snapshot)) t.ok(value >= 0 && value <= 1)
})
