import { execFile } from 'node:child_process'
import { once } from 'node:events'
import { createServer, type AddressInfo } from 'node:net'
import { promisify } from 'node:util'
import { io } from 'socket.io-client'
import t from 'tap'
import { Mistake, settings } from '../../examples/settings.ts'
import type { Session } from '../../lib/contract.ts'
import { run } from './run.ts'

const execute = promisify(execFile)
const server = 'examples/server.ts'

/** The request that a printed line makes. */
function parseCurl (line: string): { url: string, init: { method: string, headers: Record<string, string>, body?: string } } {
  const headers = [...line.matchAll(/-H '([^:]+): ([^']+)'/g)].map(match => [match[1], match[2]] as [string, string])
  const body = /-d '([^']+)'/.exec(line)?.[1]
  return { url: /http:\S+$/.exec(line)?.[0] ?? '', init: { method: /-X (\w+)/.exec(line)?.[1] ?? 'GET', headers: Object.fromEntries(headers), ...(body && { body }) } }
}

t.test('without a secret it makes one up, and invites', async t => {
  const running = run(t, server, [], { PORT: '0' })
  const [, create = '', start = ''] = await running.says(/^(curl .*\/sessions)\n\n.*\n\n(curl .*\/start)\n/m)
  const [, url = ''] = await running.says(/^REST +(http:\/\/127\.0\.0\.1:\d+)\/api\/v1$/m)
  await running.says(/JWT_SECRET is not set/)
  const [, teacher = ''] = await running.says(/^Teacher +(\S+)$/m)
  const [, student = ''] = await running.says(/^Student +(\S+)$/m)
  const health = await (await fetch(`${url}/health`)).json() as object
  t.match(health, { backend: 'memory' })

  const created = parseCurl(create)
  const answer = await fetch(created.url, created.init)
  t.equal(answer.status, 201)
  const session = await answer.json() as Session
  const begun = parseCurl(start.replace(/\$\(.*\)/, session.sessionId))
  t.match(await (await fetch(begun.url, begun.init)).json(), { sessionId: session.sessionId, status: 'active' })

  for (const [token, namespace] of [[teacher, '/guidance'], [student, '/sessions']] as const) {
    const socket = io(`${url}${namespace}`, { auth: { token }, transports: ['websocket'], forceNew: true, reconnection: false })
    t.teardown(() => socket.close())
    await new Promise((resolve, reject) => { socket.once('connect', () => resolve(undefined)).once('connect_error', reject) })
    const answer: unknown = await socket.emitWithAck('session:guidance:subscribe', { sessionId: session.sessionId })
    t.match(answer, { ok: true, backend: 'memory' }, `${namespace} lets its token in`)
  }

  const curl = await execute('curl', ['--version']).then(() => true, () => false)
  await t.test('the lines in a shell', { skip: curl ? false : 'there is no curl here' }, async t => {
    const answers = await Promise.all([create, start].map(async line => {
      const { stdout } = await execute('sh', ['-c', line])
      return JSON.parse(stdout) as Session
    }))
    t.match(answers, [{ topic: 'Why do rivers bend?', status: 'created' }, { topic: 'Why do rivers bend?', status: 'active' }])
  })

  running.child.kill('SIGTERM')
  t.equal(await running.ended, 0)
})

t.test('with a secret it gives no tokens', async t => {
  const running = run(t, server, [], { PORT: '0', JWT_SECRET: 'a secret that the school chose itself' })
  await running.says(/Tokens must be signed with JWT_SECRET\./)
  t.notMatch(running.stdout(), /eyJ|curl|Teacher/)
  t.notMatch(running.stdout(), 'a secret that the school chose itself')
  running.child.kill('SIGINT')
  t.equal(await running.ended, 0)
})

t.test('the environment', async t => {
  t.same(settings({}), { port: 3000, host: '127.0.0.1' })
  t.same(settings({ PORT: '0', HOST: '::1', JWT_SECRET: 's', REDIS_URL: 'rediss://h:1/2' }), { port: 0, host: '::1', secret: 's', redis: 'rediss://h:1/2' })
  const mistakes: [env: Record<string, string>, message: RegExp][] = [
    [{ PORT: '' }, /^PORT must be a number from 0 to 65535, not ""\.$/],
    [{ PORT: '65536' }, /^PORT must be a number from 0 to 65535, not "65536"\.$/],
    [{ HOST: ' ' }, /^HOST is set but empty/],
    [{ JWT_SECRET: '' }, /^JWT_SECRET is set but empty/],
    [{ REDIS_URL: 'localhost:6379' }, /^REDIS_URL must be a redis:\/\/ or rediss:\/\/ URL/]
  ]
  for (const [env, message] of mistakes) t.throws(() => settings(env), { constructor: Mistake, message }, JSON.stringify(env))

  const running = run(t, server, [], { PORT: '3000x' })
  t.equal(await running.ended, 2)
  t.equal(running.stderr(), 'PORT must be a number from 0 to 65535, not "3000x".\n')
  t.equal(running.stdout(), '')
})

t.test('a port that is taken', async t => {
  const other = createServer().listen(0, '127.0.0.1')
  t.teardown(() => other.close())
  await once(other, 'listening')
  const running = run(t, server, [], { PORT: String((other.address() as AddressInfo).port) })
  t.equal(await running.ended, 1)
  t.match(running.stderr(), /^listen EADDRINUSE[^\n]*\n$/)
})
