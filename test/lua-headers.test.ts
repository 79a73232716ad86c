import { readdir, readFile } from 'node:fs/promises'
import t from 'tap'
import type { Key } from '../lib/core/key.ts'
import type { Script } from '../lib/core/script.ts'

/**
 * Every script of the package, found where it is bound: a module that calls `script()` exports its twins in a list
 * (`gateScripts`) and, when a script takes several keys, their families under the same names (`gateKeys`).
 */
interface Bound { module: string, scripts: Script<string, string, unknown>[], keys: Record<string, Key> }

const lineLimit = 80
const root = new URL('../', import.meta.url)
const modules = await Promise.all((await readdir(new URL('lib/', root), { recursive: true }))
  .filter(name => name.endsWith('.ts')).map(async name => ({ name, text: await readFile(new URL(`lib/${name}`, root), 'utf8') })))
const bound = await Promise.all(modules.filter(({ text }) => / = script\(/.test(text)).map(async ({ name }): Promise<Bound> => {
  const exported = Object.entries(await import(new URL(`lib/${name}`, root).href) as Record<string, unknown>)
  return {
    module: name,
    scripts: exported.flatMap(([label, value]) => label.endsWith('Scripts') ? value as Bound['scripts'] : []),
    keys: Object.assign({}, ...exported.filter(([label]) => label.endsWith('Keys')).map(([, value]) => value))
  }
}))
const scripts = bound.flatMap(module => module.scripts)

/** The signature at the head of a script: purpose, KEYS, ARGV, returns, in this order, nothing between. */
function headerOf (source: string) {
  const lines = source.split('\n')
  const head = lines.slice(0, lines.findIndex(line => !line.startsWith('-- ')))
  const words = (kind: string): string[] => head.flatMap(line => {
    const [, found, number, name] = /^-- (KEYS|ARGV)\[(\d+)\] (\w+) {2}\S/.exec(line) ?? []
    return found === kind && number !== undefined && name !== undefined ? [`${number} ${name}`] : []
  })
  const order = head.map(line => /^-- (KEYS\[|ARGV\[|returns )/.exec(line)?.[1] ?? 'purpose')
  return { order: order.filter((kind, index) => kind !== order[index - 1]), keys: words('KEYS'), args: words('ARGV') }
}

t.test('each script opens with the signature that its twin has', async t => {
  const files = (await readdir(new URL('lua/', root))).filter(name => name.endsWith('.lua')).map(name => name.replace(/\.lua$/, ''))
  t.same(scripts.map(script => script.file).sort(), files.sort(), 'every file has one twin, and that is exported')
  const numbered = (names: readonly string[]): string[] => names.map((name, index) => `${index + 1} ${name}`)
  for (const { file, keys, args, source } of scripts) {
    const header = headerOf(source)
    t.same(header.keys, numbered(keys), `${file}: KEYS`)
    t.same(header.args, numbered(args), `${file}: ARGV`)
    t.same(header.order, ['purpose', 'KEYS[', ...args.length > 0 ? ['ARGV['] : [], 'returns '], `${file}: order`)
    t.ok(source.trimEnd().split('\n').length <= lineLimit, `${file}: at most ${lineLimit} lines`)
  }
})

t.test('a script uses what it declares, and no more', async t => {
  for (const { file, keys, args, source } of scripts) {
    const code = source.replace(/--.*$/gm, '')
    for (const [kind, declared] of [['KEYS', keys.length], ['ARGV', args.length]] as const) {
      const used = [...code.matchAll(new RegExp(`${kind}\\[(\\d+)\\]`, 'g'))].map(match => Number(match[1]))
      const whole = new RegExp(`${kind}(?!\\[)`).test(code)
      t.equal(Math.max(0, ...used, whole ? declared : 0), declared, `${file}: ${kind}`)
    }
    t.notMatch(code, /%\.[1-9]\d*f/, `${file} cuts no digits off`)
  }
})

t.test('on a cluster all keys of a script lie in one slot', async t => {
  for (const { module, scripts, keys } of bound) {
    for (const { file, keys: names } of scripts.filter(script => script.keys.length > 1)) {
      const tags = names.map(name => {
        const family = keys[name]
        return family ? tagOf(family) : `${module} exports no key ${name}`
      })
      t.equal(new Set(tags).size, 1, `${file}: ${tags.join(', ')}`)
    }
  }
})

/** What stands in braces: the session, or else what the keys are about, which their caller then has to wrap. */
function tagOf (family: Key): string {
  const params = [...family.pattern.matchAll(/\{(\w+)\}/g)].map(([, param = '']) => param)
  const wrap = (param: string): string => params.includes('sessionId') ? param : `{${param}}`
  const name = family(Object.fromEntries(params.map(param => [param, wrap(param)])), true)
  return /\{(.+?)\}/.exec(name)?.[1] ?? `${name} has no hash tag`
}
