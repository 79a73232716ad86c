import { randomBytes } from 'node:crypto'
import t, { type Test } from 'tap'
import { declaredKeys } from '../docs/generate.ts'
import { openaiAnalyzer, type Session } from '../index.ts'
import type { Holds } from '../lib/core/key.ts'
import { build, inSeconds, token, type Body, type Remote, type Reply } from './app.ts'
import { Canaries, needles } from './canary.ts'
import type { Client, LooseAnswer } from './client.ts'
import { fork } from './fork.ts'
import { completion, endpoint, json } from './lib/guidance/remote/endpoint.ts'
import { census, declarations, monitor, type Command, type Declared } from './monitor.ts'
import { startRedis } from './redis.ts'
import { redFallsSilent } from './talk.ts'

/**
 * A class from its first to its last hour, on two processes around one Redis, in which every token, name, message and
 * word of talk can be told from all others: where they are found afterwards, and where not.
 */

const canaries = new Canaries()
const name = (what: string): string => canaries.text('name', what)
const word = (what: string): string => canaries.text('word', what)
/** A token that is looked for; with an e-mail in it, which is the host's business and nobody else's. */
const shown = (claims: object, key?: string): string => canaries.token(token({ name: name('Ms Teacher'), email: name('ana@school.example'), ...claims }, key))

t.test('the scan finds what it must', async t => {
  const text = `Zoë "x" & <y>${randomBytes(4).toString('hex')}`
  const own = new Canaries()
  const canary = own.text('word', text)
  const writings = [canary, encodeURIComponent(canary), JSON.stringify({ a: canary }), JSON.stringify(JSON.stringify({ a: canary })), ...['', 'x', 'xy', 'xyz'].flatMap(before => ['base64', 'base64url'].map(as => Buffer.from(`${before}${canary}and more`).toString(as as BufferEncoding)))]
  for (const one of writings) t.same(own.in(`before ${one} after`), [canary], one)
  t.same(own.in(`before ${canary.slice(1)} after`), [])
  t.same(own.in(canary, ['secret']), [])
  t.ok(needles(canary).every(needle => needle.length > 12), 'nothing is so short that chance finds it')
})

/** All that was said on one side of the wall and may be looked at from the other. */
interface Heard { errors: unknown[], metrics: string[], logs: { here: () => string, there: () => string } }

async function journey (t: Test, a: Remote, b: Remote, heard: Heard): Promise<string> {
  const kept = <T>(reply: Reply<T>): Reply<T> => {
    if (reply.status >= 400) heard.errors.push(reply.body)
    return reply
  }
  const refused = async (socket: Client, event: string, ...args: unknown[]): Promise<LooseAnswer> => {
    const answer = await socket.raw(event, ...args)
    heard.errors.push(answer.error)
    t.equal(answer.ok, false, `${event} is refused`)
    return answer
  }
  const ask = async (server: Remote, ...request: Parameters<Remote['call']>): Promise<Body> => {
    let reply = kept(await server.call(...request))
    // Where the store was late it is asked again, as a client would.
    for (let tries = 1; reply.status === 503 && tries < 5; tries++) reply = kept(await server.call(...request))
    const { status, body } = reply
    if (status >= 300) t.fail(`${request[1]}: ${status} ${JSON.stringify(body)}`)
    return body
  }

  // A session, its life and its pupils.
  const mine = shown({ sub: 'teacher-1' })
  const plan = { topic: word('a topic'), goal: word('a goal'), subject: word('a subject'), groups: [{ groupId: 'red', name: name('Red') }, { groupId: 'blue', name: name('Blue') }] }
  const { sessionId, code } = await ask(a, 'POST', '/sessions', plan, mine, { 'idempotency-key': 'create' }) as unknown as Session
  const move = async (server: Remote, to: string): Promise<Body> => await ask(server, 'POST', `/sessions/${sessionId}/${to}`, { reason: word('a reason'), teacherNotes: word('a note') }, mine, { 'idempotency-key': to })
  for (const [server, to] of [[a, 'start'], [b, 'pause'], [a, 'resume']] as const) await move(server, to)
  const join = async (groupId: string): Promise<{ token: string, userId: string }> => {
    const request = ['POST', '/sessions/join', { code, displayName: name('Ada'), groupId }, undefined, { 'idempotency-key': `join-${groupId}` }] as const
    const [{ token, participant }] = [await ask(b, ...request), await ask(a, ...request)] as [Body, Body]
    return { token: canaries.token(String(token)), userId: (participant as { userId: string }).userId }
  }
  const [red, blue] = [await join('red'), await join('blue')]

  // Both namespaces of the session, audio, talk.
  const pupil: Client = await b.connect('/sessions', red.token)
  const teacher: Client = await a.connect('/sessions', mine)
  const guidance: Client = await b.connect('/guidance', mine)
  const place = { sessionId, groupId: 'red' }
  const done = async (socket: Client, event: string, payload: unknown): Promise<LooseAnswer> => {
    const answer = await socket.raw(event, payload)
    if (!answer.ok) t.fail(`${event}: ${JSON.stringify(answer)}`)
    return answer
  }
  await done(pupil, 'student:session:join', { sessionId })
  await done(teacher, 'session:join', { sessionId })
  await done(guidance, 'session:guidance:subscribe', { sessionId })
  await done(guidance, 'guidance:subscribe', {})
  await done(guidance, 'analytics:subscribe', { sessionId, metrics: ['attention', 'tier2-shift'] })
  await done(pupil, 'group:status_update', { ...place, status: 'issue', issueReason: word('an issue') })
  const worker = shown({ role: 'worker', sub: 'worker-1' })
  const speaker = name('Bo')
  const slices = redFallsSilent().map((slice, i) => ({ ...slice, speaker, text: i % 7 === 0 ? `${slice.text} ${word('talk')}` : slice.text }))
  for (const [server, from] of [[a, 0], [b, 35]] as const) await ask(server, 'POST', `/sessions/${sessionId}/transcripts`, { slices: slices.slice(from, from + 35) }, worker)
  const told = { ...place, id: 'told', text: word('told by a worker'), timestamp: new Date().toISOString() }
  await ask(a, 'POST', `/sessions/${sessionId}/emit`, { namespace: '/sessions', event: 'transcription:group:new', payload: told }, worker)
  const { promptId } = await guidance.next('teacher:alert' as never) as { promptId: string }
  await done(guidance, 'prompt:interact', { promptId, action: 'use', feedback: word('feedback'), sessionId })
  await done(guidance, 'guidance:get_current_state', { sessionId })
  await done(pupil, 'audio:stream:start', place)
  await done(pupil, 'audio:chunk', { ...place, data: Buffer.from(word('spoken')), mimeType: 'audio/webm' })
  await done(pupil, 'audio:stream:end', place)
  for (const path of ['', '/guidance', '/transcripts', '/events', '/groups/status']) await ask(b, 'GET', `/sessions/${sessionId}${path}`, undefined, mine)

  // The classroom.
  const [hers, his, theirs] = [await a.connect('/', mine), await b.connect('/', red.token), await a.connect('/', blue.token)] as [Client, Client, Client]
  for (const one of [hers, his, theirs]) await done(one, 'joinSession', code)
  const inClass = (fields: object): object => ({ sessionCode: code, ...fields })
  const { messageId, seq } = await done(his, 'sendMessage', inClass({ message: word('a message'), attachment: { name: name('a file'), mimeType: 'text/plain', data: Buffer.from(word('a file')) } }))
  await done(hers, 'sendMessage', inClass({ message: `${word('an answer')} to ${name('ana@school.example')}` }))
  await done(his, 'editMessage', inClass({ messageId, message: word('a better message') }))
  await done(theirs, 'react', inClass({ messageId, sign: '👍' }))
  await done(theirs, 'markRead', inClass({ seq }))
  await done(theirs, 'setTyping', inClass({ typing: true }))
  await done(his, 'sendDirectMessage', inClass({ to: 'teacher-1', message: word('a secret') }))
  await done(his, 'updatePresence', inClass({ status: 'idle' }))
  await done(hers, 'setChatMode', inClass({ mode: 'moderated' }))
  const held = await done(his, 'sendMessage', inClass({ message: word('a held message') }))
  await done(hers, 'moderateMessage', inClass({ messageId: held.messageId, action: 'approve' }))
  for (const event of ['getHistory', 'getDirectHistory', 'getHeldMessages']) await done(hers, event, inClass({}))
  await done(his, 'getAttachment', inClass({ messageId }))

  // What is refused.
  const bad = [shown({ exp: inSeconds(-5) }), shown({}, 'another secret of the tests'), shown({ role: 'none' }), shown({ type: 'refresh' }), `${mine}x`]
  for (const server of [a, b]) {
    for (const one of bad) {
      kept(await server.call('GET', '/sessions', undefined, one))
      for (const namespace of ['/', '/sessions', '/guidance']) heard.errors.push(await server.refusal(namespace, one))
    }
    heard.errors.push(await server.refusal('/guidance', red.token))
    const foreign = shown({ sub: 'teacher-2' })
    kept(await server.call('POST', `/sessions/${sessionId}/end`, { teacherNotes: word('a foreign note') }, foreign))
    kept(await server.call('POST', `/sessions/${sessionId}/start`, { teacherNotes: word('a late note') }, mine))
    kept(await server.call('POST', '/sessions', { topic: { text: word('no topic') } }, mine))
    kept(await server.call('POST', '/sessions', `{"topic":"${word('no JSON').replaceAll('"', '')}`, mine))
    kept(await server.call('POST', '/sessions', { ...plan, topic: word('another topic') }, mine, { 'idempotency-key': 'create' }))
    kept(await server.call('POST', '/sessions/join', { code: 'ZZZZZZ', displayName: name('Nobody') }))
    kept(await server.call('POST', '/sessions/join', { code, displayName: [name('Nobody')] }))
    kept(await server.call('POST', `/sessions/${sessionId}/transcripts`, { slices: [{ groupId: 'none', text: word('of no group') }, { groupId: 'red', text: 7, speaker: name('Bo') }] }, worker))
    kept(await server.call('POST', `/sessions/${sessionId}/emit`, { namespace: '/sessions', event: 'transcription:group:new', payload: { ...told, text: [word('wrong')] } }, worker))
    const [stranger, lost] = [await server.connect('/sessions', foreign), await server.connect('/', foreign)] as [Client, Client]
    await refused(stranger, 'session:join', { sessionId })
    await refused(stranger, 'group:status_update', { ...place, status: 'issue', issueReason: [word('no reason')] })
    await refused(stranger, 'audio:chunk', { ...place, data: word('no bytes'), mimeType: 'audio/webm' })
    await refused(stranger, 'no:such', { text: word('to nobody') })
    await refused(lost, 'sendMessage', inClass({ message: word('from outside') }))
    await refused(lost, 'sendMessage', { sessionCode: code, message: { text: word('no text') } })
    await refused(stranger, 'auth:refresh', { token: bad[1] })
    await refused(stranger, 'auth:refresh', { token: mine })
    await done(stranger, 'auth:refresh', { token: shown({ sub: 'teacher-2', exp: inSeconds(7200) }) })
    for (const one of [stranger, lost]) heard.errors.push(...one.received('error'), ...one.received('audio:error' as never))
  }
  await done(pupil, 'auth:refresh', { token: shown({ sub: red.userId, role: 'student', sessionId }) })
  await move(b, 'end')
  await teacher.next('analytics:finalized' as never)
  const admin = shown({ role: 'admin', sub: 'admin-1' })
  for (const server of [a, b]) for (const path of ['//metrics', '//health', '//ready']) heard.metrics.push(JSON.stringify(await ask(server, 'GET', path, undefined, admin)))
  return sessionId
}

/** Commands whose first word is no key. */
const keyless = new Set(['auth', 'client', 'hello', 'info', 'monitor', 'ping', 'psubscribe', 'publish', 'pubsub', 'scan', 'script', 'subscribe'])

/** Secrets that went through Redis, and which keys held what of people, by their patterns or else their names. */
function carried (commands: readonly Command[], declared: Declared): { secrets: string[], held: Record<string, Holds> } {
  const secrets = new Set<string>()
  const held: Record<string, Holds> = {}
  for (const { name, words, isOfScript } of commands) {
    const bytes = Buffer.concat(words)
    for (const one of canaries.in(bytes, ['secret'])) secrets.add(`${name} ${String(words[1])}: ${one}`)
    // A script gets all of its arguments at once, and what it does with them are commands of their own; channels carry events to whom they are for.
    if (name === 'publish' || (name.startsWith('eval') && !isOfScript)) continue
    const key = declared(String(words[1]))?.pattern ?? String(words[1])
    if (canaries.in(bytes, ['word']).length > 0) held[key] = 'words'
    else if (canaries.in(bytes, ['name']).length > 0) held[key] ??= 'names'
  }
  return { secrets: [...secrets], held }
}

t.test('a class on two processes', async t => {
  const password = canaries.secret(randomBytes(12).toString('hex'))
  const apiKey = canaries.secret(`sk-${randomBytes(12).toString('hex')}`)
  const redis = await startRedis(t, { args: ['--requirepass', password], unheard: true })
  const options = { redis: redis.url.replace('//', `//:${password}@`) }
  const model = await endpoint(t, (response, { text }) => json(response, completion(`I was told ${text}`)))
  const lines: string[] = []
  const analyzer = openaiAnalyzer({ baseUrl: model.baseUrl, model: 'small', apiKey })
  const [b, a] = await Promise.all([
    fork(t, options, { hear: line => { lines.push(line) } }),
    build(t, { ...options, guidance: { analyzer } })
  ])
  const commands = await monitor(t, redis.port, password)
  const client = redis.client({ password })
  const declared = await declarations()
  const heard: Heard = { errors: [], metrics: [], logs: { here: () => a.log(), there: () => lines.join('\n') } }

  const sessionId = await journey(t, a, b, heard)
  t.ok((await a.app.io.fetchSockets()).length > 0, 'handshakes of all sockets are asked for, the way Socket.IO does it')
  t.ok(model.asked.length > 0, 'windows went to the model')
  const { keys, faults } = await census(client, declared)
  t.ok(keys.length > 20, `${keys.length} keys are there`)
  t.same(faults, [], 'each is declared and has its end')

  t.test('Redis', async t => {
    await client.set('control', 'x')
    await client.publish('control', `a ${[...needles(password)][0]}`)
    t.same((await census(client, declared)).faults, ['control is not declared'], 'control: a key of nobody is seen')
    while (!commands.some(({ name, words }) => name === 'publish' && String(words[1]) === 'control')) await new Promise(resolve => setTimeout(resolve, 20))
    const { secrets, held } = carried(commands, declared)
    t.same(secrets, [`publish control: ${password}`], 'no secret but the one that was put there')
    t.same(held, Object.fromEntries((await declaredKeys()).flatMap(({ pattern, holds }) => holds ? [[pattern, holds]] : [])), 'what people are called and say is where it is declared to be')
    const ofKeys = commands.filter(({ name, words, isOfScript }) => words.length > 1 && !keyless.has(name) && (isOfScript || !name.startsWith('eval')))
    const touched = new Set(ofKeys.map(({ words }) => String(words[1])))
    t.same([...touched].filter(key => !declared(key)), ['control'], `each of ${touched.size} keys that came and went is declared`)
    const channels = new Set(commands.filter(({ name, words }) => name === 'publish' && canaries.in(Buffer.concat(words), ['word']).length > 0).map(({ words }) => String(words[1])))
    t.same([...channels].filter(channel => !/^(socket\.io#|classwaves:)/.test(channel)), [], 'and words go out in our channels')
    t.ok(channels.size > 0)
  })

  t.test('errors and metrics', async t => {
    t.ok(heard.errors.length > 40, `${heard.errors.length} errors`)
    for (const error of heard.errors) t.same(canaries.in(JSON.stringify(error)), [], JSON.stringify(error).slice(0, 100))
    t.ok(heard.metrics.join('').length > 10_000)
    t.same(canaries.in(heard.metrics.join('')), [])
    t.same(canaries.in(JSON.stringify([heard.errors, word('control')])).length, 1, 'control: it would be found among them')
  })

  t.test('logs, while all ends', async t => {
    await redis.kill()
    for (const server of [a, b]) t.equal((await server.call('GET', `/sessions/${sessionId}`, undefined, shown({ sub: 'teacher-1' }))).status, 503)
    t.equal((await b.close()).code, 0)
    await a.app.close()
    for (const [where, log] of Object.entries(heard.logs)) {
      t.ok(log().length > 10_000, `${where}: ${log().length} characters`)
      t.same(canaries.in(log()), [], where)
    }
  })
})
