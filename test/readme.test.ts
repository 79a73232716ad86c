import { existsSync } from 'node:fs'
import { readdir } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import t from 'tap'
import { actions, roles } from '../index.ts'
import { attributions } from '../bench/eval/sources.ts'
import { gateNames } from '../lib/guidance/gates.ts'
import { Options } from '../lib/options.ts'
import { build } from './app.ts'
import { documentText, Project, root, snippetsIn } from './snippets.ts'

/** What the README lists is what there is, and its code compiles. test/readme-snippets.test.ts runs that code. */

const readme = await documentText('README.md')

/** The words in code style of the first column of the table under a heading. */
function listed (heading: string, document = readme): string[] {
  const [, section = ''] = document.split(`\n${heading}\n`)
  const [table = ''] = /^\|.*\n\| ---.*\n(\|.*\n)+/m.exec(section.split(/\n#/)[0] ?? '') ?? []
  const rows = table.split('\n').slice(2).map(row => row.split('|')[1] ?? '')
  return rows.flatMap(cell => [...cell.matchAll(/`([^`]+)`/g)].map(([, words = '']) => words))
}

const nameOf = (words: string): string => /^[\w.]+/.exec(words)?.[0] ?? words

t.test('every TypeScript snippet compiles, strictly', async t => {
  const typed = snippetsIn(readme).filter(({ language }) => language === 'ts')
  t.ok(typed.length >= 15)
  const project = await Project.create(t)
  t.same(await project.complaints(typed), [])
})

t.test('the tables list what there is', async t => {
  const { app, call } = await build(t, {})
  const options = listed('## Options').map(name => name.split('.')[0])
  t.same(options.sort(), Object.keys(Options.properties).sort(), 'options')
  const methods = listed('### `fastify.sessions`').filter(words => words !== '(sessionId)').map(nameOf)
  t.same(methods.sort(), Object.keys(app.sessions).sort(), 'sessions')
  t.same(listed('### `fastify.guidance`').map(nameOf).sort(), Object.keys(app.guidance).sort(), 'guidance')
  t.same(listed('### `fastify.classroom`').filter(words => words.includes('(')).map(nameOf).sort(), Object.keys(app.classroom).sort(), 'classroom')
  t.same(listed('### `fastify.guidance.gates`').sort(), [...gateNames].sort(), 'gates')
  t.same([...new Set(listed('### `fastify.classwaves`').map(words => nameOf(words).split('.')[0]))].sort(), Object.keys(app.classwaves).sort(), 'classwaves')
  t.same(listed('### `fastify.classwaves`').filter(words => words.startsWith('emit.')).map(words => words.slice(5)).sort(), Object.keys(app.classwaves.emit).sort(), 'emit')

  const { body: document } = await call<{ paths: Record<string, object> }>('GET', '//openapi.json')
  const routes = Object.entries(document.paths).flatMap(([path, methods]) => Object.keys(methods).map(method =>
    `${method.toUpperCase()} ${path.replace('/api/v1', '').replaceAll(/\{(\w+)\}/g, ':$1')}`))
  t.same(listed('## REST').sort(), routes.sort(), 'routes')
})

t.test('a gate takes and answers what its row says', async t => {
  const { app } = await build(t, {})
  const [, section = ''] = readme.split('\n### `fastify.guidance.gates`\n')
  const row = (gate: string): string[] => new RegExp(`^\\| \`${gate}\` \\|(.*)\\|(.*)\\|$`, 'm').exec(section)?.slice(1) ?? []
  const known: Record<string, Record<string, unknown>> = {
    energy: { sample: 3, id: 'i1' },
    attention: { score: 50, minScoreDelta: 5, minTimeDeltaMs: 1 },
    promptPressure: {},
    acknowledge: { id: 'i2' },
    cooldown: { cooldownMs: 5 },
    dedupe: { category: 'clarity', message: 'Ask them.', peek: true },
    promptStats: { templateKey: 'k1', outcome: 1, id: 'i3' },
    tier2Snapshot: { snapshot: { depth: 1 } },
    tier2Shift: { throttleMs: 5 }
  }
  for (const gate of gateNames) {
    const [takes = '', answers = ''] = row(gate)
    t.same([...takes.matchAll(/`(\w+)\??`/g)].map(([, name]) => name), Object.keys(known[gate] ?? {}), `${gate} takes`)
    const decide = app.guidance.gates[gate] as (input: object) => Promise<object>
    const { reason, ...answer } = await decide({ ...(gate !== 'promptStats' && { sessionId: 's1', groupId: 'g1' }), ...known[gate] }) as { reason: string }
    t.equal(typeof reason, 'string')
    t.same([...answers.matchAll(/`(\w+)`/g)].map(([, name]) => name).filter(name => name !== 'peek').sort(), Object.keys(answer).sort(), `${gate} answers`)
  }
})

t.test('roles and actions are all named', async t => {
  const named = (before: string): string[] => [...(new RegExp(`^${before}: ((\`[\\w:]+\`(, |\\.))+)`, 'm').exec(readme)?.[1] ?? '').matchAll(/`([\w:]+)`/g)].map(([, name = '']) => name)
  t.same(named('Roles'), [...roles])
  t.same(named('Actions'), [...actions])
})

t.test('whoever made the talk behind the weights is named', async t => {
  const named = [...readme.matchAll(/^\| ([^|]+ \d{4}) \| ([^|]+) \|$/gm)].map(([, attribution, licence]) => `${attribution}: ${licence}`)
  const made = Object.values(attributions).filter(({ attribution }) => !attribution.startsWith('spliced')).map(({ attribution, licence }) => `${attribution}: ${licence}`)
  t.same(named.sort(), made.sort())
})

t.test('scripts, files and headings that are pointed at exist', async t => {
  const documents = (await readdir(join(root, 'docs'))).filter(name => name.endsWith('.md')).map(name => `docs/${name}`)
  for (const name of ['README.md', 'CONTRIBUTING.md', 'SECURITY.md', 'CHANGELOG.md', ...documents]) {
    const text = await documentText(name)
    const { scripts } = JSON.parse(await documentText('package.json')) as { scripts: Record<string, string> }
    const used = [...text.matchAll(/npm run ([\w:-]+)|npm (start|test)\b/g)].map(([, script, own]) => script ?? own ?? '')
    t.same(used.filter(script => !(script in scripts)), [], `${name}: scripts`)

    const links = [...text.matchAll(/\]\(([^)]+)\)/g)].map(([, target = '']) => target).filter(target => !/^https?:/.test(target))
    const broken: string[] = []
    for (const link of links) {
      const [file = '', anchor] = link.split('#')
      const path = file === '' ? name : join(dirname(name), file)
      if (!existsSync(join(root, path))) broken.push(link)
      else if (anchor !== undefined && !anchors(await documentText(path)).includes(anchor)) broken.push(link)
    }
    t.same(broken, [], `${name}: links`)
    const paths = [...text.matchAll(/`((?:\.ci|bench|docs|examples|lib|lua|plugins|routes|test)\/[\w./-]*)`/g)].map(([, path = '']) => path)
    t.same(paths.filter(path => !existsSync(join(root, path))), [], `${name}: paths`)
  }
})

function anchors (document: string): string[] {
  return [...document.matchAll(/^#+ (.+)$/gm)].map(([, heading = '']) => heading.toLowerCase().replaceAll(/[^\w\s-]/g, '').replaceAll(' ', '-'))
}
