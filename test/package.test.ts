import { existsSync } from 'node:fs'
import { readdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import t from 'tap'
import ts from 'typescript'
import { install, link, manifestIn, pack, run } from './pack.ts'

t.setTimeout(600_000) // it builds, installs and compiles, on a machine that may do other things as well
const tarball = await pack(t)
const host = await install(t, tarball)
const own = join(host, 'node_modules/fastify-classwaves')

t.test('the tarball holds what belongs, and nothing else', async t => {
  const { stdout } = await run('tar', ['-tzf', tarball])
  const files = stdout.trim().split('\n').map(file => file.replace(/^package\//, ''))
  const belongs = /^((dist\/.+\.(js|d\.ts))|(lua\/[\w/]+\.lua)|(pages\/[\w/]+\.(js|css|html|svg))|examples\/class\/garden\.json|(docs\/[\w-]+\.(md|svg|png))|ops\/(grafana\.json|alerts\.yml)|package\.json|README\.md|LICENSE|CHANGELOG\.md|SECURITY\.md)$/
  t.same(files.filter(file => !belongs.test(file)), [])
  for (const file of ['dist/index.js', 'dist/index.d.ts', 'lua/core_count.lua', 'pages/sdk.js', 'docs/reference.md', 'ops/grafana.json', 'README.md', 'LICENSE', 'CHANGELOG.md', 'SECURITY.md']) {
    t.ok(files.includes(file), file)
  }
  t.same(files.filter(file => /^dist\/(test|examples|bench|docs|bin\/(build|bundle))\b/.test(file)), [])
})

t.test('every way in leads to a file', async t => {
  const { exports } = await manifestIn(host)
  const targets = Object.values(exports).flatMap(target => typeof target === 'string' ? [target] : Object.values(target))
  t.ok(targets.length >= 7)
  t.same(targets.filter(target => !existsSync(join(own, target))), [])
})

t.test('what is imported is declared', async t => {
  const { dependencies, peerDependencies } = await manifestIn(host)
  const declared = new Set(Object.keys({ ...dependencies, ...peerDependencies }))
  const seen = new Set<string>()
  const faults: string[] = []
  for (const name of await readdir(join(own, 'dist'), { recursive: true })) {
    if (!/\.(js|d\.ts)$/.test(name)) continue
    const text = await readFile(join(own, 'dist', name), 'utf8')
    for (const { fileName } of ts.preProcessFile(text, true, true).importedFiles) {
      if (/^(node:|#)/.test(fileName)) continue
      if (fileName.startsWith('.')) {
        if (!existsSync(join(own, 'dist', name, '..', fileName))) faults.push(`${name} imports ${fileName}`)
        continue
      }
      const dependency = fileName.split('/').slice(0, fileName.startsWith('@') ? 2 : 1).join('/')
      seen.add(dependency)
      if (!declared.has(dependency)) faults.push(`${name} imports ${dependency}`)
    }
  }
  t.same(faults, [])
  t.same([...declared].filter(name => !seen.has(name)), ['@opentelemetry/api'], 'and what is declared is imported, but for what the host hands in')
})

const body = `
  const app = Fastify()
  await app.register(classwaves, { jwt: { secret: 'a secret that only this host knows' }, pages: true })
  const token = app.jwt.sign({ sub: 'teacher-1', role: 'teacher' }, { expiresIn: '1h' })
  const url = await app.listen({ port: 0, host: '127.0.0.1' })
  const answer = await fetch(url + '/api/v1/sessions', {
    method: 'POST',
    headers: { authorization: 'Bearer ' + token, 'content-type': 'application/json' },
    body: JSON.stringify({ topic: 'Rivers' })
  })
  const { topic, status } = await answer.json()
  const { backend } = await (await fetch(url + '/health')).json()
  const pages = await Promise.all(['/teach', '/join', '/classwaves/sdk.js'].map(async path => (await fetch(url + path)).status))
  await app.close()
  console.log(JSON.stringify([answer.status, ...pages, topic, status, backend, typeof createEmitter, contracts.map(({ namespace }) => namespace)]))
`
const said = JSON.stringify([201, 200, 200, 200, 'Rivers', 'created', 'memory', 'function', ['/', '/sessions', '/guidance']])

const hosts = {
  'host.mjs': `
    import Fastify from 'fastify'
    import classwaves from 'fastify-classwaves'
    import { contracts } from 'fastify-classwaves/contract'
    import { createEmitter } from 'fastify-classwaves/worker'
    ${body}`,
  'host.cjs': `
    const Fastify = require('fastify')
    const classwaves = require('fastify-classwaves')
    const { contracts } = require('fastify-classwaves/contract')
    const { createEmitter } = require('fastify-classwaves/worker')
    async function main () { ${body} }
    main()`
}

for (const [file, text] of Object.entries(hosts)) {
  t.test(`${file} boots, serves, closes and ends without a word of complaint`, async t => {
    await writeFile(join(host, file), text)
    const { stdout, stderr } = await run(process.execPath, [file], { cwd: host, timeout: 60_000 })
    t.equal(stdout.trim(), said)
    t.equal(stderr, '')
  })
}

t.test('a strict TypeScript host compiles against the types', async t => {
  await link(host, '@types/node')
  await link(host, '@fastify/redis')
  await link(host, 'socket.io-client')
  await writeFile(join(host, 'host.ts'), `
    import fastifyRedis from '@fastify/redis'
    import Fastify from 'fastify'
    import classwaves, { optionsFromEnv, type ClasswavesOptions, type Session } from 'fastify-classwaves'
    import { createClient } from 'fastify-classwaves/client'
    import type { SessionsClientEvents, SessionsServerEvents } from 'fastify-classwaves/contract'
    import { createEmitter } from 'fastify-classwaves/worker'

    const app = Fastify()
    await app.register(fastifyRedis, { url: 'redis://127.0.0.1' })
    const options: ClasswavesOptions = { ...optionsFromEnv(process.env), sessions: { codeLength: 8 } }
    await app.register(classwaves, options)
    const session: Session = await app.sessions.create({ topic: 'Rivers' }, 'teacher-1')
    const { allowed } = await app.guidance.gates.attention({ sessionId: session.sessionId, groupId: 'g1', score: 70 })
    const sockets: number = app.io.engine.clientsCount
    const status: 'ok' | 'degraded' = app.classwaves.health().status
    await app.redis.ping()
    const emitter = createEmitter({ redis: app.redis })
    // @ts-expect-error the slice has no text
    await emitter.sessions.to({ sessionId: 's1', groupId: 'g1' }).emit('transcription:group:new', { sessionId: 's1', groupId: 'g1', id: 'i1' })
    // @ts-expect-error there is no such option
    await app.register(classwaves, { session: {} })
    export const heard: Parameters<SessionsServerEvents['session:status_changed']>[0]['status'] = 'paused'
    export const send: keyof SessionsClientEvents = 'audio:chunk'
    export { allowed, createClient, sockets, status }
  `)
  const settings = { strict: true, noEmit: true, skipLibCheck: false, target: ts.ScriptTarget.ES2023, types: ['node'] }
  const node = { ...settings, module: ts.ModuleKind.NodeNext, moduleResolution: ts.ModuleResolutionKind.NodeNext }
  t.same(complaints('host.ts', node), [])

  await writeFile(join(host, 'page.ts'), 'export { contracts, heat, type SessionsServerEvents } from \'fastify-classwaves/contract\'\n')
  const bundler = { ...settings, types: [], lib: ['lib.es2023.d.ts', 'lib.dom.d.ts'], module: ts.ModuleKind.ESNext, moduleResolution: ts.ModuleResolutionKind.Bundler }
  t.same(complaints('page.ts', bundler), [], 'and a page without Node against the contracts')
  const behind = ts.createProgram([join(host, 'page.ts')], bundler).getSourceFiles().map(({ fileName }) => /.*\/node_modules\/((@[^/]+\/)?[^/]+)/.exec(fileName)?.[1])
  t.ok(behind.includes('typebox'))
  t.same([...new Set(behind)].filter(name => name !== undefined && !['fastify-classwaves', 'typebox', 'typescript'].includes(name)), [], 'for which no server comes along')
})

/** What the compiler says of a file of the host and of our declarations; those of others are theirs. */
function complaints (name: string, options: ts.CompilerOptions): string[] {
  const program = ts.createProgram([join(host, name)], options)
  const files = program.getSourceFiles().filter(({ fileName }) => fileName.endsWith(name) || fileName.includes('/fastify-classwaves/dist/'))
  const found = files.flatMap(file => [...program.getSyntacticDiagnostics(file), ...program.getSemanticDiagnostics(file)])
  return [...program.getOptionsDiagnostics(), ...found].map(({ file, start = 0, messageText }) =>
    `${file?.fileName.replace(host, '')}:${(file?.getLineAndCharacterOfPosition(start).line ?? 0) + 1} ${ts.flattenDiagnosticMessageText(messageText, '\n')}`)
}
