import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import t from 'tap'
import { writeSdk } from '../../bin/bundle.ts'
import { build, secret, token } from '../app.ts'
import { compiled } from '../compiled.ts'
import { run } from '../examples/run.ts'
import { rawSocket } from '../raw.ts'
import { useRedis } from '../redis.ts'

const cli = await compiled(new URL('../../bin/cli.ts', import.meta.url))

t.test('bad input gets a sentence and exit code 2', async t => {
  const folder = await mkdtemp(join(tmpdir(), 'classwaves-cli-'))
  t.teardown(() => rm(folder, { recursive: true, force: true }))
  const wrong = join(folder, 'options.json')
  await writeFile(wrong, '{ "sesions": {} }')
  const table: [args: string[], message: RegExp, env?: Record<string, string>][] = [
    [['nonsense'], /^There is no command "nonsense"; there are dev, token and check\.\n$/],
    [['token', '--role', 'king'], /^--role must be one of student, teacher/],
    [['token', '--role', 'teacher', '--sub', 'a b'], /^--sub must name the user/],
    [['token', '--role', 'teacher', '--sub', 'a'], /^JWT_SECRET must hold/],
    [['token', '--role', 'teacher', '--sub', 'a', '--expires', '-1'], /expires/, { JWT_SECRET: 's' }],
    [['dev', '--port', '70000'], /^--port must be a whole number from 0 to 65535, not "70000"\.\n$/],
    [['dev', '--colour'], /^Unknown option '--colour'/],
    [['check', '--options', wrong], /^option sesions is not known; did you mean sessions\?\n$/],
    [['check', '--options', join(folder, 'none.json')], /cannot be read as JSON/],
    [['check'], /^option redis must be a redis:\/\//, { REDIS_URL: 'localhost:6379' }]
  ]
  for (const [args, message, env] of table) {
    const running = run(t, cli, args, env)
    t.equal(await running.ended, 2, args.join(' '))
    t.match(running.stderr(), message)
    t.equal(running.stdout(), '')
  }
})

t.test('token signs what the server takes', async t => {
  const { call } = await build(t)
  const running = run(t, cli, ['token', '--role', 'teacher', '--sub', 'ms-rivers', '--json'], { JWT_SECRET: secret })
  t.equal(await running.ended, 0)
  const { token } = JSON.parse(running.stdout()) as { token: string }
  t.equal((await call('POST', '/sessions', { topic: 'Rivers' }, token)).status, 201)
})

t.test('check says how things stand', async t => {
  const redis = await useRedis(t)
  const good = run(t, cli, ['check'], { JWT_SECRET: 'a secret of more than thirty-two characters', REDIS_URL: redis.url })
  t.equal(await good.ended, 0)
  t.match(good.stdout(), /ok {2}The options are valid\.\nok {2}Redis \d+\.\d+\.\d+ at .* answers\.\n/)
  const bad = run(t, cli, ['check', '--json'], { JWT_SECRET: 'short', REDIS_URL: 'redis://127.0.0.1:9' })
  t.equal(await bad.ended, 1)
  t.match(JSON.parse(bad.stdout()), { ok: false, findings: [{ ok: true }, { ok: false, message: /5 characters/ }, { ok: false, message: /does not answer/ }] })
})

t.test('dev opens a class that talks', async t => {
  await writeSdk()
  const running = run(t, cli, ['dev', '--port', '0', '--json'])
  const [line] = await running.says(/^\{.*\}$/m)
  const { teacher, api, token, sessionId } = JSON.parse(line) as Record<string, string>
  t.equal((await fetch(teacher as string)).status, 200)
  t.notMatch((teacher as string).split('#')[0], /token/)
  const answer = await fetch(`${api}/sessions/${sessionId}/guidance`, { headers: { authorization: `Bearer ${token}` } })
  const { attention } = await answer.json() as { attention: unknown[] }
  t.equal(attention.length, 4, 'all four groups have talked')
  running.child.kill('SIGTERM')
  t.equal(await running.ended, 0)
})

t.test('the second signal ends `dev` at once, whichever it is', async t => {
  await writeSdk()
  const running = run(t, cli, ['dev', '--port', '0', '--json'], { JWT_SECRET: secret })
  const [line] = await running.says(/^\{.*\}$/m)
  const { origin } = new URL((JSON.parse(line) as { api: string }).api)
  const sockets = await Promise.all(Array.from({ length: 100 }, async () => await rawSocket(t, origin, '/sessions', token())))
  running.child.kill('SIGINT')
  await Promise.race(sockets.map(async socket => await socket.next(/server:draining/)))
  running.child.kill('SIGTERM')
  t.equal(await running.ended, 1)
  t.ok(sockets.some(({ frames }) => !frames.some(frame => frame.includes('server:draining'))), 'without waiting for the others')
})
