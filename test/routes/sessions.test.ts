import t from 'tap'
import type { Session } from '../../index.ts'
import { build, onBoth, token } from '../app.ts'

const uuid = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/
const moment = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/

onBoth(t, 'a session from its making to its end', async (t, options) => {
  const { call } = await build(t, options)
  const mine = token({ sub: 'teacher-1' })
  const made = await call<Session>('POST', '/sessions', {
    topic: 'Rivers',
    goal: 'Say why they bend',
    subject: 'Geography',
    plannedDurationMinutes: 45,
    groups: [{ name: 'Otters', leaderId: 'ada', memberIds: ['ada', 'bo'] }, { groupId: 'herons', name: 'Herons' }]
  }, mine)
  t.equal(made.status, 201)
  t.match(made.body, {
    sessionId: uuid,
    code: /^[2-9A-HJKMNP-Z]{6}$/,
    teacherId: 'teacher-1',
    topic: 'Rivers',
    goal: 'Say why they bend',
    subject: 'Geography',
    plannedDurationMinutes: 45,
    status: 'created',
    version: 1,
    requireGroupsReady: false,
    participants: [],
    createdAt: moment,
    startedAt: null,
    pausedAt: null,
    endedAt: null,
    reason: null,
    teacherNotes: null,
    groups: [
      { groupId: uuid, name: 'Otters', leaderId: 'ada', memberIds: ['ada', 'bo'], status: 'waiting', isReady: false, issueReason: null },
      { groupId: 'herons', name: 'Herons', leaderId: null, memberIds: [], status: 'waiting', isReady: false, issueReason: null }
    ]
  })
  const { sessionId } = made.body
  const at = (path = '') => `/sessions/${sessionId}${path}`
  t.same((await call('GET', at(), undefined, mine)).body, made.body)

  const groups = await call<Session>('PUT', at('/groups'), { groups: [{ groupId: 'herons', name: 'Grey herons', memberIds: ['cem'] }, { name: 'Kingfishers' }] }, mine)
  t.match([groups.status, groups.body.groups], [200, [{ groupId: 'herons', name: 'Grey herons', memberIds: ['cem'] }, { groupId: uuid, name: 'Kingfishers' }]])
  t.equal(groups.body.groups.length, 2)
  t.match(await call('GET', at('/groups/status'), undefined, mine), {
    status: 200,
    body: { groups: [{ groupId: 'herons', memberCount: 1 }, { memberCount: 0 }], summary: { totalGroups: 2, readyGroups: 0, issueGroups: 0, canStartSession: true } }
  })

  const steps = [['start', 'active'], ['pause', 'paused'], ['resume', 'active'], ['pause', 'paused'], ['start', 'active']] as const
  for (const [i, [move, status]] of steps.entries()) {
    const { status: http, body } = await call<Session>('POST', at(`/${move}`), i === 1 ? { reason: 'a fire drill', teacherNotes: 'all calm' } : undefined, mine)
    t.match([http, body.status, body.version], [200, status, i + 2], move)
    t.match(body, { startedAt: moment, pausedAt: status === 'paused' ? moment : null })
    t.match(body, i === 0 ? { reason: null, teacherNotes: null } : { reason: 'a fire drill', teacherNotes: 'all calm' }, 'what was said stays')
  }
  const ended = await call<Session>('POST', at('/end'), { reason: 'the bell', teacherNotes: 'go on tomorrow' }, mine)
  t.match(ended, { status: 200, body: { status: 'ended', version: 8, endedAt: moment, reason: 'the bell', teacherNotes: 'go on tomorrow' } }, 'ending and ended are two steps')
  t.match(await call('GET', at('/groups/status'), undefined, mine), { body: { summary: { canStartSession: false } } })
})

onBoth(t, 'moves that the present status does not allow', async (t, options) => {
  const app = await build(t, options)
  const mine = token()
  const refusals: Record<string, [moves: string[], refused: Record<string, [from: string, to: string]>]> = {
    created: [[], { pause: ['created', 'paused'], resume: ['created', 'active'] }],
    active: [['start'], { start: ['active', 'active'], resume: ['active', 'active'] }],
    paused: [['start', 'pause'], { pause: ['paused', 'paused'] }],
    ended: [['end'], { start: ['ended', 'active'], pause: ['ended', 'paused'], resume: ['ended', 'active'], end: ['ended', 'ending'] }]
  }
  for (const [status, [moves, refused]] of Object.entries(refusals)) {
    const { sessionId } = await app.session(mine, { start: false })
    for (const move of moves) await app.call('POST', `/sessions/${sessionId}/${move}`, undefined, mine)
    const before = await app.call('GET', `/sessions/${sessionId}`, undefined, mine)
    t.equal(before.body.status, status)
    for (const [move, [from, to]] of Object.entries(refused)) {
      t.match(await app.call('POST', `/sessions/${sessionId}/${move}`, undefined, mine), {
        status: 409, body: { statusCode: 409, code: 'INVALID_TRANSITION', error: 'Conflict', message: String, details: { from, to } }
      }, `${status}: ${move}`)
    }
    t.same((await app.call('GET', `/sessions/${sessionId}`, undefined, mine)).body, before.body, 'a refusal changes nothing')
  }
})

onBoth(t, 'of two that race one wins', async (t, options) => {
  const app = await build(t, options)
  const mine = token()
  const socket = await app.connect('/sessions', mine)
  const { sessionId } = await app.session(mine, { start: false })
  await socket.ok('session:join', { sessionId })
  const answers = await Promise.all(Array.from({ length: 10 }, async () => (await app.call('POST', `/sessions/${sessionId}/start`, undefined, mine)).status))
  t.same(answers.sort(), [200, ...Array.from({ length: 9 }, () => 409)])
  await socket.next('session:status_changed')
  await app.call('POST', `/sessions/${sessionId}/pause`, undefined, mine)
  await socket.next('session:status_changed')
  t.match(socket.received('session:status_changed'), [{ status: 'active', version: 2 }, { status: 'paused', version: 3 }], 'and is announced once')
  t.equal(socket.received('session:status_changed').length, 2)
})

t.test('groups that are not ready', async t => {
  const app = await build(t)
  const mine = token()
  const groups = [{ groupId: 'red', name: 'Red' }, { groupId: 'blue', name: 'Blue' }]
  const { sessionId } = await app.session(mine, { groups, requireGroupsReady: true, start: false })
  const socket = await app.connect('/sessions', mine)
  await socket.ok('session:join', { sessionId })
  const start = async () => await app.call('POST', `/sessions/${sessionId}/start`, undefined, mine)
  await socket.ok('group:leader_ready', { sessionId, groupId: 'red', ready: true })
  t.match(await start(), {
    status: 409,
    body: { code: 'GROUPS_NOT_READY', details: { readyCount: 1, totalCount: 2, notReadyGroups: [{ groupId: 'blue', name: 'Blue' }] } }
  })
  await socket.ok('group:status_update', { sessionId, groupId: 'blue', status: 'issue', issueReason: 'no microphone' })
  t.match(await app.call('GET', `/sessions/${sessionId}/groups/status`, undefined, mine), {
    body: { groups: [{ isReady: true }, { status: 'issue', issueReason: 'no microphone' }], summary: { totalGroups: 2, readyGroups: 1, issueGroups: 1, canStartSession: false } }
  })
  await socket.ok('group:leader_ready', { sessionId, groupId: 'blue', ready: true })
  t.match(await app.call('GET', `/sessions/${sessionId}/groups/status`, undefined, mine), { body: { summary: { readyGroups: 2, canStartSession: true } } })
  t.match(await start(), { status: 200, body: { status: 'active' } })
})

onBoth(t, 'lists, page by page', async (t, options) => {
  const app = await build(t, options)
  const [mine, other, admin] = [token({ sub: 'teacher-1' }), token({ sub: 'teacher-2' }), token({ role: 'admin' })]
  const ids: string[] = []
  for (let i = 0; i < 7; i++) ids.unshift((await app.session(mine, { topic: `Lesson ${i}`, start: i % 2 === 0 })).sessionId)
  const foreign = (await app.session(other)).sessionId
  interface Page { sessions: Session[], nextCursor: string | null }
  const list = async (query = '', who = mine) => await app.call<Page>('GET', `/sessions${query}`, undefined, who)
  const all = await list()
  t.same(all.body.sessions.map(one => one.sessionId), ids, 'own ones, newest first')
  t.equal(all.body.nextCursor, null)
  const seen: string[] = []
  for (let cursor: string | null = ''; cursor !== null;) {
    const { body }: { body: Page } = await list(`?limit=3${cursor && `&cursor=${encodeURIComponent(cursor)}`}`)
    t.ok(body.sessions.length <= 3)
    seen.push(...body.sessions.map(one => one.sessionId))
    cursor = body.nextCursor
  }
  t.same(seen, ids)
  t.same((await list('?status=active')).body.sessions.map(one => one.status), ['active', 'active', 'active', 'active'])
  t.same((await list('?status=ended')).body, { sessions: [], nextCursor: null })
  t.same((await list('', other)).body.sessions.map(one => one.sessionId), [foreign])
  t.same(new Set((await list('', admin)).body.sessions.map(one => one.sessionId)), new Set([...ids, foreign]), 'an admin sees all')
  for (const query of ['?limit=0', '?limit=101', '?limit=x', '?limit=1.5', '?limit=', '?limit=1&limit=2', '?status=asleep', '?topic=x', `?cursor=${'x'.repeat(201)}`]) {
    t.match(await list(query), { status: 400, body: { code: 'INVALID_PAYLOAD', details: { in: 'querystring' } } }, query)
  }
  t.equal((await list('?cursor=nonsense')).status, 200, 'a cursor that was never given harms nobody')
})

t.test('bodies of the wrong shape', async t => {
  const app = await build(t)
  const mine = token()
  const { sessionId } = await app.session(mine)
  const wrong: [method: string, path: string, body: unknown, fault: string][] = [
    ['POST', '/sessions', undefined, '/'],
    ['POST', '/sessions', 'null', '/'],
    ['POST', '/sessions', [], '/'],
    ['POST', '/sessions', '"x"', '/'],
    ['POST', '/sessions', {}, '/topic'],
    ['POST', '/sessions', { topic: 7 }, '/topic'],
    ['POST', '/sessions', { topic: null }, '/topic'],
    ['POST', '/sessions', { topic: '' }, '/topic'],
    ['POST', '/sessions', { topic: 'x'.repeat(201) }, '/topic'],
    ['POST', '/sessions', { topic: 'x', plannedDurationMinutes: '45' }, '/plannedDurationMinutes'],
    ['POST', '/sessions', { topic: 'x', plannedDurationMinutes: 0 }, '/plannedDurationMinutes'],
    ['POST', '/sessions', { topic: 'x', requireGroupsReady: 'true' }, '/requireGroupsReady'],
    ['POST', '/sessions', { topic: 'x', teacherId: 'somebody' }, '/teacherId'],
    ['POST', '/sessions', { topic: 'x', status: 'active' }, '/status'],
    ['POST', '/sessions', { topic: 'x', groups: {} }, '/groups'],
    ['POST', '/sessions', { topic: 'x', groups: [{}] }, '/groups/0/name'],
    ['POST', '/sessions', { topic: 'x', groups: [{ name: 'A', memberIds: ['a', 'a'] }] }, '/groups/0/memberIds'],
    ['POST', '/sessions', { topic: 'x', groups: [{ name: 'A', groupId: 'a:b' }] }, '/groups/0/groupId'],
    ['POST', '/sessions', { topic: 'x', groups: Array.from({ length: 61 }, () => ({ name: 'A' })) }, '/groups'],
    ['PUT', `/sessions/${sessionId}/groups`, {}, '/groups'],
    ['PUT', `/sessions/${sessionId}/groups`, { groups: [{ name: 'A', isReady: true }] }, '/groups/0/isReady'],
    ['POST', `/sessions/${sessionId}/pause`, { reason: 7 }, '/reason'],
    ['POST', `/sessions/${sessionId}/pause`, { because: 'x' }, '/because'],
    ['POST', `/sessions/${sessionId}/pause`, [], '/'],
    ['POST', `/sessions/${sessionId}/end`, { teacherNotes: 'x'.repeat(1001) }, '/teacherNotes']
  ]
  for (const [method, path, body, fault] of wrong) {
    const reply = await app.call(method, path, body, mine)
    t.match(reply, {
      status: 400, body: { statusCode: 400, code: 'INVALID_PAYLOAD', error: 'Bad Request', message: String, details: { in: 'body', path: fault } }
    }, `${method} ${JSON.stringify(body)?.slice(0, 80)}`)
  }
  for (const groups of [[{ groupId: 'a', name: 'A' }, { groupId: 'a', name: 'B' }]]) {
    t.match(await app.call('POST', '/sessions', { topic: 'x', groups }, mine), { status: 400, body: { code: 'INVALID_PAYLOAD' } }, 'two groups with one id')
    t.match(await app.call('PUT', `/sessions/${sessionId}/groups`, { groups }, mine), { status: 400, body: { code: 'INVALID_PAYLOAD' } })
  }
  t.equal((await app.call<Session>('GET', `/sessions/${sessionId}`, undefined, mine)).body.status, 'active')
})

t.test('no body is a body', async t => {
  const app = await build(t)
  const mine = token()
  const { sessionId } = await app.session(mine, { start: false })
  const send = async (move: string, headers: Record<string, string>, body?: string): Promise<number> =>
    (await fetch(`${app.url}/api/v1/sessions/${sessionId}/${move}`, { method: 'POST', headers: { authorization: `Bearer ${mine}`, ...headers }, ...(body !== undefined && { body }) })).status
  t.equal(await send('start', {}), 200, 'no content type')
  t.equal(await send('pause', { 'content-type': 'application/json' }), 200, 'a content type and nothing')
  t.equal(await send('resume', { 'content-type': 'application/json' }, ''), 200, 'an empty text')
  t.equal(await send('pause', { 'content-type': 'application/json; charset=utf-8' }, '{}'), 200)
  t.equal(await send('end', { 'content-type': 'application/json' }, 'null'), 200)
})

t.test('ids in a path', async t => {
  const app = await build(t)
  const mine = token()
  for (const id of ['a:b', '%00', '..%2F..', 'x'.repeat(65), '{x}', '*', '%F0%9F%A6%A6']) {
    const { status, body } = await app.call('GET', `/sessions/${id}`, undefined, mine)
    t.match([status, body], [400, { code: 'INVALID_PAYLOAD', details: { in: 'params', path: '/sessionId' } }], id)
  }
  t.match(await app.call('GET', '/sessions/__proto__', undefined, mine), { status: 404, body: { code: 'SESSION_NOT_FOUND' } })
  t.match(await app.call('GET', '/sessions/constructor', undefined, mine), { status: 404, body: { code: 'SESSION_NOT_FOUND' } })
})

onBoth(t, 'what is asked for twice under one key happens once', async (t, options) => {
  const app = await build(t, options)
  const [mine, other] = [token({ sub: 'teacher-1' }), token({ sub: 'teacher-2' })]
  const post = async (path: string, body: unknown, key: string, who = mine) => await app.call<Session>('POST', path, body, who, { 'idempotency-key': key })
  const [first, again] = [await post('/sessions', { topic: 'x' }, 'a'), await post('/sessions', { topic: 'x' }, 'a')]
  t.equal(first.status, 201)
  t.same([again.status, again.body, again.headers.get('idempotent-replayed')], [201, first.body, 'true'])
  t.match(await post('/sessions', { topic: 'y' }, 'a'), { status: 422, body: { statusCode: 422, code: 'IDEMPOTENCY_MISMATCH' } })
  const foreign = await post('/sessions', { topic: 'x' }, 'a', other)
  t.match([foreign.status, foreign.body.teacherId], [201, 'teacher-2'], 'another user\'s key is another key, from the same address')
  t.not(foreign.body.sessionId, first.body.sessionId)

  const { sessionId } = first.body
  const socket = await app.connect('/sessions', mine)
  await socket.ok('session:join', { sessionId })
  const answers = await Promise.all(Array.from({ length: 5 }, async () => await post(`/sessions/${sessionId}/start`, undefined, 'b')))
  t.same(answers.map(({ status, body }) => [status, body.version]), Array.from({ length: 5 }, () => [200, 2]))
  await post(`/sessions/${sessionId}/pause`, undefined, 'c')
  t.match(await post(`/sessions/${sessionId}/start`, undefined, 'b'), { status: 200, body: { status: 'active', version: 2 } }, 'the answer of then')
  t.match(await post(`/sessions/${sessionId}/pause`, undefined, 'd'), { status: 409 })
  t.match(await post(`/sessions/${sessionId}/pause`, undefined, 'd'), { status: 409 })
  await post(`/sessions/${sessionId}/resume`, undefined, 'e')
  while (socket.received('session:status_changed').length < 3) await socket.next('session:status_changed')
  await socket.flush()
  t.same(socket.received('session:status_changed').map(({ version }) => version), [2, 3, 4], 'nothing is told twice')
})
