import { readFile } from 'node:fs/promises'
import t from 'tap'
import { declaredKeys, reference, referenceFile } from '../docs/generate.ts'
import { build, token } from './app.ts'

t.test('docs/reference.md says what the declarations say', async t => {
  const made = await reference()
  const committed = await readFile(referenceFile, 'utf8')
  const [before, after] = [committed.split('\n'), made.split('\n')]
  const behind = after.filter(line => !before.includes(line)).slice(0, 5)
  t.ok(committed === made, 'docs/reference.md is behind: run `npx tsx docs/generate.ts` and commit it', { behind })
  for (const word of ['`session:status_changed`', '`guidance:analytics`', '`SESSION_NOT_FOUND`', '`guidance.cooldownMs`', '`REDIS_URL`']) {
    t.match(made, `| ${word} |`)
  }
})

t.test('what operators are told to look at is counted', async t => {
  const { app } = await build(t)
  const counted = (await app.inject({ url: '/metrics', headers: { authorization: `Bearer ${token({ role: 'admin' })}` } })).body
  for (const name of ['operating.md', 'classroom.md']) {
    const told = (await readFile(new URL(`../docs/${name}`, import.meta.url), 'utf8')).match(/\b(classwaves|guidance|nodejs|process)_\w+/g) ?? []
    t.ok(told.length > 3)
    t.same(told.filter(metric => !counted.includes(`# HELP ${metric.replace(/_bucket$/, '')} `)), [], name)
  }
})

t.test('docs/privacy.md names every key that holds something of people', async t => {
  const privacy = await readFile(new URL('../docs/privacy.md', import.meta.url), 'utf8')
  const families = (await declaredKeys()).filter(key => key.holds).map(key => `\`${key.pattern.split('{')[0]}*\``)
  t.ok(families.length > 5)
  t.same(families.filter(family => !privacy.includes(family)), [])
})

t.test('every key family is in the table, once', async t => {
  const patterns = (await declaredKeys()).map(key => key.pattern)
  t.ok(patterns.includes('guidance:attention:last:{sessionId}:{groupId}'))
  t.same(patterns, [...new Set(patterns)], 'two families never share a name')
})
