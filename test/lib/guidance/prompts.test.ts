import t from 'tap'
import { excuse, makePrompt, openPrompts, outcomes, rank, remember, sessionOfPrompt, silentPrompts, waitAfter } from '../../../lib/guidance/prompts.ts'
import { newRecord, type Look, type PromptEntry } from '../../../lib/guidance/record.ts'
import type { TeacherPrompt } from '../../../lib/guidance/schema.ts'
import { templates } from '../../../lib/guidance/templates.ts'

const start = 1_700_000_000_000
const [template] = templates as [typeof templates[number]]
const look = (at: number, groupId = 'a'): Look => ({ groupId, at, assessment: { evidence: [] } as unknown as Look['assessment'] })
const prompt = (seconds: number, heat: 'Focus Now' | 'Watch Next' = 'Watch Next', expiryMs = 60_000): TeacherPrompt =>
  makePrompt(template, look(start + seconds * 1000), heat, [], { sessionId: 's1', topic: 'Rivers' }, expiryMs)
const entry = (seconds: number, done: PromptEntry['done'] = []): PromptEntry => ({ prompt: prompt(seconds), signal: 'stall', done, told: true })
const record = (...prompts: PromptEntry[]) => {
  const made = newRecord(start, start, 5000)
  made.session.prompts = prompts
  return made
}
const keys = (signal: string, seed: string, known = new Map()): string[] => rank(signal, seed, known).map(one => one.key)

t.test('the choice follows from the seed', async t => {
  t.same(keys('stall', 's1|a'), keys('stall', 's1|a'))
  const firsts = new Set(Array.from({ length: 60 }, (_, i) => keys('stall', `s${i}|a`)[0]))
  t.equal(firsts.size, 4, 'and not always on the same')
  t.ok(keys('stall', 's1|a').every(key => key.includes('.stall.')), 'among those that answer the reason')
  t.same(rank('nothing', 's', new Map()), [])
})

t.test('what is known of a template outweighs chance, the more the more is known', async t => {
  const first = (successes: number, weight: number): number => Array.from({ length: 200 }, (_, i) =>
    keys('stall', `s${i}`, new Map([['energy.stall.1', { successes, weight }]]))[0]).filter(key => key === 'energy.stall.1').length
  const unknown = first(0, 0)
  t.ok(unknown > 20 && unknown < 80, `${unknown} of 200 when nothing is known`)
  t.ok(first(30, 30) > 90, `${first(30, 30)} when it was always used`)
  t.ok(first(0, 3) < unknown, 'dismissed')
  t.ok(first(0, 30) < first(0, 3))
  t.ok(first(3 * outcomes.silence, 3) > first(3 * outcomes.dismiss, 3), 'silence is milder than a dismissal')
  t.ok(first(3 * outcomes.silence, 3) < first(3 * outcomes.use, 3))
  t.ok(first(0, 3) > 0, 'a template is not given up for three dismissals')
  t.ok(outcomes.dismiss < outcomes.silence && outcomes.silence < 0.5 && outcomes.use === 1)
})

t.test('what was learnt fades to knowing nothing', async t => {
  t.same(keys('stall', 's1', new Map([['energy.stall.1', { successes: 0, weight: 1e-9 }]])), keys('stall', 's1'))
})

t.test('a prompt is the same for the same class, and its id leads to its session', async t => {
  t.same(prompt(1), prompt(1))
  t.not(prompt(1).promptId, prompt(2).promptId)
  t.equal(sessionOfPrompt(prompt(1).promptId), 's1')
  t.equal(sessionOfPrompt('nothing'), undefined)
  t.match(prompt(1, 'Focus Now'), { priority: 'high', suggestedTiming: 'immediate' })
  t.match(prompt(1, 'Watch Next'), { priority: 'medium', suggestedTiming: 'next_break' })
  t.equal(Date.parse(prompt(1).expiresAt) - Date.parse(prompt(1).generatedAt), 60_000)
})

t.test('the topic stands in the message as the teacher wrote it, bounded', async t => {
  const withTopic = templates.find(one => one.message.includes('{topic}')) as typeof template
  const message = (topic: string): string => makePrompt(withTopic, look(start), 'Focus Now', [], { sessionId: 's1', topic }, 1).message
  t.match(message('$& and $1'), '“$& and $1”')
  t.ok(message('𝒳'.repeat(500)).length < 350)
  t.notMatch(message('𝒳'.repeat(500)), /\p{Surrogate}/u)
})

t.test('an alert may follow a recommendation soon; everything else waits', async t => {
  const pace = { cooldownMs: 90_000, alertAfterMs: 30_000 }
  t.equal(waitAfter([], true, pace), 90_000)
  t.equal(waitAfter([prompt(0)], true, pace), 30_000)
  t.equal(waitAfter([prompt(0)], false, pace), 90_000, 'a recommendation waits')
  t.equal(waitAfter([prompt(0, 'Focus Now')], true, pace), 90_000, 'an alert does not pass an alert')
  t.equal(waitAfter([prompt(0)], true, { ...pace, alertAfterMs: 90_000 }), 90_000, 'never, when it is not allowed')
  t.equal(waitAfter([prompt(0)], true, { cooldownMs: 10_000, alertAfterMs: 30_000 }), 10_000, 'it never waits longer than the others')
})

t.test('time that an alert borrowed is given back', async t => {
  const pace = { cooldownMs: 90_000, alertAfterMs: 30_000 }
  t.equal(waitAfter([prompt(0), prompt(30, 'Focus Now')], false, pace), 150_000)
  t.equal(waitAfter([prompt(0), prompt(30, 'Focus Now')], true, pace), 150_000)
  t.equal(waitAfter([prompt(0), prompt(90)], true, pace), 30_000)
  // The greediest group: an alert whenever one may come, a recommendation else.
  const sent: TeacherPrompt[] = []
  for (let at = 0; at <= 3600; at += 5) {
    for (const heat of ['Focus Now', 'Watch Next'] as const) {
      const last = sent.at(-1)
      if (last && start + at * 1000 - Date.parse(last.generatedAt) < waitAfter(sent, heat === 'Focus Now', pace)) continue
      sent.push(prompt(at, sent.length % 2 === 0 ? 'Watch Next' : heat))
    }
  }
  t.ok(sent.length > 35 && sent.length <= 2 + 3600 / 90, `${sent.length} in an hour`)
})

t.test('open is what nobody used or dismissed and what has not run out', async t => {
  const all = record(entry(0), entry(10), entry(20, ['acknowledge']), entry(30, ['use']), entry(40, ['acknowledge', 'dismiss']))
  t.same(openPrompts(all, start + 59_999).map(one => one.generatedAt), [0, 10, 20].map(s => new Date(start + s * 1000).toISOString()))
  t.equal(openPrompts(all, start + 60_000).length, 2)
})

t.test('silent is what ran out untouched, once', async t => {
  const all = record(entry(0), entry(1, ['acknowledge']), entry(2, ['use']), entry(3, ['dismiss']), entry(100))
  const silent = silentPrompts(all, start + 70_000)
  t.same(silent.map(one => one.prompt.promptId), [prompt(0).promptId])
  if (silent[0]) silent[0].over = 'silent'
  t.same(silentPrompts(all, start + 70_000), [])
})

t.test('a pause is not silence', async t => {
  const all = record(entry(0), entry(50), entry(200))
  excuse(all, start + 70_000, start + 150_000)
  t.same(silentPrompts(all, start + 300_000).map(one => one.prompt.promptId), [prompt(0).promptId, prompt(200).promptId])
})

t.test('of too many prompts the settled ones go first', async t => {
  const entries = [entry(0), entry(1, ['use']), entry(2), { ...entry(3), over: 'silent' as const }]
  for (let i = 4; i < 9; i++) remember(entries, entry(i), 5)
  t.same(entries.map(one => one.prompt.promptId), [4, 5, 6, 7, 8].map(i => prompt(i).promptId))
  const some = [entry(0), entry(1, ['use']), entry(2)]
  remember(some, entry(3), 3)
  t.same(some.map(one => one.prompt.promptId), [0, 2, 3].map(i => prompt(i).promptId))
})
