import t from 'tap'
import type { GroupContext } from '../../../../lib/guidance/analyzer.ts'
import { assess, fold, settle, start, type Features } from '../../../../lib/guidance/embedded/index.ts'
import { peerOf, peersOf } from '../../../../lib/guidance/embedded/index.ts'
import { after, garden, healthy, lost, offTask, onTask, repeat, say } from './talk.ts'

t.test('a group on its task is left alone', async t => {
  const { score, metrics, sentence } = after(healthy(), 2)
  t.ok(score < 40, `score ${score}`)
  t.ok(metrics.onTrackScore > 0.6 && metrics.offTopicHeat < 0.3 && metrics.confidence > 0.7)
  t.equal(sentence, 'The talk looks on track.')
})

t.test('chat about life calls the teacher, and says why in its own words', async t => {
  const { score, drivers, evidence, sentence, metrics } = after(say(healthy(), offTask), 2)
  t.ok(score >= 70, `score ${score}`)
  t.ok(drivers[0]?.signal === 'social' || drivers[0]?.signal === 'offreal')
  t.equal(drivers.reduce((sum, one) => sum + one.contribution, 0), score)
  t.ok(evidence.length > 0 && evidence.every(one => offTask.includes(one)))
  t.ok(sentence.includes(evidence.at(-1)!))
  t.ok(metrics.offTopicHeat > 0.7 && metrics.onTrackScore < 0.5)
})

t.test('asking for help calls the teacher for confusion, with or without question marks', async t => {
  for (const mark of ['', '?']) {
    const { score, drivers, metrics } = after(say(healthy(), lost.map(text => text + mark)), 2)
    t.ok(score >= 70, `score ${score}`)
    t.equal(drivers[0]?.signal, 'confusion')
    t.ok(metrics.confusionRisk > 0.6)
  }
})

t.test('what becomes clear takes confusion back', async t => {
  const stuck = say(healthy(), lost)
  const clear = say(stuck, ['oh i see', 'got it', 'that makes sense now', ...onTask])
  t.ok(after(clear, 2).score < 40)
})

t.test('silence is a stall, measured against now', async t => {
  const features = healthy()
  t.ok(after(features, 10).score < 40)
  const { score, drivers, sentence } = after(features, 150)
  t.ok(score >= 70, `score ${score}`)
  t.equal(drivers[0]?.signal, 'stall')
  t.match(sentence, /dried up/)
  const few = say(features, ['so', 'um', 'the', 'okay', 'wait', 'yeah'].map(text => ({ text, gap: 18, seconds: 1 })))
  t.equal(after(few, 15).drivers[0]?.signal, 'stall')
})

t.test('one who takes the floor is seen; one who always had it is not', async t => {
  const alone = onTask.map(text => ({ text, speaker: 'ana' }))
  const { score, drivers } = after(say(healthy(), alone), 2)
  t.ok(score >= 70, `score ${score}`)
  t.equal(drivers[0]?.signal, 'dominance')
  const always = repeat(onTask, 4).map((text, i) => ({ text, speaker: i % 10 < 6 ? 'ana' : i % 10 < 8 ? 'ben' : 'cem' }))
  t.ok(after(say(start(), always), 2).score < 70)
})

t.test('unknown speakers dominate nothing', async t => {
  const features = say(start(), repeat(onTask, 3).map(text => ({ text, speaker: null })), { ...garden, members: [] })
  t.notOk(after(features, 1).drivers.some(one => one.signal === 'dominance'))
})

t.test('a group that is silent from the start is seen beside its peers', async t => {
  const peer = peerOf(healthy(), healthy().now)
  const peers = peersOf([peer, peer, peer])
  const quiet = say(start(), [{ text: 'okay', gap: 0 }, { text: 'um', gap: 30 }])
  const at = quiet.now + 60_000
  t.ok(assess(quiet, at, garden, peers).score > assess(quiet, at, garden).score)
  t.equal(peersOf([]), undefined)
})

t.test('looking changes nothing', async t => {
  const features = say(healthy(), offTask)
  const before = JSON.stringify(features)
  assess(features, features.now + 500_000, garden)
  t.equal(JSON.stringify(features), before)
})

t.test('the same words give the same bytes, in any pieces', async t => {
  const turns = [...onTask, ...offTask, ...lost]
  const whole = say(start(), turns)
  let pieces = start()
  for (const turn of turns.map((text, i) => ({ text, speaker: garden.members[i % 3]! }))) {
    pieces = say(JSON.parse(JSON.stringify(pieces)) as Features, [turn])
    assess(pieces, pieces.now + 60_000, garden)
  }
  t.equal(JSON.stringify(pieces), JSON.stringify(whole))
})

t.test('no topic and no goals: the group\'s own history still tells', async t => {
  const bare: GroupContext = { topic: '', goals: [], members: garden.members }
  t.ok(after(say(say(start(), repeat(onTask, 2), bare), offTask, bare), 2, bare).score >= 70)
})

t.test('hysteresis', async t => {
  t.equal(settle(null, 39), 'Stable')
  t.equal(settle('Stable', 70), 'Focus Now')
  t.equal(settle('Focus Now', 56), 'Focus Now')
  t.equal(settle('Focus Now', 54), 'Watch Next')
  t.equal(settle('Watch Next', 30), 'Watch Next')
  t.equal(settle('Watch Next', 27), 'Stable')
  t.equal(settle('Stable', 39), 'Stable')
})

t.test('long identifiers stay apart', async t => {
  const id = (n: number): string => `https://school.example/people/very/long/path/of/one/${n}`
  const context = { ...garden, members: [id(1), id(2)] }
  let features = start()
  for (let i = 0; i < 10; i++) features = fold(features, { startedAt: i * 4000, endedAt: i * 4000 + 3000, speaker: id(1 + i % 2), text: 'the bed is in the shade' }, context)
  t.equal(features.floor.speakers.length, 2)
})
