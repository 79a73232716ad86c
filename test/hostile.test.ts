import t from 'tap'
import { token } from './app.ts'
import { deep, mebibyte, scene, unharmed } from './hostile.ts'
import { raw, rawSocket, type Raw } from './raw.ts'

/** Frames that no client library would send. */

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
