import t from 'tap'
import { token } from './app.ts'
import type { Client } from './client.ts'
import { scene, unharmed } from './hostile.ts'

/** Events with payloads that are not theirs, and more of them than anybody needs. */

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
