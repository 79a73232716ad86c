import t from 'tap'
import type { Participant, Session } from '../../index.ts'
import { build, onBoth, token } from '../app.ts'
import { useRedis } from '../redis.ts'

interface Joined { token: string, expiresAt: string, session: Session, participant: Participant }

onBoth(t, 'a pupil types a code and a name, and is in', async (t, options) => {
  const app = await build(t, options)
  const mine = token({ sub: 'teacher-1' })
  const { sessionId, code } = await app.session(mine)
  const join = async (displayName: string, more: object = {}, typed = code) => await app.call<Joined>('POST', '/sessions/join', { code: typed, displayName, ...more })
  const ada = await join('  Ada ')
  t.equal(ada.status, 201)
  t.match(ada.body.participant, { userId: /^pupil-/, displayName: 'Ada', role: 'student', groupId: 'red', joinedAt: String })
  const left = Date.parse(ada.body.expiresAt) - Date.now()
  t.ok(left > 14_390_000 && left <= 14_400_000, 'four hours')
  const typed = `${code.slice(0, 3)}-${code.slice(3)} `.toLowerCase()
  const bo = await join('Bo', {}, typed)
  t.match(bo, { status: 201, body: { participant: { groupId: 'blue' } } }, 'the smallest group; a code is read as people type it')
  t.match(await join('Cem', { groupId: 'blue' }), { status: 201, body: { participant: { groupId: 'blue' } } }, 'or the one they name')
  t.match(await join('Dia'), { body: { participant: { groupId: 'red' } } })
  t.match(await join('Eve', { groupId: 'green' }), { status: 404, body: { statusCode: 404, code: 'GROUP_NOT_FOUND' } })
  t.match(await join('Ada'), { status: 201, body: { participant: { displayName: 'Ada' } } }, 'two may have one name')

  const socket = await app.connect('/sessions', ada.body.token)
  const { snapshot } = await socket.ok('student:session:join', { sessionId })
  t.match(await socket.next('student:session:joined'), { sessionId, studentId: ada.body.participant.userId })
  t.same(snapshot.participants.map(one => one.displayName).sort(), ['Ada', 'Ada', 'Dia'], 'of the others a pupil sees their own group')
  t.same(bo.body.session.participants.map(one => one.displayName), ['Bo'])
  t.same(snapshot.groups.map(group => group.memberIds.length), [3, 0])
  const whole = await app.call<Session>('GET', `/sessions/${sessionId}`, undefined, mine)
  t.same(whole.body.groups.map(group => group.memberIds.length), [3, 2], 'a teacher sees all')
  const other = await app.session(mine)
  t.equal(await socket.code('session:join', { sessionId: other.sessionId }), 'SESSION_NOT_FOUND', 'the token is for this session')
})

onBoth(t, 'a code that opens nothing', async (t, options) => {
  const app = await build(t, options)
  const mine = token()
  const { sessionId, code } = await app.session(mine)
  for (const wrong of ['AAAAAA', code.slice(1), `${code}2`, code.replace(/./g, '2'), '      ', '------']) {
    t.match(await app.call('POST', '/sessions/join', { code: wrong, displayName: 'Ada' }), { status: 404, body: { statusCode: 404, code: 'SESSION_NOT_FOUND' } }, wrong)
  }
  await app.call('POST', `/sessions/${sessionId}/end`, undefined, mine)
  t.match(await app.call('POST', '/sessions/join', { code, displayName: 'Ada' }), { status: 404, body: { code: 'SESSION_NOT_FOUND' } }, 'a code ends with its session')
})

t.test('bodies of the wrong shape', async t => {
  const app = await build(t)
  const { code } = await app.session(token())
  const wrong: [object, string][] = [
    [{ code }, '/displayName'],
    [{ code, displayName: '' }, '/displayName'],
    [{ code, displayName: '   ' }, '/displayName'],
    [{ code, displayName: 'x'.repeat(101) }, '/displayName'],
    [{ code, displayName: 7 }, '/displayName'],
    [{ code: 234567, displayName: 'Ada' }, '/code'],
    [{ code: '2'.repeat(21), displayName: 'Ada' }, '/code'],
    [{ displayName: 'Ada' }, '/code'],
    [{ code, displayName: 'Ada', userId: 'teacher-1' }, '/userId'],
    [{ code, displayName: 'Ada', role: 'teacher' }, '/role'],
    [{ code, displayName: 'Ada', groupId: '' }, '/groupId']
  ]
  for (const [body, path] of wrong) {
    t.match(await app.call('POST', '/sessions/join', body), { status: 400, body: { code: 'INVALID_PAYLOAD', details: { in: 'body', path } } }, JSON.stringify(body).slice(0, 60))
  }
})

t.test('the host says how long codes are and tokens live', async t => {
  const app = await build(t, { sessions: { codeLength: 8, studentTokenSeconds: 60 } })
  const { code } = await app.session(token())
  t.equal(code.length, 8)
  const { body } = await app.call<Joined>('POST', '/sessions/join', { code, displayName: 'Ada' })
  t.ok(Date.parse(body.expiresAt) - Date.now() <= 60_000)
})

onBoth(t, 'the same request under one key makes one pupil', async (t, options) => {
  const app = await build(t, options)
  const mine = token()
  const { sessionId, code } = await app.session(mine)
  const join = async (displayName: string) => await app.call<Joined>('POST', '/sessions/join', { code, displayName }, undefined, { 'idempotency-key': 'a' })
  const [first, again] = [await join('Ada'), await join('Ada')]
  t.same(again.body, first.body)
  t.equal((await join('Bo')).status, 422)
  t.equal((await app.call<Session>('GET', `/sessions/${sessionId}`, undefined, mine)).body.participants.length, 1)
})

onBoth(t, 'asked again under its key, a join answers with the same token', async (t, options) => {
  const app = await build(t, options)
  const { sessionId, code } = await app.session(token())
  const join = async () => await app.call<Joined>('POST', '/sessions/join', { code, displayName: 'Ada' }, undefined, { 'idempotency-key': 'mine' })
  const [first, again] = [await join(), await join()]
  t.equal(again.headers.get('idempotent-replayed'), 'true')
  t.same([again.status, again.body], [201, first.body])
  await (await app.connect('/sessions', again.body.token)).ok('session:join', { sessionId })
})

t.test('and Redis never had it', async t => {
  const redis = await useRedis(t)
  const client = redis.client()
  const app = await build(t, { redis: redis.url })
  const { code } = await app.session(token())
  const { body } = await app.call<Joined>('POST', '/sessions/join', { code, displayName: 'Ada' }, undefined, { 'idempotency-key': 'mine' })
  const [key, ...more] = await client.keys('core:idempotency:*')
  t.same(more, [])
  const kept = JSON.stringify(await client.hgetall(String(key)))
  t.match(kept, body.participant.userId)
  for (const part of body.token.split('.')) t.notMatch(kept, part)
})
