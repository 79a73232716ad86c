import fc from 'fast-check'
import t from 'tap'
import { advance, aheadMs, lateMs, pause, resume, tick, type Due, type Heard } from '../../../lib/guidance/advance.ts'
import type { GuidanceRecord } from '../../../lib/guidance/record.ts'

const timing = { tier1WindowMs: 30_000, tier1WarmupMs: 60_000, tier2WindowMs: 180_000, evaluateEveryMs: 5_000 }
const context = () => ({ context: { topic: 'Fractions', goals: ['Compare fractions'] }, naming: [] })
const start = 1_000_000_000_000

const say = (second: number, groupId = 'a', text = 'a half is more than a third'): Heard =>
  ({ groupId, startedAt: start + second * 1000 - 1000, endedAt: start + second * 1000, speaker: `p${second % 3}`, text })

function run (heard: readonly Heard[], chunks: readonly number[] = [heard.length], now = start + 10_000_000): { record: GuidanceRecord | null, dues: Due[] } {
  let record: GuidanceRecord | null = null
  const dues: Due[] = []
  let from = 0
  for (const size of [...chunks, heard.length]) {
    const part = heard.slice(from, from += size)
    if (part.length === 0) continue
    const next = advance(record, part, now, context, timing)
    record = JSON.parse(JSON.stringify(next.record)) as GuidanceRecord
    dues.push(JSON.parse(JSON.stringify(next.due)) as Due)
  }
  return { record, dues }
}

const class20 = Array.from({ length: 200 }, (_, i) => say(1 + i * 3, i % 4 === 0 ? 'b' : 'a'))

t.test('the score is looked at on a grid of event time, not on every line', async t => {
  const { dues } = run(class20)
  const looks = dues.flatMap(due => due.looks).filter(look => look.groupId === 'a')
  t.ok(looks.length <= 600 / 5)
  t.ok(looks.every((look, i) => i === 0 || look.at - (looks[i - 1]?.at ?? 0) === 5_000))
})

t.test('windows close at their time: tier1 after the warm-up, then every 30 s; tier2 every 3 min', async t => {
  const jobs = run(class20).dues.flatMap(due => due.jobs).filter(job => job.window.groupId === 'a')
  const ends = jobs.filter(job => job.tier === 1).map(job => (job.window.end - start) / 1000)
  t.ok((ends[0] ?? 0) >= 60 && (ends[0] ?? 0) <= 70, 'a minute of talk comes first')
  t.ok(ends.slice(1).every((end, i) => end - (ends[i] ?? 0) === 30))
  t.equal(jobs.filter(job => job.tier === 2).length, 3)
  t.same(new Set(jobs.map(job => job.id)).size, jobs.length)
})

t.test('a window holds the talk since the one before, and none of it twice', async t => {
  const said = class20.filter(one => one.groupId === 'a').map((one, i) => ({ ...one, text: `line ${i}` }))
  const texts = run(said).dues.flatMap(due => due.jobs).filter(job => job.tier === 1).flatMap(job => job.window.utterances.map(one => one.text))
  t.same(texts, said.slice(0, texts.length).map(one => one.text))
})

t.test('the same talk in any chunks gives the same bytes', async t => {
  const whole = run(class20)
  const looks = (dues: Due[]): unknown => dues.flatMap(due => due.looks)
  fc.assert(fc.property(fc.array(fc.integer({ min: 1, max: 40 }), { minLength: 1, maxLength: 40 }), chunks => {
    const parts = run(class20, chunks)
    t.equal(JSON.stringify(parts.record?.groups), JSON.stringify(whole.record?.groups))
    t.equal(JSON.stringify(looks(parts.dues)), JSON.stringify(looks(whole.dues)))
  }), { seed: 5, numRuns: 20 })
})

t.test('stored talk is heard once, however often and in whichever order it is sent', async t => {
  const stored = class20.map((one, i) => ({ ...one, seq: i + 1 }))
  const whole = JSON.stringify(run(class20).record?.groups)
  t.equal(JSON.stringify(run(stored).record?.groups), whole)
  t.equal(JSON.stringify(run([...stored.slice(0, 50), ...stored, ...stored], [50, 70, 200]).record?.groups), whole)
  t.equal(JSON.stringify(run([...stored].reverse()).record?.groups), whole, 'in one call its order is that of its times')
  t.same(run(stored).record?.session.heard, [[1, 200]])
})

t.test('a class replayed at another time of day gives the same', async t => {
  const shift = 1_234_567
  const later = class20.map(one => ({ ...one, startedAt: one.startedAt + shift, endedAt: one.endedAt + shift }))
  const scores = (heard: Heard[]): number[] => run(heard).dues.flatMap(due => due.looks).map(look => look.assessment.score)
  t.same(scores(later), scores(class20))
})

t.test('silence passes with the talk of others, and live with the clock', async t => {
  const talk = [say(1, 'a'), say(2, 'b'), ...Array.from({ length: 40 }, (_, i) => say(3 + i * 3, 'b'))]
  const { record } = run(talk, undefined, start + 122_000)
  const silent = record as GuidanceRecord
  const before = silent.session.nextAt
  const { due } = tick(silent, silent.session.seenAt + lateMs + 60_000, context, timing)
  t.equal(due.looks.filter(look => look.groupId === 'a').length, 12)
  t.ok(silent.session.nextAt > before)
  const replayed = run(talk).record as GuidanceRecord
  t.same(tick(replayed, replayed.session.seenAt + 60_000, context, timing).due.looks, [], 'talk of earlier days has its own time')
})

t.test('what teachers wait begins with the first talk that no look has seen, and in silence with the look that was due', async t => {
  const begun = start + 1_000
  const came = (...looks: Due['looks']): unknown[] => looks.map(({ groupId, at, cause }) => [groupId, (at - start) / 1000, cause && (cause.cameAt ?? NaN) - begun])
  let record: GuidanceRecord | null = null
  const feed = (cameAfter: number, ...talk: Heard[]): Due => {
    const next = advance(record, talk, begun + cameAfter, context, timing, begun + cameAfter)
    record = next.record
    return next.due
  }
  t.same(came(...feed(0, say(1)).looks), [], 'its look is still to come')
  t.same(came(...feed(3_000, say(4, 'b'), say(4.5)).looks), [])
  t.same(came(...feed(6_100, say(7)).looks), [['a', 5, 0], ['b', 5, 3_000]], 'not with the call that moved the clock, nor with the newest talk')
  t.same(came(...feed(11_200, say(12)).looks), [['a', 10, 6_100], ['b', 10, 11_200]], 'one who was silent is heard of by the talk of another')
  const { due } = tick(record as unknown as GuidanceRecord, begun + 11_200 + lateMs + 9_000, context, timing)
  t.same(came(...due.looks), [['a', 15, 11_200], ['b', 15, 14_200], ['a', 20, 19_200], ['b', 20, 19_200]], 'silence begins with its look')
  t.same(advance(null, [say(1), say(7)], begun, context, timing).due.looks.map(({ cause }) => cause), [undefined], 'who does not say when it came is not timed')

  feed(30_000, say(31))
  const kept = record as unknown as GuidanceRecord
  pause(kept, begun + 31_000)
  resume(kept, begun + 99_000, timing)
  t.equal(feed(105_000, say(106)).looks.find(({ groupId }) => groupId === 'a')?.cause?.cameAt, begun + 99_000, 'nobody waited in a pause')
})

t.test('talk from the future is taken back to the backend\'s clock', async t => {
  const now = start + 2_000
  const { record } = advance(null, [say(1), say(10_000)], now, context, timing)
  t.equal(record.session.clock, now + aheadMs)
})

t.test('a long break is jumped over', async t => {
  const { dues } = run([say(1), say(24 * 3600)])
  t.ok(dues.flatMap(due => due.looks).length <= 121)
})

t.test('nothing is judged while paused, and the pause is no silence', async t => {
  const { record } = run(class20)
  const paused = record as GuidanceRecord
  pause(paused, paused.session.seenAt)
  const clock = paused.session.clock
  t.same(advance(paused, [say(700)], paused.session.seenAt + 1000, context, timing).due, { looks: [], jobs: [] })
  t.same(tick(paused, paused.session.seenAt + 600_000, context, timing).due.looks, [])
  resume(paused, paused.session.seenAt + 600_000, timing)
  t.equal(paused.session.clock, clock + 600_000)
  const { due } = tick(paused, paused.session.seenAt + 5_000, context, timing)
  t.ok(due.looks.length <= 4)
  t.ok(due.looks.every(look => !look.assessment.drivers.some(driver => driver.signal === 'stall')), 'nobody was silent')
})

t.test('the record stays small however long the class talks', async t => {
  const { record } = run(Array.from({ length: 3000 }, (_, i) => say(1 + i, 'a', `word${i} and more words of number ${i * 7}`)))
  const group = record?.groups.a
  t.ok(JSON.stringify(group?.features).length <= 8 * 1024)
  t.ok((group?.utterances.length ?? 999) <= 120)
})
