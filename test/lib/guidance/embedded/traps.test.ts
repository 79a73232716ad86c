import t from 'tap'
import fc from 'fast-check'
import type { Utterance } from '../../../../lib/guidance/analyzer.ts'
import { assess, fold, peersOf, skip, start, tier1, tier2, type Features } from '../../../../lib/guidance/embedded/index.ts'
import { began, garden, healthy, onTask, say } from './talk.ts'

/** No number that JSON cannot carry, anywhere. */
function finite (value: unknown): boolean {
  if (typeof value === 'number') return Number.isFinite(value)
  return typeof value !== 'object' || value === null || Object.values(value).every(finite)
}

const nasty = [
  '', ' ', '?', '???', 'constructor', 'constructor __proto__ toString hasOwnProperty valueOf', '__proto__', 'a'.repeat(65_536), '?'.repeat(65_536),
  'ab '.repeat(30_000), '👩‍👩‍👧‍👦'.repeat(500), '\u202eright to left\u202c', 'שלום לכולם מה שלומכם', '漢字仮名交じり文', '\ud83d', '\0\0\0', '[inaudible]', '<unk>', 'Student K',
  '"\\"\\\\"', '1 2 3 4 5 6 7 8 9', '\n\t\r', 'ﷺ'.repeat(400), "don't dont don t", 'what', 'i '.repeat(700), 'how do '.repeat(300), 'no '.repeat(500)
]

const text = fc.oneof(fc.constantFrom(...nasty), fc.string({ maxLength: 200, unit: 'grapheme' }), fc.string({ maxLength: 200, unit: 'binary' }), fc.constantFrom(...onTask))
const time = fc.oneof(fc.integer({ min: began, max: began + 3_600_000 }), fc.constantFrom(Number.NaN, Infinity, -Infinity, -1, 0, 1e300, 8.64e15, began - 86_400_000))
const utterance: fc.Arbitrary<Utterance> = fc.record({
  startedAt: time,
  endedAt: time,
  speaker: fc.oneof(fc.constant(null), fc.constantFrom('ana', 'ben', 'cem', 'teacher', '__proto__', 'constructor', ''), fc.string({ maxLength: 300 })),
  text
}, { requiredKeys: ['startedAt', 'endedAt', 'speaker', 'text'] })
const context = fc.oneof(fc.constant(garden), fc.constant({ topic: '', goals: [], members: [] }), fc.record({
  topic: fc.oneof(text, fc.constant('x'.repeat(100_000))), goals: fc.array(text, { maxLength: 5 }), members: fc.array(fc.string(), { maxLength: 5 })
}))

t.test('whatever is said: no throw, no NaN, 8 KB, the same through JSON, drivers that add up', async t => {
  fc.assert(fc.property(fc.array(utterance, { maxLength: 40 }), context, time, (turns, group, at) => {
    let features = start(); let stored = start()
    for (const turn of turns) {
      features = fold(features, turn, group)
      stored = JSON.parse(JSON.stringify(fold(stored, turn, group))) as Features
      const { score, drivers, metrics, sentence, evidence } = assess(features, at, group, peersOf([{ rate: 2, seconds: 100 }]))
      const whole = drivers.reduce((sum, one) => sum + one.contribution, 0)
      if (!Number.isInteger(score) || score < 0 || score > 100 || whole !== score) throw new Error(`score ${score}, drivers ${JSON.stringify(drivers)}`)
      if (drivers.some((one, i) => i > 0 && one.contribution > drivers[i - 1]!.contribution)) throw new Error('order')
      if (!finite(metrics) || !finite(drivers) || sentence === '' || evidence.length > 3) throw new Error(JSON.stringify(metrics))
      for (const [name, value] of Object.entries(metrics)) if (value > 1 || value < (name === 'discussionMomentum' ? -1 : 0)) throw new Error(`${name} ${value}`)
    }
    const json = JSON.stringify(features)
    if (!finite(features) || Buffer.byteLength(json) > 8192) throw new Error(`${Buffer.byteLength(json)} bytes`)
    if (json !== JSON.stringify(stored)) throw new Error('the state is not the same through JSON')
    if (!finite(tier2(features, at, group))) throw new Error('tier2')
    if (!finite(tier1({ sessionId: 's', groupId: 'g', start: 0, end: at, utterances: turns }, group))) throw new Error('tier1')
  }), { numRuns: 150, seed: 4 })
  t.pass('held for 150 histories')
})

t.test('a long lesson of new words in wide letters stays within 8 KB', async t => {
  const letters = [...'漢字仮名交文学校数式図形線点面角円周長']
  let features = start()
  for (let i = 0; i < 1500; i++) {
    const line = Array.from({ length: 25 }, (_, k) => Array.from({ length: 6 }, (_, j) => letters[(i * 31 + k * 17 + j * (i + 7)) % letters.length]).join('')).join(' ')
    features = fold(features, { startedAt: began + i * 3000, endedAt: began + i * 3000 + 2000, speaker: `學生的很長的名字${i % 12}`, text: `${line} i dont know "\\" how do you say it?` }, garden)
  }
  t.ok(Buffer.byteLength(JSON.stringify(features)) <= 8192, `${Buffer.byteLength(JSON.stringify(features))} bytes`)
})

t.test('"constructor" is a word', async t => {
  const features = say(start(), ['the constructor sets the prototype', 'so the constructor is a function', 'toString and valueOf too'])
  t.ok(finite(features))
})

t.test('who is no member moves no score, but names the task', async t => {
  const before = healthy()
  const after = say(JSON.parse(JSON.stringify(before)) as Features, [{ text: 'i love my dog and i do not understand anything at all', speaker: 'teacher' }])
  t.same([after.topic.heat, after.confusion, after.floor, after.turns], [before.topic.heat, { ...before.confusion, sum: after.confusion.sum, level: after.confusion.level }, { ...before.floor, speakers: after.floor.speakers }, before.turns])
  t.ok(after.confusion.level <= before.confusion.level && after.topic.waiting.at(-1)?.[0].includes('dog'))
})

t.test('a clock that runs backwards neither moves time back nor counts as silence', async t => {
  const features = healthy()
  const { now, pace } = JSON.parse(JSON.stringify(features)) as Features
  fold(features, { startedAt: began - 1_000_000, endedAt: began - 990_000, speaker: 'ana', text: 'the bed is in the shade' }, garden)
  t.equal(features.now, now)
  t.ok(features.pace.debt <= pace.debt)
})

t.test('a pause is not silence', async t => {
  const features = healthy()
  const later = features.now + 1_800_000
  t.ok(assess(features, later, garden).drivers.some(one => one.signal === 'stall'))
  skip(features, later)
  t.notOk(assess(features, later + 1000, garden).drivers.some(one => one.signal === 'stall' && one.contribution >= 40))
})

t.test('another language is no evidence, and confidence says so', async t => {
  const german = ['wir brauchen drei gemüse die im schatten wachsen', 'salat wächst im schatten glaube ich', 'dann zeichnen wir das beet auf die karte', 'wie groß ist die fläche', 'acht quadratmeter ungefähr', 'wer gießt die pflanzen am montag']
  const features = say(start(), Array.from({ length: 6 }, () => german).flat())
  const { score, metrics } = assess(features, features.now, garden)
  t.ok(metrics.confidence < 0.4, `confidence ${metrics.confidence}`)
  t.ok(score < 40, `score ${score}`)
})

t.test('an utterance costs far less than half a millisecond of the processor, however long the lesson', async t => {
  let features = start()
  const before = process.cpuUsage()
  for (let i = 0; i < 4000; i++) {
    const turn = { startedAt: began + i * 4000, endedAt: began + i * 4000 + 3000, speaker: garden.members[i % 3]!, text: `${onTask[i % onTask.length]!} ${i % 7 === 0 ? `word${i}x` : ''}` }
    features = fold(features, turn, garden)
  }
  const { user, system } = process.cpuUsage(before)
  t.ok((user + system) / 4000 < 500, `${(user + system) / 4000} µs each`)
})
