import t from 'tap'
import { signals } from '../../../lib/guidance/embedded/index.ts'
import { normalise } from '../../../lib/guidance/fingerprint.ts'
import { promptCategories } from '../../../lib/guidance/schema.ts'
import { templates } from '../../../lib/guidance/templates.ts'

/** What makes a wording focus on the pupils' thinking; each fault is one of funnelling, or of judging. */
const rules: Record<string, (message: string) => boolean> = {
  'asks openly': message => /\bask\b.*\b(what|which|where|how|who|why)\b/i.test(message),
  'does not ask for a yes or a no': message => !/\b(whether|ask if|(is|isn['’]t|are|do|don['’]t|does|did|can|could|would|should) (it|they|you|this|that) .*\?)/i.test(message),
  'holds no answer': message => !/\b(because|answer|tell (them|the group|him|her) that|explain (it )?to|show (them|the group) how|should|correct|right)\b/i.test(message),
  'speaks of no task': message => !/\d/.test(message) && !/[“"](?!\{topic\}”)/.test(message) && !/\{(?!topic\})/.test(message),
  'passes no verdict': message => !/\b(wrong|bad|lazy|noisy|drift\w*|off.task|confus\w*|dominat\w*|stuck|too much|stop|silent|weak)\b/i.test(message),
  'is one short sentence': message => /^[A-Z][^.!?]*\.$/.test(message) && message.split(' ').length <= 25
}

const faults = (message: string): string[] => Object.entries(rules).filter(([, holds]) => !holds(message)).map(([rule]) => rule)

t.test('the rules refuse what funnels or judges', async t => {
  const bad: [string, string][] = [
    ['Tell the group to go on.', 'asks openly'],
    ['Ask whether they have seen what changes.', 'does not ask for a yes or a no'],
    ['Ask them: isn’t it what they wanted?', 'does not ask for a yes or a no'],
    ['Ask what follows, and tell them that the bank erodes.', 'holds no answer'],
    ['Ask why it is faster outside because of the bend.', 'holds no answer'],
    ['Ask which 2 numbers they would add.', 'speaks of no task'],
    ['Ask what “erosion” means.', 'speaks of no task'],
    ['Ask why they are off task.', 'passes no verdict'],
    ['Ask what they do. Then ask how.', 'is one short sentence']
  ]
  for (const [message, rule] of bad) t.ok(faults(message).includes(rule), `${message} (${rule})`)
})

t.test('every template keeps them', async t => {
  for (const { message } of templates) t.same(faults(message), [], message)
})

t.test('each reason has some to choose from, and no two are the same prompt', async t => {
  for (const signal of signals) t.ok(templates.filter(one => one.signal === signal).length >= 4, signal)
  t.same([...new Set(templates.map(one => one.signal))].sort(), [...signals].sort(), 'and no template waits for a reason that never comes')
  t.equal(new Set(templates.map(one => one.key)).size, templates.length)
  t.equal(new Set(templates.map(one => normalise(one.message))).size, templates.length)
  for (const { key, category, signal } of templates) {
    t.ok(promptCategories.includes(category))
    t.match(key, new RegExp(`^${category}\\.${signal}\\.\\d+$`))
  }
})
