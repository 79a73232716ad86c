import { setTimeout as pause } from 'node:timers/promises'
import t from 'tap'
import { Comparison } from '../../../lib/core/comparison.ts'

t.test('some at once, all of them, and what comes meanwhile', async t => {
  const seen: string[] = []
  let now = 0
  let most = 0
  const comparison = new Comparison(async key => {
    most = Math.max(most, ++now)
    await pause(2)
    now--
    seen.push(key)
    if (key === '5') comparison.ask('late')
    return true
  })
  const keys = Array.from({ length: 60 }, (_, i) => String(i))
  for (const key of [...keys, ...keys]) comparison.ask(key)
  while (seen.length < 61) await pause(2)
  t.same(new Set(seen), new Set([...keys, 'late']), 'each once')
  t.equal(most, 16)
})

t.test('what failed is looked at again after a second, however many fail meanwhile', async t => {
  const seen: string[] = []
  let fails = true
  const comparison = new Comparison(async key => {
    seen.push(key)
    return !fails
  })
  comparison.ask('a')
  await pause(20)
  comparison.ask('b')
  await pause(20)
  t.same(seen, ['a', 'b'])
  fails = false
  while (seen.length < 4) await pause(20)
  t.same(seen.slice(2), ['a', 'b'])
  comparison.stop()
})
