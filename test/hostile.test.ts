import t, { type Test } from 'tap'
import { build, token, type App } from './app.ts'
import type { Client } from './client.ts'
import { raw, rawSocket, type Raw } from './raw.ts'

/**
 * What a client may send that nobody should. After each: the sender was told, or lost that one connection; the session
 * is as it was; another client of the same process is served and heard nothing; the process knows of no fault.
 */

const faults: unknown[] = []
process.on('uncaughtException', error => faults.push(error))
process.on('unhandledRejection', error => faults.push(error))

const deep = (levels: number): string => '['.repeat(levels) + ']'.repeat(levels)
const mebibyte = 1024 * 1024

interface Scene { app: App, sessionId: string, teacher: string, bystander: Client, hostile: Client, wire: Raw, before: unknown }

/** A class with a bystander in it, and an attacker on a stock client and on a bare wire. */
async function scene (t: Test, options: object = {}): Promise<Scene> {
  const app = await build(t, { ...options, sessions: { transcriber: () => {} } })
  const teacher = token({ sub: 'teacher-1' })
  const { sessionId } = await app.session(teacher, { groups: [{ groupId: 'red', name: 'Red', memberIds: ['student-1', 'student-2'] }] })
  const bystander = await app.connect('/sessions', token({ sub: 'student-2', role: 'student' }))
  const hostile = await app.connect('/sessions', token({ sub: 'student-1', role: 'student' }))
  const wire = await rawSocket(t, app.url, '/sessions', token({ sub: 'student-1', role: 'student' }))
  for (const socket of [bystander, hostile]) await socket.raw('session:join', { sessionId })
  wire.send(`2/sessions,999["session:join",{"sessionId":"${sessionId}"}]`)
  await wire.next(/^3\/sessions,999\[\{"ok":true/)
  await bystander.flush()
  bystander.records.length = 0
  const { body: before } = await app.call('GET', `/sessions/${sessionId}`, undefined, teacher)
  return { app, sessionId, teacher, bystander, hostile, wire, before }
}

async function unharmed (t: Test, { app, before, bystander, sessionId, teacher }: Scene): Promise<void> {
  t.equal(await bystander.code('audio:stream:ack', { sessionId, groupId: 'red' }), 'ok', 'another client is served')
  t.same(bystander.names().filter(name => name !== 'presence:updated'), [], 'and heard nothing')
  t.same((await app.call('GET', `/sessions/${sessionId}`, undefined, teacher)).body, before, 'the session is as it was')
  t.same(app.logs, [], 'nothing went wrong on our side')
  t.same(faults, [], 'and nothing escaped')
}

t.test('nested too deep', async t => {
  const all = await scene(t)
  const { wire } = all
  const answers: [string, string, string | RegExp][] = [
    ['2/sessions,1', '["group:leave",%]', /^3\/sessions,1\[\{"ok":false,"error":\{"code":"INVALID_PAYLOAD"/],
    ['2/sessions,', '["group:leave",%]', /^2\/sessions,\["error",\{"code":"INVALID_PAYLOAD".*"event":"group:leave"/],
    ['2/sessions,2', '["no:such",%]', /^3\/sessions,2\[\{"ok":false,"error":\{"code":"INVALID_PAYLOAD"/],
    ['2/sessions,3', '["group:leave",{"sessionId":%}]', /^3\/sessions,3\[\{"ok":false,"error":\{"code":"INVALID_PAYLOAD"/],
    ['2/sessions,', '["audio:chunk",%]', /^2\/sessions,\["audio:error",\{.*"code":"INVALID_PAYLOAD"/]
  ]
  for (const [head, frame, answer] of answers) {
    wire.send(head + frame.replace('%', deep(5000)))
    t.ok(await wire.next(answer as RegExp), head + frame)
  }
  wire.send(`2/sessions,4["group:leave",${deep(32)}]`, `2/sessions,5["group:leave",${deep(33)}]`)
  t.match(await wire.next(/^3\/sessions,4/), /the payload|must be object/i, 'thirty-two levels are looked at')
  t.match(await wire.next(/^3\/sessions,5/), /nested deeper than 32/, 'thirty-three are not')
  wire.send(`2/sessions,6["group:status_update",{"sessionId":"${all.sessionId}","groupId":"red","status":"${'['.repeat(100)}"}]`)
  t.match(await wire.next(/^3\/sessions,6/), /status/, 'brackets in a text are text')
  await unharmed(t, all)
})

t.test('nested too deep, where no answer can go', async t => {
  const all = await scene(t)
  const frames = {
    'a connect': `0/guidance,{"token":${deep(5000)}}`,
    'an acknowledgement': `3/sessions,1[${deep(5000)}]`,
    'a binary event': `51-/sessions,1["audio:chunk",{"_placeholder":true,"num":0},${deep(5000)}]`,
    'an error of a connect': `4/sessions,{"message":${deep(5000)}}`,
    'no name': `2/sessions,1[${deep(5000)}]`
  }
  for (const [name, frame] of Object.entries(frames)) {
    const wire = await rawSocket(t, all.app.url, '/sessions', token())
    wire.send(frame)
    t.ok(await wire.closed(), `${name} closes its connection`)
  }
  await unharmed(t, all)
})

t.test('reserved names', async t => {
  const all = await scene(t)
  for (const name of ['connect', 'connect_error', 'disconnect', 'disconnecting', 'newListener', 'removeListener']) {
    for (const payload of ['{}', deep(5000), `"${'x'.repeat(mebibyte)}"`]) {
      const wire = await rawSocket(t, all.app.url, '/sessions', token())
      wire.send(`2/sessions,1["${name}",${payload}]`)
      t.ok(await wire.closed(), `${name} is no event`)
    }
  }
  for (const name of ['error', '__proto__', 'constructor', 'toString', 'hasOwnProperty', 'message', 'connection', '', ' ', 'x'.repeat(10_000), 'session:join\0']) {
    t.equal(await all.hostile.code(name, {}), 'UNSUPPORTED_OPERATION', `${name.slice(0, 20)} is an undeclared one`)
  }
  const { wire } = all
  wire.send('2/sessions,1[7,{}]', '2/sessions,[-1e9,{}]', ...Array.from({ length: 150 }, () => '2/sessions,[7,{}]'))
  t.match(await wire.next(/^3\/sessions,1/), /UNSUPPORTED_OPERATION/, 'a number is a name that nobody has')
  t.match(await wire.next(/RATE_LIMITED/), /"event":"7"/, 'however often it is said')
  await unharmed(t, all)
})

t.test('not a packet', async t => {
  const all = await scene(t)
  const frames = [
    '', '9', 'x', '2', '2/sessions', '2/sessions,', '2/sessions,1', '2/sessions,1{}', '2/sessions,1[]', '2/sessions,1["x"', '2/sessions,1[null]', '2/sessions,1[{}]',
    '2/sessions,1[["session:join"]]', '2/nowhere,1["x"]', '0', '0/sessions,null', '0/sessions,[]', '0/sessions,7', '5', '5-["x"]', '50-["x"]', '5x-["x"]', '599-["x"]', '51-["x"]',
    '51-/sessions,["x",{"_placeholder":true,"num":5}]', '6', '4/sessions,{}', '2/sessions,1["x",{"a":1}', '\0\0\0', '{"type":2}'
  ]
  for (const frame of frames) {
    const wire = await rawSocket(t, all.app.url, '/sessions', token())
    wire.send(frame, new Uint8Array([1, 2, 3]))
    t.ok(await wire.closed(), `${JSON.stringify(frame)} closes its connection`)
  }
  await unharmed(t, all)
})

t.test('frames of the transport', async t => {
  const all = await scene(t)
  const polling = `${all.app.url}/socket.io/?EIO=4&transport=polling`
  const requests: [string, RequestInit][] = [
    [`${polling}&sid=nobody`, {}],
    [`${all.app.url}/socket.io/?EIO=3&transport=polling`, {}],
    [`${all.app.url}/socket.io/?EIO=4&transport=pigeon`, {}],
    [`${all.app.url}/socket.io/`, {}],
    [`${polling}&sid=${'x'.repeat(5000)}`, {}],
    [polling, { method: 'POST', body: '40' }],
    [polling, { method: 'DELETE' }]
  ]
  for (const [url, init] of requests) t.ok((await fetch(url, init)).status >= 400, `${init.method ?? 'GET'} ${url.slice(-60)}`)
  await unharmed(t, all)
})

t.test('payloads of the wrong kind', async t => {
  const all = await scene(t)
  const { hostile, sessionId } = all
  const place = { sessionId, groupId: 'red' }
  const wrong: Record<string, unknown[]> = {
    null: [null],
    'a number': [7],
    'a text': ['x'],
    'a list': [[]],
    true: [true],
    bytes: [Buffer.from('x')],
    nothing: [],
    'two payloads': [place, place],
    'ten of them': Array.from({ length: 10 }, () => place),
    'an unknown field': [{ ...place, more: 1 }],
    'a field that objects have': [JSON.parse(`{"sessionId":"${sessionId}","groupId":"red","__proto__":{"status":"ready"}}`)],
    'an id that is a number': [{ ...place, groupId: 7 }],
    'an id that is a list': [{ ...place, groupId: ['red'] }],
    'an id that is an object': [{ ...place, groupId: { toString: 'red' } }],
    'an id that is bytes': [{ ...place, groupId: Buffer.from('red') }],
    'an empty id': [{ ...place, groupId: '' }],
    'an id like a room': [{ ...place, groupId: 'red:teacher' }],
    'an id like a key': [{ ...place, sessionId: '{x}*' }],
    'an id like a path': [{ ...place, sessionId: '../..' }],
    'an id with a line end': [{ ...place, sessionId: `${sessionId}\n` }],
    'a long id': [{ ...place, sessionId: 'x'.repeat(65) }],
    'no id': [{ groupId: 'red' }]
  }
  for (const event of ['group:leave', 'group:join', 'audio:stream:ack', 'group:leader_ready']) {
    for (const [name, args] of Object.entries(wrong)) {
      const answer = await hostile.raw(event, ...args)
      t.match(answer, { ok: false, error: { code: 'INVALID_PAYLOAD' } }, `${event}: ${name}`)
      await new Promise(resolve => setTimeout(resolve, 5)) // floods are another matter
    }
  }
  await unharmed(t, all)
})

t.test('fields of the wrong kind', async t => {
  const all = await scene(t)
  const { app, hostile, sessionId, teacher } = all
  const place = { sessionId, groupId: 'red' }
  const guidance = await app.connect('/guidance', teacher)
  const wrong: [Client<never> | Client, string, object][] = [
    [hostile, 'group:status_update', { ...place, status: 'happy' }],
    [hostile, 'group:status_update', { ...place, status: 'ready', isReady: 'yes' }],
    [hostile, 'group:status_update', { ...place, status: 'issue', issueReason: 'x'.repeat(201) }],
    [hostile, 'group:leader_ready', { ...place, ready: 1 }],
    [hostile, 'session:join', { sessionId, since: { [`session:${sessionId}`]: { epoch: '', offset: -1 } } }],
    [hostile, 'session:join', { sessionId, since: [] }],
    [hostile, 'audio:chunk', { ...place, data: 'not bytes', mimeType: 'audio/webm' }],
    [hostile, 'audio:chunk', { ...place, data: [1, 2, 3], mimeType: 'audio/webm' }],
    [hostile, 'audio:chunk', { ...place, data: Buffer.from('x') }],
    [hostile, 'audio:chunk', { ...place, data: Buffer.from('x'), mimeType: 'text/html' }],
    [hostile, 'audio:chunk', { ...place, data: Buffer.from('x'), mimeType: 'audio/webm', startedAt: 'yesterday' }],
    [guidance as unknown as Client, 'guidance:subscribe', { subscriptions: ['teacher_alerts', 'everything'] }],
    [guidance as unknown as Client, 'guidance:subscribe', { subscriptions: 'teacher_alerts' }],
    [guidance as unknown as Client, 'analytics:subscribe', { metrics: ['attention', 'attention'] }],
    [guidance as unknown as Client, 'analytics:subscribe', { sessionId, metrics: ['attention:x'] }],
    [guidance as unknown as Client, 'prompt:interact', { promptId: `${sessionId}.x`, action: 'like' }],
    [guidance as unknown as Client, 'prompt:interact', { promptId: `${sessionId}.x`, action: 'use', feedback: 'x'.repeat(1001) }]
  ]
  for (const [socket, event, payload] of wrong) {
    t.match(await socket.raw(event, payload), { ok: false, error: { code: 'INVALID_PAYLOAD' } }, `${event} ${JSON.stringify(payload).slice(60, 140)}`)
  }
  await unharmed(t, all)
})

t.test('the path of a fault is told, but not without end', async t => {
  const all = await scene(t)
  const { hostile, sessionId } = all
  const messages = []
  for (let i = 0; i < 60; i++) {
    const { error } = await hostile.raw('group:leave', { sessionId, groupId: 'red', [`more${i}`]: 1 })
    messages.push(error?.message ?? '')
    await new Promise(resolve => setTimeout(resolve, 10))
  }
  t.equal(messages[0], 'group:leave: /more0 is not declared')
  t.notMatch(messages[59], /more/, 'finding a fault is cheap, telling it is not')
  await unharmed(t, all)
})

t.test('without an acknowledgement the sender is told by an event', async t => {
  const all = await scene(t)
  const { hostile, sessionId } = all
  hostile.socket.emit('no:such', {})
  t.match(await hostile.next('error'), { code: 'UNSUPPORTED_OPERATION', event: 'no:such', message: String })
  hostile.socket.emit('group:leave', { sessionId })
  t.match(await hostile.next('error'), { code: 'INVALID_PAYLOAD', event: 'group:leave' })
  hostile.socket.emit('session:update_status', 7, [], null)
  t.match(await hostile.next('error'), { code: 'UNSUPPORTED_OPERATION', event: 'session:update_status' })
  hostile.socket.emit('x'.repeat(5000), {})
  t.equal((await hostile.next('error')).event, 'x'.repeat(100), 'of a name so much')
  await unharmed(t, all)
})

t.test('too large', async t => {
  const all = await scene(t)
  const { app, hostile, sessionId, wire } = all
  const place = { sessionId, groupId: 'red' }
  const frame = (id: number, bytes: number): string => {
    const [head, tail] = [`2/sessions,${id}["group:leave","`, '"]']
    return head + 'x'.repeat(bytes - head.length - tail.length) + tail
  }
  wire.send(frame(1, mebibyte), frame(2, mebibyte + 1))
  t.match(await wire.next(/^3\/sessions,1\[/), /INVALID_PAYLOAD/, 'one mebibyte is read')
  t.match(await wire.next(/^3\/sessions,2\[/), /PAYLOAD_TOO_LARGE/, 'one byte more is not')
  wire.send(`2/sessions,3["group:leave","${'€'.repeat(mebibyte / 2)}"]`)
  t.match(await wire.next(/^3\/sessions,3\[/), /PAYLOAD_TOO_LARGE/, 'bytes count, not characters')
  wire.send(`2/sessions,["group:leave","${'x'.repeat(mebibyte)}"]`)
  t.ok(await wire.next(/^2\/sessions,\["error",\{"code":"PAYLOAD_TOO_LARGE"/))
  t.equal(await hostile.code('audio:chunk', { ...place, data: Buffer.alloc(mebibyte), mimeType: 'audio/webm' }), 'PAYLOAD_TOO_LARGE', 'bytes and what goes with them')
  t.match(await hostile.next('audio:error'), { code: 'PAYLOAD_TOO_LARGE' })
  t.equal(await hostile.code('group:leave', { ...place, a: Buffer.alloc(mebibyte / 2), b: Buffer.alloc(mebibyte / 2) }), 'PAYLOAD_TOO_LARGE', 'the parts count together')

  const closing: Record<string, (wire: Raw) => void> = {
    'a frame over two mebibytes': wire => wire.send('x'.repeat(2 * mebibyte + 1)),
    'bytes over two mebibytes': wire => wire.send('51-/sessions,["x",{"_placeholder":true,"num":0}]', new Uint8Array(2 * mebibyte + 1)),
    'three parts of a mebibyte each': wire => wire.send(`53-/sessions,["x",${Array.from({ length: 3 }, (_, num) => JSON.stringify({ _placeholder: true, num })).join()}]`, ...Array.from({ length: 3 }, () => new Uint8Array(mebibyte)))
  }
  for (const [name, send] of Object.entries(closing)) {
    const other = await rawSocket(t, app.url, '/sessions', token())
    send(other)
    t.ok(await other.closed(), `${name}: the connection is closed`)
  }
  await unharmed(t, all)
})

t.test('before a namespace is entered', async t => {
  const all = await scene(t)
  for (const frame of ['2["x"]', '2/sessions,1["session:join",{}]', `2/sessions,1["x",${deep(5000)}]`, '1/sessions,']) {
    const wire = await raw(t, all.app.url)
    wire.send(frame)
    t.ok(await wire.closed(), `${frame.slice(0, 30)} closes its connection`)
  }
  await unharmed(t, all)
})

t.test('a flood of events', async t => {
  const all = await scene(t)
  const { hostile } = all
  const answers = await Promise.all(Array.from({ length: 300 }, async () => await hostile.raw('group:leave', {})))
  const limited = answers.filter(({ error }) => error?.code === 'RATE_LIMITED')
  t.ok(limited.length >= 150 && limited.length <= 201, `${limited.length} of 300 were too many`)
  t.ok(limited.every(({ error }) => Number(error?.details?.retryAfterMs) > 0))
  await unharmed(t, all)
  await new Promise(resolve => setTimeout(resolve, Number(limited.at(-1)?.error?.details?.retryAfterMs) + 50))
  t.equal(await hostile.code('group:leave', {}), 'INVALID_PAYLOAD', 'after the time that was said it goes on')
})

t.test('a flood of one event that has a rate of its own', async t => {
  const all = await scene(t)
  const { hostile, sessionId } = all
  const update = { sessionId, groupId: 'none', status: 'ready' }
  const codes = await Promise.all(Array.from({ length: 30 }, async () => await hostile.code('group:status_update', update)))
  t.same([codes.filter(code => code === 'NOT_IN_SESSION').length, codes.filter(code => code === 'RATE_LIMITED').length], [20, 10])
  t.equal(await hostile.code('group:leave', {}), 'INVALID_PAYLOAD', 'others go on')
  await unharmed(t, all)
})

t.test('a flood while a handler waits', async t => {
  const all = await scene(t, {
    limits: { eventBurst: 1000 },
    authorize: async (user: { userId: string }, action: string) => user.userId !== 'stuck' || action !== 'group:read' || await new Promise(() => {})
  })
  const stuck = await all.app.connect('/sessions', token({ sub: 'stuck' }))
  const answers: string[] = []
  for (let i = 0; i < 400; i++) {
    stuck.socket.emit('group:join', { sessionId: all.sessionId, groupId: 'red' }, (answer: { error?: { code: string } }) => { answers.push(String(answer.error?.code)) })
  }
  while (answers.length < 144) await new Promise(resolve => setTimeout(resolve, 5))
  t.same(new Set(answers), new Set(['RATE_LIMITED']), 'so many wait, the others are told')
  await unharmed(t, all)
})

t.test('a socket is in so many rooms', async t => {
  const all = await scene(t, { limits: { roomsPerSocket: 64 } })
  const { app } = all
  const teacher = token({ sub: 'teacher-2' })
  const socket = await app.connect('/sessions', teacher)
  const groups = Array.from({ length: 58 }, (_, i) => ({ groupId: `g${i}`, name: `Group ${i}` }))
  const first = await app.session(teacher, { groups, start: false })
  const second = await app.session(teacher, { groups, start: false })
  t.equal(await socket.code('session:join', { sessionId: first.sessionId }), 'ok')
  t.match(await socket.raw('session:join', { sessionId: second.sessionId }), { ok: false, error: { code: 'RATE_LIMITED', details: { retryAfterMs: 0 } } })
  t.equal(await socket.code('session:leave', { sessionId: first.sessionId }), 'ok')
  t.equal(await socket.code('session:join', { sessionId: second.sessionId }), 'ok', 'leaving makes room')
  await unharmed(t, all)
})

t.test('what is deep may not come by HTTP either', async t => {
  const all = await scene(t)
  const { app, sessionId } = all
  const worker = token({ role: 'worker' })
  const payload = `{"sessionId":"${sessionId}","groupId":"red","status":"ready","isReady":true,"more":${deep(5000)}}`
  const reply = await app.call('POST', `/sessions/${sessionId}/emit`, `{"namespace":"/sessions","event":"group:status_changed","payload":${payload}}`, worker)
  t.match(reply, { status: 400, body: { statusCode: 400, code: 'INVALID_PAYLOAD', message: /nested/ } })
  t.match(await app.call('POST', '/sessions/join', `{"code":${deep(100_000)}}`), { status: 400, body: { code: 'INVALID_PAYLOAD' } })
  t.match(await app.call('POST', '/sessions', `{"topic":${deep(5000)}}`, token(), { 'idempotency-key': 'k' }), { status: 400 })
  await unharmed(t, all)
})
