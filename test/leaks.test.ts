import t from 'tap'
import { build, token } from './app.ts'
import { leaksIn } from './leaks.ts'

t.test('what was said, and tokens, are found in a log', async t => {
  const app = await build(t)
  const teacher = token()
  const topic = 'Why "we" sleep at night'
  t.same((await app.call('POST', '/sessions', { topic }, teacher)).status, 201)
  t.same(leaksIn(JSON.stringify({ msg: `a token ${teacher}.` })), [teacher])
  t.same(leaksIn(JSON.stringify({ err: { message: topic } })), [topic])
  t.same(leaksIn(app.log()), [], 'and are in none')
  t.match(app.log(), /incoming request/, 'which says all it can')
})

t.test('a test whose server logs one of them fails', async t => {
  const ends: (() => unknown)[] = []
  const app = await build({ teardown: end => ends.push(end) })
  app.app.log.trace({ authorization: `Bearer ${token()}` })
  const [end] = ends.splice(0, 1)
  await t.rejects(async () => await end?.(), /its log holds eyJ/)
  for (const more of ends) await more()
})
