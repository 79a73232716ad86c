import t from 'tap'
import type { Slice } from '../../index.ts'
import { journalKeys } from '../../lib/core/journal-redis.ts'
import { createRedisSessionStore } from '../../lib/sessions/store-redis.ts'
import { build, onBoth, token } from '../app.ts'
import { useRedis } from '../redis.ts'

interface Page { slices: Slice[], nextAfter: number | null }
const moment = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/

onBoth(t, 'talk in and out', async (t, options) => {
  const app = await build(t, options)
  const mine = token()
  const worker = token({ role: 'worker' })
  const { sessionId } = await app.session(mine)
  const path = `/sessions/${sessionId}/transcripts`
  const socket = await app.connect('/sessions', mine)
  await socket.ok('session:join', { sessionId })
  const slices = [
    { id: 'a', groupId: 'red', text: 'The river bends here.', speaker: 'Ada', confidence: 0.9, startedAt: '2026-01-01T10:00:00Z', endedAt: '2026-01-01T11:00:02+01:00' },
    { id: 'b', groupId: 'blue', text: 'Why?' },
    { groupId: 'red', text: 'Because the soil is soft.' }
  ]
  t.match(await app.call('POST', path, { slices }, worker), { status: 202, body: { accepted: 3, duplicates: 0 } })
  t.match(await app.call('POST', path, { slices: slices.slice(0, 2) }, mine), { status: 202, body: { accepted: 0, duplicates: 2 } }, 'a known id is a duplicate')

  const heard = [await socket.next('transcription:group:new'), await socket.next('transcription:group:new'), await socket.next('transcription:group:new')]
    .sort((one, other) => one.id < other.id ? -1 : 1)
  t.match(heard.find(one => one.id === 'a'), { sessionId, groupId: 'red', id: 'a', text: 'The river bends here.', timestamp: '2026-01-01T10:00:02.000Z', speaker: 'Ada', confidence: 0.9 })
  await socket.flush()
  t.equal(socket.received('transcription:group:new').length, 3, 'each once')

  const get = async (query = '', who = mine) => (await app.call<Page>('GET', path + query, undefined, who)).body
  const all = await get()
  t.match(all, {
    slices: [
      { seq: 1, id: 'a', groupId: 'red', startedAt: '2026-01-01T10:00:00.000Z', endedAt: '2026-01-01T10:00:02.000Z', speaker: 'Ada', confidence: 0.9 },
      { seq: 2, id: 'b', groupId: 'blue', startedAt: moment, endedAt: moment },
      { seq: 3, groupId: 'red', text: 'Because the soil is soft.' }
    ],
    nextAfter: null
  })
  t.match(await get('?limit=2'), { slices: [{ id: 'a' }, { id: 'b' }], nextAfter: 2 })
  t.match(await get('?after=2'), { slices: [{ seq: 3 }], nextAfter: null })
  t.same(await get('?after=99'), { slices: [], nextAfter: null })
  t.same((await get('?groupId=red')).slices.map(({ seq }) => seq), [1, 3])
  for (const query of ['?limit=0', '?limit=1001', '?after=-1', '?after=x', '?groupId=', '?groupId=a:b', '?from=1']) {
    t.match(await app.call('GET', path + query, undefined, mine), { status: 400, body: { code: 'INVALID_PAYLOAD', details: { in: 'querystring' } } }, query)
  }
  t.match(await app.call('GET', `${path}?groupId=green`, undefined, mine), { status: 404, body: { code: 'GROUP_NOT_FOUND' } })
})

t.test('talk that a process took in and died over is told by whoever gets it again, once', async t => {
  const redis = await useRedis(t)
  const app = await build(t, { redis: redis.url })
  const mine = token()
  const { sessionId } = await app.session(mine)
  const socket = await app.connect('/sessions', mine)
  await socket.ok('session:join', { sessionId })
  const client = redis.client()
  await client.ping()
  const dead = createRedisSessionStore({ redis: () => client, ttlSeconds: 60 })
  const slice = { id: 'a', groupId: 'red', text: 'The river bends here.' }
  t.match(await dead.append(sessionId, [slice]), { ok: true, accepted: [{ id: 'a' }] })
  await socket.flush()
  t.same(socket.received('transcription:group:new'), [], 'control: nobody has told of it')

  const again = async (): Promise<unknown> => await app.call('POST', `/sessions/${sessionId}/transcripts`, { slices: [{ ...slice, text: 'Others words.' }] }, mine)
  t.match(await again(), { status: 202, body: { accepted: 0, duplicates: 1 } })
  t.match(await socket.next('transcription:group:new'), { id: 'a', text: 'The river bends here.' }, 'as it is stored')
  t.match(await again(), { status: 202, body: { accepted: 0, duplicates: 1 } })
  await socket.flush()
  t.equal(socket.received('transcription:group:new').length, 1)
  const summaries = await app.app.guidance.summarise({ sessionId, topic: '', goals: [], groups: [{ groupId: 'red', naming: [] }] })
  t.match(summaries, [{ slices: 1 }], 'and guidance heard it once')
})

t.test('a pupil reads the talk of their own group', async t => {
  const app = await build(t)
  const mine = token()
  const { sessionId } = await app.session(mine, { groups: [{ groupId: 'red', name: 'Red', memberIds: ['ada'] }, { groupId: 'blue', name: 'Blue' }] })
  const path = `/sessions/${sessionId}/transcripts`
  await app.call('POST', path, { slices: [{ groupId: 'red', text: 'Ours.' }, { groupId: 'blue', text: 'Theirs.' }] }, mine)
  const [ada, loose] = [token({ role: 'student', sub: 'ada' }), token({ role: 'student', sub: 'eve', sessionId })]
  t.match(await app.call('GET', path, undefined, ada), { status: 200, body: { slices: [{ text: 'Ours.' }] } })
  t.equal((await app.call<Page>('GET', path, undefined, ada)).body.slices.length, 1)
  t.match(await app.call('GET', `${path}?groupId=blue`, undefined, ada), { status: 403, body: { statusCode: 403, code: 'FORBIDDEN' } })
  t.match(await app.call('GET', `${path}?groupId=green`, undefined, ada), { status: 404, body: { code: 'GROUP_NOT_FOUND' } })
  t.same((await app.call('GET', path, undefined, loose)).body, { slices: [], nextAfter: null }, 'who is in no group reads nothing')
})

onBoth(t, 'talk that is refused', async (t, options) => {
  const app = await build(t, options)
  const mine = token()
  const { sessionId } = await app.session(mine)
  const path = `/sessions/${sessionId}/transcripts`
  const slice = { groupId: 'red', text: 'x' }
  const wrong: [object, string][] = [
    [{}, '/slices'],
    [{ slices: [] }, '/slices'],
    [{ slices: slice }, '/slices'],
    [{ slices: Array.from({ length: 501 }, () => slice) }, '/slices'],
    [{ slices: [slice, { groupId: 'red' }] }, '/slices/1/text'],
    [{ slices: [{ ...slice, text: '' }] }, '/slices/0/text'],
    [{ slices: [{ ...slice, text: 'x'.repeat(10_001) }] }, '/slices/0/text'],
    [{ slices: [{ ...slice, confidence: 1.1 }] }, '/slices/0/confidence'],
    [{ slices: [{ ...slice, confidence: '0.5' }] }, '/slices/0/confidence'],
    [{ slices: [{ ...slice, startedAt: 'now' }] }, '/slices/0/startedAt'],
    [{ slices: [{ ...slice, startedAt: '2026-02-30T10:00:00Z' }] }, '/slices/0/startedAt'],
    [{ slices: [{ ...slice, startedAt: 1767261600000 }] }, '/slices/0/startedAt'],
    [{ slices: [{ ...slice, id: 'a b' }] }, '/slices/0/id'],
    [{ slices: [{ ...slice, speakerId: 'x' }] }, '/slices/0/speakerId']
  ]
  for (const [body, fault] of wrong) {
    t.match(await app.call('POST', path, body, mine), { status: 400, body: { code: 'INVALID_PAYLOAD', details: { path: fault } } }, fault)
  }
  t.match(await app.call('POST', path, { slices: [slice, { ...slice, startedAt: '2026-01-01T10:00:01Z', endedAt: '2026-01-01T10:00:00Z' }] }, mine), {
    status: 400, body: { code: 'INVALID_PAYLOAD', message: /slices\/1\/endedAt/ }
  })
  t.match(await app.call('POST', path, { slices: [slice, { ...slice, groupId: 'green' }] }, mine), { status: 404, body: { code: 'GROUP_NOT_FOUND', details: { groupId: 'green' } } })
  t.same((await app.call<Page>('GET', path, undefined, mine)).body.slices, [], 'all or none')
  await app.call('POST', `/sessions/${sessionId}/pause`, undefined, mine)
  t.equal((await app.call('POST', path, { slices: [slice] }, mine)).status, 202, 'what was said before a pause may come in it')
  await app.call('POST', `/sessions/${sessionId}/end`, undefined, mine)
  t.match(await app.call('POST', path, { slices: [slice] }, mine), { status: 409, body: { code: 'SESSION_NOT_ACTIVE', details: { status: 'ended' } } })
  const early = await app.session(mine, { start: false })
  t.match(await app.call('POST', `/sessions/${early.sessionId}/transcripts`, { slices: [slice] }, mine), { status: 409, body: { details: { status: 'created' } } })
})

t.test('talk that could not be sent is sent as soon as there is a way, once', async t => {
  const server = await useRedis(t)
  const app = await build(t, { redis: server.url })
  const redis = server.client()
  const mine = token()
  const { sessionId } = await app.session(mine)
  const socket = await app.connect('/sessions', mine)
  await socket.ok('session:join', { sessionId })
  // The journal of one room fails, the store of the session does not.
  const journal = journalKeys.log({ room: `{/sessions#session:${sessionId}:group:red}` })
  await redis.del(journal)
  await redis.set(journal, 'foreign')
  const slices = [{ id: 'talk-7', groupId: 'red', text: 'The river bends here.' }]
  const path = `/sessions/${sessionId}/transcripts`
  t.match(await app.call('POST', path, { slices }, mine), { status: 202, body: { accepted: 1, duplicates: 0 } })
  t.match(await app.call('POST', path, { slices }, mine), { status: 202, body: { accepted: 0, duplicates: 1 } })
  await redis.del(journal)
  t.match(await socket.next('transcription:group:new'), { id: 'talk-7' })
  await socket.flush()
  t.equal(socket.received('transcription:group:new').length, 1)
})
