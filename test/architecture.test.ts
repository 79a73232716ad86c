import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join, posix } from 'node:path'
import { fileURLToPath } from 'node:url'
import t from 'tap'
import ts from 'typescript'

/** The shape of the code: which way imports point, how long a file is, what an area consists of. */

const root = fileURLToPath(new URL('..', import.meta.url))

function filesIn (folder: string, ending: string): string[] {
  if (!existsSync(join(root, folder))) return []
  return readdirSync(join(root, folder), { recursive: true, encoding: 'utf8' })
    .filter(name => name.endsWith(ending)).map(name => posix.join(folder, name.replaceAll('\\', '/'))).sort()
}

const read = (file: string): string => readFileSync(join(root, file), 'utf8')
const lines = (file: string): number => read(file).trimEnd().split('\n').length
const source = [...['index.ts'].filter(file => existsSync(join(root, file))), ...['lib', 'plugins', 'routes'].flatMap(folder => filesIn(folder, '.ts'))]
const areas = readdirSync(join(root, 'lib'), { withFileTypes: true })
  .filter(entry => entry.isDirectory() && !['core', 'client'].includes(entry.name)).map(entry => entry.name)

/** What a file imports: own files by their path from the root, packages by their name. */
function importsOf (file: string, text: string): string[] {
  return ts.preProcessFile(text, true, true).importedFiles
    .map(({ fileName }) => fileName.startsWith('.') ? posix.join(posix.dirname(file), fileName) : fileName)
}

/** The same without types, which are gone when the code runs. */
function importsAtRunTime (file: string): string[] {
  const { outputText } = ts.transpileModule(read(file), {
    compilerOptions: { target: ts.ScriptTarget.ES2023, module: ts.ModuleKind.ESNext, verbatimModuleSyntax: true }
  })
  return importsOf(file, outputText)
}

type Layer = 'index' | 'plugins' | 'routes' | 'assembly' | 'client' | 'area' | 'core' | 'elsewhere'

function layerOf (file: string): Layer {
  const [folder, area, ...rest] = file.split('/')
  if (file === 'index.ts') return 'index'
  if (folder === 'plugins' || folder === 'routes') return folder
  if (folder !== 'lib') return 'elsewhere'
  if (rest.length === 0) return 'assembly'
  return area === 'core' || area === 'client' ? area : 'area'
}

/** Arrows point down. Files directly in lib/ put the areas together: contracts, options, worker. */
const mayImport: Record<Layer, readonly Layer[]> = {
  index: ['plugins', 'routes', 'assembly', 'area', 'core'],
  plugins: ['plugins', 'routes', 'assembly', 'area', 'core'],
  routes: ['routes', 'area', 'core'],
  assembly: ['assembly', 'area', 'core'],
  client: ['client', 'assembly', 'area', 'core'],
  area: ['area', 'core'],
  core: ['core'],
  elsewhere: []
}

function fault (from: string, to: string): string | undefined {
  if (!to.endsWith('.ts')) return undefined
  const [a, b] = [layerOf(from), layerOf(to)]
  if (!mayImport[a].includes(b)) return `${from} (${a}) imports ${to} (${b})`
  if (a === 'area' && b === 'area' && from.split('/')[1] !== to.split('/')[1]) return `${from} imports another area: ${to}`
  return undefined
}

t.test('the rule itself', async t => {
  t.same([
    ['lib/core/emit.ts', 'lib/sessions/contract.ts'],
    ['lib/sessions/handlers.ts', 'lib/guidance/schema.ts'],
    ['lib/guidance/engine.ts', 'plugins/guidance.ts'],
    ['lib/sessions/contract.ts', 'lib/contract.ts'],
    ['routes/sessions.ts', 'plugins/sessions.ts'],
    ['routes/sessions.ts', 'lib/options.ts'],
    ['plugins/sessions.ts', 'index.ts'],
    ['lib/worker.ts', 'test/redis.ts']
  ].filter(([from = '', to = '']) => fault(from, to) === undefined), [], 'refuses each of these')
  t.same([
    ['index.ts', 'plugins/sessions.ts'],
    ['index.ts', 'routes/sessions.ts'],
    ['plugins/sessions.ts', 'lib/guidance/engine.ts'],
    ['routes/sessions.ts', 'lib/sessions/schema.ts'],
    ['lib/sessions/handlers.ts', 'lib/sessions/contract.ts'],
    ['lib/guidance/embedded/analyzer.ts', 'lib/guidance/schema.ts'],
    ['lib/contract.ts', 'lib/core/contract.ts'],
    ['lib/core/emit.ts', 'typebox']
  ].map(([from = '', to = '']) => fault(from, to)).filter(one => one !== undefined), [], 'allows each of these')
})

t.test('imports point down, and areas do not know each other', async t => {
  const arrows = source.flatMap(from => importsOf(from, read(from)).map(to => [from, to] as const))
  t.ok(arrows.some(([from, to]) => from === 'lib/sessions/contract.ts' && to === 'lib/core/room.ts'), 'types and values are seen')
  t.ok(arrows.some(([from, to]) => from === 'lib/core/access.ts' && to === 'lib/core/errors.ts'), 'types alone are seen')
  t.same(arrows.map(([from, to]) => fault(from, to)).filter(one => one !== undefined), [])
})

t.test('contracts run in a browser', async t => {
  for (const area of areas) {
    const contract = `lib/${area}/contract.ts`
    const strange = importsOf(contract, read(contract)).filter(to => to !== 'typebox' && to !== `lib/${area}/schema.ts` && !to.startsWith('lib/core/'))
    t.same(strange, [], `${contract} imports typebox, the core and its own schema.ts only`)
  }
  const seen = new Set(['lib/contract.ts'])
  const packages = new Map<string, string>()
  for (const file of seen) {
    for (const to of importsAtRunTime(file)) to.endsWith('.ts') ? seen.add(to) : packages.set(to, file)
  }
  t.ok(seen.has('lib/core/access.ts') && seen.has('lib/sessions/schema.ts') && packages.has('typebox'), 'the walk reaches the leaves')
  t.same([...packages].filter(([name]) => !/^typebox(\/|$)/.test(name)), [], 'no module of Node and no server package, however far away')
})

t.test('every package that a file imports is declared', async t => {
  const { name, dependencies, devDependencies, peerDependencies } = JSON.parse(read('package.json')) as Record<string, object> & { name: string }
  const declared = new Set([name, ...Object.keys({ ...dependencies, ...devDependencies, ...peerDependencies })])
  const folders = readdirSync(root, { withFileTypes: true })
    .filter(entry => entry.isDirectory() && !entry.name.startsWith('.') && !['node_modules', 'dist', 'coverage'].includes(entry.name))
  const files = [...readdirSync(root).filter(file => /\.[jt]s$/.test(file)), ...folders.flatMap(({ name }) => [...filesIn(name, '.ts'), ...filesIn(name, '.js')])]
    .filter(file => file !== 'pages/sdk.js') // made from packages
  const imports = files.flatMap(file => importsOf(file, read(file)).map(to => ({ file, to })))
    .filter(({ to }) => !/^(node:|#|\/)|\.(ts|js)$/.test(to))
    .map(({ file, to }) => ({ file, to: to.split('/').slice(0, to.startsWith('@') ? 2 : 1).join('/') }))
  t.ok(imports.some(({ to }) => to === 'fastify'), 'the walk sees packages')
  t.same(imports.filter(({ to }) => !declared.has(to)), [])
})

t.test('handlers know no server, no socket and no store', async t => {
  const handlers = areas.map(area => `lib/${area}/handlers.ts`).filter(file => existsSync(join(root, file)))
  t.ok(handlers.length > 0)
  for (const file of handlers) t.same(importsOf(file, read(file)).filter(to => !to.endsWith('.ts') && to !== 'typebox'), [], file)
})

t.test('a file is one idea, rarely long', async t => {
  // Weights are data that npm run calibrate writes.
  t.same(source.filter(file => file !== 'lib/guidance/embedded/weights.ts' && lines(file) > 250).map(file => `${file} has ${lines(file)} lines`), [])
  t.same(filesIn('lua', '.lua').filter(file => lines(file) > 80).map(file => `${file} has ${lines(file)} lines`), [])
})

t.test('one word finds an area everywhere', async t => {
  t.ok(areas.includes('sessions') && areas.includes('guidance'))
  for (const area of areas) {
    const parts = [`lib/${area}/contract.ts`, `lib/${area}/handlers.ts`, `plugins/${area}.ts`, `routes/${area}.ts`, `test/lib/${area}`]
    t.same(parts.filter(part => !existsSync(join(root, part))), [], `${area} is complete`)
  }
  const prefixes = new Set(filesIn('lua', '.lua').map(file => posix.basename(file).split('_')[0]))
  t.same([...prefixes].filter(prefix => ![...areas, 'core'].includes(prefix ?? '')), [], 'each Lua file is of an area or the core')
})
