import { join } from 'node:path'
import t, { type Test } from 'tap'
import { readArguments } from '../../examples/replay/arguments.ts'
import type { ClassRecord } from '../../examples/replay/feed.ts'
import { main } from '../../examples/replay/main.ts'
import { startOwnServer, type OwnServer } from '../../examples/replay/own-server.ts'
import { createRest } from '../../examples/replay/rest.ts'
import type { Session } from '../../lib/contract.ts'
import { run } from './run.ts'

const garden = 'examples/class/garden.json'

async function ownServer (t: Test): Promise<OwnServer> {
  const server = await startOwnServer()
  t.teardown(() => server.close())
  return server
}

async function replay (words: readonly string[]): Promise<{ code: number, out: string, err: string }> {
  let out = ''
  let err = ''
  const code = await main(words, { stdout: { write: text => { out += text } }, stderr: { write: text => { err += text } } })
  return { code, out, err }
}

t.test('the class of the package ends with a table that a person can follow', async t => {
  const running = run(t, 'examples/replay.ts', [garden])
  t.equal(await running.ended, 0)
  const out = running.stdout()
  t.match(out, /^Rain for the school garden: how many barrels do we need\?\n4 groups, 231 slices, 05:56 of class in [\d.]+ s\n/)
  t.notMatch(out, /NaN|undefined|null|Infinity/)
  const story = (group: string): string => out.split(`\n\n${group}\n`)[1]?.split('\n\n')[0] ?? ''
  t.match(out, /^maple +60 {2}[▁▂▃▄▅·]+ +\d+ +\d+ +0 +0$/m, 'the teacher is not called to the healthy group')
  t.notMatch(story('maple'), /Focus Now|Alert|Prompt/)
  t.match(story('birch'), /^ {2}0[234]:\d\d Focus Now \(\d+\): off-task/m)
  t.match(story('cedar'), /^ {2}0[123]:\d\d Focus Now \(\d+\): signs of confusion/m)
  t.match(story('willow'), /^ {2}0[234]:\d\d Focus Now \(\d+\): the talk dries up/m)
  for (const group of ['birch', 'cedar', 'willow']) {
    t.match(story(group), /^ {2}0\d:\d\d (Alert|Prompt), \w+: .+\n {8}Ask .+\n {8}Heard: "/m, `${group} brings a prompt, with what to say and what was heard`)
  }
  t.match(running.stderr(), /^Class 1 of 1: Rain for the school garden/)
  t.match(running.stderr(), /^ {2}0\d:\d\d birch: Focus Now/m, 'progress shows it as it comes')
})

t.test('on a running server, as JSON, at a speed', async t => {
  const server = await ownServer(t)
  const dir = t.testdir({ 'short.csv': 'start,end,speaker,group,text\n1,2,Ada,a,hello\n2,3,Bo,b,the roof\n8,9,Ada,a,is forty metres\n' })
  const begun = Date.now()
  const { code, out } = await replay([join(dir, 'short.csv'), '--url', server.url, '--token', server.teacher, '--speed', '6', '--json'])
  t.equal(code, 0)
  t.ok(Date.now() - begun > 1500, 'nine seconds of class take one and a half')
  const { classes: [record] } = JSON.parse(out) as { classes: ClassRecord[] }
  t.match(record, { topic: 'short', slices: 3, accepted: 3, duplicates: 0, durationSeconds: 9 })
  t.match(record?.groups, [{ name: 'a', slices: 2 }, { name: 'b', slices: 1 }])
  const teacher = createRest(server.url, server.teacher)
  const session = await teacher.get<Session>(`/sessions/${record?.sessionId ?? ''}`)
  t.match(session, { status: 'ended', topic: 'short' })
  t.same(session.groups.map(group => group.memberIds), [['Ada'], ['Bo']])
})

t.test('a class gives the same guidance at any speed', async t => {
  const heard = await Promise.all([[], ['--speed', '150']].map(async words => {
    const { code, out } = await replay([garden, '--json', ...words])
    t.equal(code, 0)
    const { classes: [record] } = JSON.parse(out) as { classes: ClassRecord[] }
    return record?.groups.map(({ scores, moments }) => ({ scores, moments: moments.map(({ at, kind, text }) => [Math.round(at), kind, text]) }))
  }))
  t.ok((heard[0]?.[1]?.scores.length ?? 0) > 10)
  t.same(heard[0], heard[1])
})

t.test('into a session that is there already', async t => {
  const server = await ownServer(t)
  const teacher = createRest(server.url, server.teacher)
  const { sessionId, groups } = await teacher.post<Session>('/sessions', { topic: 'x', groups: [{ name: 'b' }, { name: 'a' }] })
  const file = join(t.testdir({ 'short.csv': 'start,group,text\n1,a,hello\n', 'three.csv': 'start,group,text\n1,a,hm\n1,b,hm\n1,c,hm\n' }), 'short.csv')
  const words = [file, '--url', server.url, '--token', server.teacher, '--session', sessionId]
  t.match(await replay(words), { code: 0 })
  t.match(await teacher.get(`/sessions/${sessionId}`), { status: 'active' }, 'it was started and not ended')
  const { slices } = await teacher.get<{ slices: { text: string, groupId: string }[] }>(`/sessions/${sessionId}/transcripts`)
  t.match(slices, [{ text: 'hello', groupId: groups.find(group => group.name === 'a')?.groupId }])

  const three = words.with(0, file.replace('short', 'three'))
  t.match(await replay(three), { code: 1, err: `Session ${sessionId} has 2 groups, the file has 3: use --limit, or add groups.\n` })
  await teacher.post(`/sessions/${sessionId}/end`)
  t.match(await replay(words), { code: 1, err: `Session ${sessionId} has ended.\n` })
})

t.test('words', async t => {
  t.match(readArguments(['x.vtt', '--speed', '0.5', '--url', 'http://h', '--token', 'T', '--session', 'S', '--limit', '3', '--json']), {
    file: 'x.vtt', speed: 0.5, server: { url: 'http://h', token: 'T' }, session: 'S', limit: 3, json: true
  })
  const wrong: [args: string[], sentence: RegExp][] = [
    [[], /^Which file shall be replayed\?$/],
    [[garden, garden], /^One file at a time: /],
    [[garden, '--fast'], /^Unknown option '--fast'\.$/],
    [[garden, '--speed'], /^Option '--speed <value>' argument missing\.$/],
    [[garden, '--speed', '0'], /^--speed must be a number above 0, not "0"\.$/],
    [[garden, '--speed', 'fast'], /^--speed must be a number above 0, not "fast"\.$/],
    [[garden, '--limit', '1.5'], /^--limit must be a whole number above 0, not "1\.5"\.$/],
    [[garden, '--url', 'localhost'], /^--url must be an http address, not localhost\.$/],
    [[garden, '--url', 'http://localhost'], /^--url needs --token/],
    [[garden, '--token', 'x'], /^--token and --session need --url/]
  ]
  for (const [args, message] of wrong) t.throws(() => readArguments(args), { name: 'Complaint', exitCode: 2, message }, args.join(' '))
  const { code, out, err } = await replay([garden, '--fast'])
  t.equal(code, 2)
  t.equal(out, '')
  t.match(err, /^Unknown option '--fast'\.\n\nnpm run replay -- FILE /)
})

t.test('what stands in the way is said in a sentence', async t => {
  const server = await ownServer(t)
  const gone = await startOwnServer()
  await gone.close()
  const dir = t.testdir({
    'bad.jsonl': '{"id":"a","topic":"x","utterances":[[0,1,"A",0,"hm"]]}\n{"id":"b"}\n',
    'two.jsonl': '{"id":"a","topic":"x","utterances":[[0,1,"A",0,"hm"]]}\n{"id":"b","topic":"y","utterances":[[0,1,"A",0,"hm"]]}\n'
  })
  const to = (url: string, token: string): string[] => ['--url', url, '--token', token]
  const cases: [args: string[], code: number, sentence: RegExp][] = [
    [[join(dir, 'none.csv')], 1, /none\.csv cannot be read: there is no such file\.\n$/],
    [[join(dir, 'bad.jsonl')], 1, /^bad\.jsonl, line 2 has no `utterances`: it is not a recording of talk\.\n$/],
    [[join(dir, 'two.jsonl'), ...to(server.url, server.teacher), '--session', 'x'], 2, /two\.jsonl holds 2 classes, and --session is one: use --limit\.\n/],
    [[garden, ...to(gone.url, gone.teacher)], 1, /No server answers at http:\/\/127\.0\.0\.1:\d+ .*; `npm start` starts one\.\n$/],
    [[garden, ...to(server.url, 'x')], 1, /AUTH_FAILED/],
    [[garden, ...to(server.url, server.worker)], 1, /FORBIDDEN/],
    [[garden, ...to(server.url, server.teacher), '--session', 'nobody'], 1, /^GET \/sessions\/nobody was refused: 404 SESSION_NOT_FOUND: /m]
  ]
  for (const [args, code, sentence] of cases) {
    const answer = await replay(args)
    t.equal(answer.code, code, String(sentence))
    t.match(answer.err, sentence)
    t.equal(answer.out, '')
  }
})

t.test('an interrupt ends it at once, and its session', async t => {
  const server = await ownServer(t)
  const running = run(t, 'examples/replay.ts', [garden, '--url', server.url, '--token', server.teacher, '--speed', '1'])
  await running.says(/Class 1 of 1/)
  running.child.kill('SIGINT')
  t.equal(await running.ended, 1)
  t.match(running.stderr(), /\nInterrupted\.\n$/)
  t.match(await createRest(server.url, server.teacher).get('/sessions'), { sessions: [{ status: 'ended' }] })
})
