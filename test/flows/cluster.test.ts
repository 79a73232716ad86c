import t from 'tap'
import type { Session } from '../../index.ts'
import { token } from '../app.ts'
import { fork, forkWorker } from '../fork.ts'
import { startRedis } from '../redis.ts'
import { redFallsSilent } from '../talk.ts'

/** One class on several processes. */

t.test('two servers and a worker', async t => {
  const redis = await startRedis(t)
  const options = { redis: redis.url, limits: { sessionsSocketsPerUser: 100, guidanceSocketsPerUser: 100 } }
  const [a, b, worker] = await Promise.all([fork(t, options), fork(t, options), forkWorker(t, redis.url)])
  const mine = token({ sub: 'teacher-1' })
  const groups = [{ groupId: 'red', name: 'Red', memberIds: ['ada'] }, { groupId: 'blue', name: 'Blue', memberIds: ['bo'] }]
  const ada = token({ role: 'student', sub: 'ada' })

  t.test('what happens on one is heard on the other', async t => {
    const { sessionId, version } = await a.session(mine, { groups, start: false })
    const [there, here] = [await b.connect('/sessions', mine), await a.connect('/sessions', mine)]
    for (const socket of [there, here]) await socket.ok('session:join', { sessionId })
    t.equal((await b.call<Session>('GET', `/sessions/${sessionId}`, undefined, mine)).body.version, version)
    for (const [server, move] of [[a, 'start'], [b, 'pause'], [a, 'resume'], [b, 'pause'], [a, 'start'], [b, 'end']] as const) {
      t.equal((await server.call('POST', `/sessions/${sessionId}/${move}`, undefined, mine)).status, 200, move)
    }
    for (const socket of [there, here]) {
      while (socket.received('session:status_changed').length < 7) await socket.next('session:status_changed')
      t.same(socket.received('session:status_changed').map(({ version }) => version), [2, 3, 4, 5, 6, 7, 8], 'each step once, in order')
      await socket.next('analytics:finalized')
      t.equal(socket.received('analytics:finalized').length, 1)
    }
  })

  t.test('sound is refused the moment a pause was answered, wherever', async t => {
    const { sessionId } = await a.session(mine, { groups })
    const pupil = await b.connect('/sessions', ada)
    await pupil.ok('student:session:join', { sessionId })
    const chunk = { sessionId, groupId: 'red', data: Buffer.from('heard'), mimeType: 'audio/webm' }
    for (let round = 0; round < 5; round++) {
      t.equal(await pupil.code('audio:chunk', chunk), 'ok')
      await a.call('POST', `/sessions/${sessionId}/pause`, undefined, mine)
      t.equal(await pupil.code('audio:chunk', chunk), 'SESSION_PAUSED')
      await a.call('POST', `/sessions/${sessionId}/resume`, undefined, mine)
    }
    for (let round = 0; round < 5; round++) t.match(await pupil.next('transcription:group:new'), { text: 'heard' })
  })

  t.test('a worker in a third process', async t => {
    const { sessionId } = await a.session(mine, { groups })
    const [there, here] = [await b.connect('/sessions', mine), await a.connect('/sessions', mine)]
    for (const socket of [there, here]) await socket.ok('session:join', { sessionId })
    const [red, blue] = [await b.connect('/sessions', ada), await a.connect('/sessions', token({ role: 'student', sub: 'bo' }))]
    for (const socket of [red, blue]) await socket.ok('student:session:join', { sessionId })
    const guidance = await b.connect('/guidance', mine)
    await guidance.ok('guidance:subscribe', {})
    await guidance.ok('analytics:subscribe', { sessionId, metrics: ['attention'] })

    const timestamp = new Date().toISOString()
    const slice = { sessionId, groupId: 'red', id: 's1', text: 'The river bends.', timestamp }
    t.equal(await worker.emit('sessions', { sessionId, groupId: 'red' }, 'transcription:group:new', slice), 'ok')
    for (const socket of [there, here, red]) t.same(await socket.next('transcription:group:new'), slice)
    t.match(there.records.at(-1)?.meta, { id: String, room: `session:${sessionId}:group:red`, epoch: String, offset: 1, at: String })
    const score = { category: 'attention', sessionId, metrics: { groupId: 'red', attentionScore: 82, onTrackScore: 0.63 }, timestamp }
    t.equal(await worker.emit('guidance', { sessionId }, 'guidance:analytics', score), 'ok')
    t.same(await guidance.next('guidance:analytics'), score)
    const insights = { argumentationQuality: {}, collaborationPatterns: {} }
    t.equal(await worker.emit('guidance', { sessionId }, 'ai:tier2:insight', { sessionId, groupId: 'red', insights, timestamp }), 'INVALID_PAYLOAD')
    t.equal(await worker.emit('sessions', { sessionId }, 'no:such', {}), 'UNSUPPORTED_OPERATION')
    t.equal(await worker.emit('guidance', { sessionId: 'nobody' }, 'guidance:analytics', { ...score, sessionId: 'nobody' }), 'SESSION_NOT_FOUND')

    const role = token({ role: 'worker' })
    await a.call('POST', `/sessions/${sessionId}/emit`, { namespace: '/sessions', event: 'transcription:group:new', payload: { ...slice, id: 's2' } }, role)
    for (const socket of [there, here, red]) t.match(await socket.next('transcription:group:new'), { id: 's2' }, 'the same by HTTP')
    await blue.flush()
    t.same(blue.received('transcription:group:new'), [], 'another group\'s talk')

    await a.call('POST', `/sessions/${sessionId}/transcripts`, { slices: redFallsSilent() }, role)
    t.match(await guidance.next('teacher:alert'), { sessionId, groupId: 'red' }, 'talk that came in there is guidance here')
    const { prompts } = await guidance.ok('guidance:get_current_state', { sessionId })
    t.equal(await guidance.code('prompt:interact', { promptId: String(prompts[0]?.promptId), action: 'use' }), 'ok')
  })

  t.test('present is who has a socket anywhere', async t => {
    const { sessionId } = await a.session(mine, { groups })
    const observers = [await a.connect('/sessions', mine), await b.connect('/sessions', mine)]
    for (const socket of observers) await socket.ok('session:join', { sessionId })
    const tabs = [await a.connect('/sessions', ada), await b.connect('/sessions', ada), await b.connect('/sessions', ada)]
    for (const tab of tabs) await tab.ok('session:join', { sessionId })
    await tabs[0]?.ok('session:join', { sessionId })
    const [first, second, third] = tabs as [typeof tabs[0], typeof tabs[0], typeof tabs[0]]
    first.close()
    await second.ok('session:leave', { sessionId })
    const of = (socket: typeof tabs[number]) => socket.received('presence:updated').filter(one => one.userId === 'ada').map(one => one.status)
    for (const socket of observers) {
      while (of(socket).length < 1) await socket.next('presence:updated')
      await socket.flush()
      t.same(of(socket), ['connected'], 'once, for three tabs')
    }
    third.close()
    for (const socket of observers) {
      while (of(socket).length < 2) await socket.next('presence:updated')
      t.same(of(socket), ['connected', 'disconnected'], 'once, after the last')
    }
  })

  t.test('who is moved to another group hears that one, on whatever process', async t => {
    const { sessionId } = await a.session(mine, { groups })
    const pupil = await b.connect('/sessions', ada)
    await pupil.ok('student:session:join', { sessionId })
    const teacher = await b.connect('/sessions', mine)
    await teacher.ok('session:join', { sessionId })
    await a.call('PUT', `/sessions/${sessionId}/groups`, { groups: [{ groupId: 'red', name: 'Red' }, { groupId: 'green', name: 'Green', memberIds: ['ada'] }] }, mine)
    for (const groupId of ['red', 'green']) {
      t.equal(await worker.emit('sessions', { sessionId, groupId }, 'transcription:group:new', { sessionId, groupId, id: groupId, text: 'x', timestamp: new Date().toISOString() }), 'ok')
    }
    t.match(await pupil.next('transcription:group:new'), { groupId: 'green' })
    t.same([await teacher.next('transcription:group:new'), await teacher.next('transcription:group:new')].map(one => one.groupId).sort(), ['green', 'red'], 'a teacher hears all groups, also new ones')
    await pupil.flush()
    t.equal(pupil.received('transcription:group:new').length, 1)
    t.equal(await pupil.code('group:status_update', { sessionId, groupId: 'red', status: 'ready' }), 'NOT_IN_SESSION')
    t.equal(await pupil.code('group:status_update', { sessionId, groupId: 'green', status: 'ready' }), 'ok')
  })
})

t.test('Redis that comes late', async t => {
  const redis = await startRedis(t)
  await redis.stop()
  const [a, b] = await Promise.all([fork(t, { redis: redis.url, redisTimeoutMs: 100 }), fork(t, { redis: redis.url, redisTimeoutMs: 100 })])
  const mine = token({ sub: 'teacher-1' })
  t.match(await a.call('GET', '//health'), { body: { status: 'degraded', backend: 'redis', redis: 'away' } })
  t.match(await a.call('POST', '/sessions', { topic: 'x' }, mine), { status: 503, body: { code: 'UNAVAILABLE' } })
  const early = await b.connect('/sessions', mine)
  t.equal(await early.code('session:join', { sessionId: 's1' }), 'UNAVAILABLE')

  await redis.restart()
  for (const server of [a, b]) {
    while ((await server.call('GET', '//health')).body.status !== 'ok') await new Promise(resolve => setTimeout(resolve, 20))
  }
  const { sessionId } = await a.session(mine)
  await early.ok('session:join', { sessionId })
  const guidance = await b.connect('/guidance', mine)
  await guidance.ok('guidance:subscribe', {})
  await guidance.ok('analytics:subscribe', { sessionId })
  await a.call('POST', `/sessions/${sessionId}/pause`, undefined, mine)
  t.match(await early.next('session:status_changed'), { status: 'paused' }, 'the store and what is kept')
  await a.call('POST', `/sessions/${sessionId}/resume`, undefined, mine)
  await a.call('POST', `/sessions/${sessionId}/transcripts`, { slices: redFallsSilent() }, mine)
  t.match(await guidance.next('guidance:analytics'), { category: 'attention', sessionId }, 'the adapter')
  t.match(await guidance.next('teacher:alert'), { groupId: 'red' }, 'the gates')
})
