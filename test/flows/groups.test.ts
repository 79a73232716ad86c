import t from 'tap'
import { defaultAuthorize, type Session } from '../../index.ts'
import { build, onBoth, token } from '../app.ts'
import { startRedis } from '../redis.ts'

/** Pupils in their groups: what they hear, what they may say, and who is told of them. */

const groups = [
  { groupId: 'red', name: 'Red', leaderId: 'ada', memberIds: ['ada', 'bo'] },
  { groupId: 'blue', name: 'Blue', leaderId: 'cem', memberIds: ['cem'] }
]
const pupil = (sub: string, more: object = {}): string => token({ role: 'student', sub, ...more })

onBoth(t, 'a group\'s talk and trouble are for the group and the teacher', async (t, options) => {
  const app = await build(t, options)
  const mine = token()
  const { sessionId } = await app.session(mine, { groups })
  const [teacher, ada, bo, cem] = await Promise.all([mine, pupil('ada'), pupil('bo'), pupil('cem')].map(async who => await app.connect('/sessions', who)))
  if (!teacher || !ada || !bo || !cem) throw new Error('somebody is missing')
  const { snapshot } = await teacher.ok('session:join', { sessionId })
  t.same(snapshot.groups.map(group => group.memberIds), [['ada', 'bo'], ['cem']])
  for (const socket of [ada, bo, cem]) await socket.ok('student:session:join', { sessionId })
  const seen = (await cem.ok('session:join', { sessionId })).snapshot
  t.same(seen.groups.map(({ leaderId, memberIds }) => ({ leaderId, memberIds })), [{ leaderId: null, memberIds: [] }, { leaderId: 'cem', memberIds: ['cem'] }], 'of other groups a pupil knows the name')
  t.same(seen.participants.map(one => one.userId), ['cem'])

  const red = { sessionId, groupId: 'red' }
  await app.call('POST', `/sessions/${sessionId}/transcripts`, { slices: [{ groupId: 'red', text: 'Ours.' }] }, mine)
  await ada.ok('group:status_update', { ...red, status: 'issue', issueReason: 'a secret of red' })
  for (const socket of [teacher, ada, bo]) {
    t.match(await socket.next('transcription:group:new'), { text: 'Ours.' })
    t.match(await socket.next('group:status_changed'), { ...red, status: 'issue', issueReason: 'a secret of red' })
  }
  await cem.flush()
  t.same(cem.names().filter(name => /transcription|status_changed/.test(name)), [])
  t.notMatch(JSON.stringify((await cem.ok('session:join', { sessionId })).snapshot), 'secret of red')
  t.notMatch(JSON.stringify((await app.call('GET', `/sessions/${sessionId}`, undefined, pupil('cem'))).body), 'secret of red')

  t.equal(await cem.code('group:join', red), 'FORBIDDEN')
  t.equal(await cem.code('group:join', { sessionId, groupId: 'green' }), 'GROUP_NOT_FOUND')
  t.equal(await cem.code('group:status_update', { ...red, status: 'ready' }), 'NOT_IN_SESSION')
  t.equal(await bo.code('group:leader_ready', { ...red, ready: true }), 'FORBIDDEN', 'that is the leader\'s to say')
  t.equal(await ada.code('group:leader_ready', { ...red, ready: true }), 'ok')
  t.equal(await teacher.code('group:leader_ready', { sessionId, groupId: 'blue', ready: true }), 'ok', 'or the teacher\'s')
})

onBoth(t, 'readiness', async (t, options) => {
  const app = await build(t, options)
  const { sessionId } = await app.session(token(), { groups })
  const ada = await app.connect('/sessions', pupil('ada'))
  await ada.ok('session:join', { sessionId })
  const red = { sessionId, groupId: 'red' }
  const update = async (change: object) => (await ada.raw('group:status_update', { ...red, ...change })) as unknown as { group: Session['groups'][number], changed: boolean }
  t.match(await ada.ok('group:leader_ready', { ...red, ready: true }), { changed: true, group: { isReady: true, status: 'ready' } })
  t.match(await ada.ok('group:leader_ready', { ...red, ready: true }), { changed: false })
  t.match(await update({ status: 'recording' }), { changed: true, group: { status: 'recording', isReady: true, issueReason: null } }, 'most statuses leave it as it is')
  t.match(await update({ status: 'issue', issueReason: 'no sound' }), { group: { isReady: false, issueReason: 'no sound' } })
  t.match(await update({ status: 'connected', issueReason: 'left over' }), { group: { isReady: false, issueReason: null } }, 'a reason goes with an issue')
  t.match(await update({ status: 'connected' }), { changed: false })
  t.match(await update({ status: 'active', isReady: true }), { group: { status: 'active', isReady: true } })
  await ada.ok('group:leader_ready', { ...red, ready: false })
  while (ada.received('group:status_changed').length < 6) await ada.next('group:status_changed')
  await ada.flush()
  t.same(ada.received('group:status_changed').map(({ status, isReady }) => [status, isReady]), [
    ['ready', true], ['recording', true], ['issue', false], ['connected', false], ['active', true], ['waiting', false]
  ], 'each change once')
})

onBoth(t, 'a pupil is announced once, whatever they subscribed to before', async (t, options) => {
  const app = await build(t, options)
  const mine = token()
  const { sessionId } = await app.session(mine, { groups })
  const teacher = await app.connect('/sessions', mine)
  await teacher.ok('session:join', { sessionId })
  const [first, second] = [await app.connect('/sessions', pupil('ada')), await app.connect('/sessions', pupil('ada'))]
  await first.ok('session:guidance:subscribe', { sessionId })
  await teacher.flush()
  t.same(teacher.received('student:session:joined'), [], 'to listen is not to join')
  for (const socket of [first, second, first]) await socket.ok('student:session:join', { sessionId })
  t.same(await teacher.next('student:session:joined'), { sessionId, studentId: 'ada' })
  t.same(await teacher.next('group:joined'), { sessionId, groupId: 'red', studentId: 'ada' })
  await teacher.flush()
  t.equal(teacher.received('student:session:joined').length, 1)
  first.close()
  await second.ok('session:leave', { sessionId })
  const gone = () => teacher.received('presence:updated').some(one => one.userId === 'ada' && one.status === 'disconnected')
  while (!gone()) await teacher.next('presence:updated')
  await second.ok('student:session:join', { sessionId })
  await teacher.next('student:session:joined')
  t.equal(teacher.received('student:session:joined').length, 2, 'and again when they come back')
})

onBoth(t, 'who goes while they are let in is not there', async (t, options) => {
  let arrived = (): void => {}
  let go = (): void => {}
  const waiting = new Promise<void>(resolve => { arrived = resolve })
  const gate = new Promise<void>(resolve => { go = resolve })
  const app = await build(t, {
    ...options,
    authorize: async (...question) => {
      if (question[0].userId === 'bo') {
        arrived()
        await gate
      }
      return await defaultAuthorize(...question)
    }
  })
  const mine = token()
  const { sessionId } = await app.session(mine, { groups })
  const teacher = await app.connect('/sessions', mine)
  await teacher.ok('session:join', { sessionId })
  const bo = await app.connect('/sessions', pupil('bo'))
  bo.socket.emit('session:join', { sessionId })
  await waiting
  bo.close()
  while (app.app.io.of('/sessions').sockets.size > 1) await new Promise(resolve => setTimeout(resolve, 5))
  go()
  await new Promise(resolve => setTimeout(resolve, 100))
  await teacher.flush()
  t.same(teacher.received('presence:updated').map(one => one.userId).filter(one => one === 'bo'), [])
  t.same(app.warnings(), [])
})

t.test('nor who goes while Redis takes its time', async t => {
  const server = await startRedis(t)
  const redis = server.client()
  const app = await build(t, {
    redis: server.url,
    authorize: async (...question) => {
      if (question[0].userId === 'owner-too') await redis.call('CLIENT', 'PAUSE', '150')
      return question[0].userId === 'owner-too' || await defaultAuthorize(...question)
    }
  })
  const mine = token()
  const { sessionId } = await app.session(mine, { groups })
  const teacher = await app.connect('/sessions', mine)
  await teacher.ok('session:join', { sessionId })
  const other = await app.connect('/sessions', token({ sub: 'owner-too' }))
  other.socket.emit('session:join', { sessionId })
  while (!app.app.io.of('/sessions').adapter.rooms.has(`session:${sessionId}:user:owner-too`)) await new Promise(resolve => setTimeout(resolve, 1))
  other.close()
  await new Promise(resolve => setTimeout(resolve, 300))
  await teacher.flush()
  t.same(teacher.received('presence:updated').map(one => one.userId).filter(one => one === 'owner-too'), [])
})

t.test('a token for one session is for no other', async t => {
  const app = await build(t)
  const mine = token()
  const [one, other] = [await app.session(mine, { groups }), await app.session(mine, { groups })]
  const ada = await app.connect('/sessions', pupil('ada', { sessionId: one.sessionId }))
  t.equal(await ada.code('session:join', { sessionId: one.sessionId }), 'ok')
  t.equal(await ada.code('session:join', { sessionId: other.sessionId }), 'SESSION_NOT_FOUND', 'though the plan names them')
  const eve = await app.connect('/sessions', pupil('eve', { sessionId: one.sessionId, groupId: 'blue', name: 'x'.repeat(150) }))
  const { snapshot } = await eve.ok('student:session:join', { sessionId: one.sessionId })
  t.match(snapshot.participants.find(participant => participant.userId === 'eve'), { groupId: 'blue', displayName: 'x'.repeat(100) }, 'and enrols whom it names')
})

onBoth(t, 'what the teacher notes is the teacher\'s', async (t, options) => {
  const app = await build(t, options)
  const mine = token()
  const { sessionId } = await app.session(mine, { groups })
  const cem = await app.connect('/sessions', pupil('cem'))
  const words = { reason: 'a fire drill', teacherNotes: 'Cem needs a word' }
  t.match((await app.call('POST', `/sessions/${sessionId}/pause`, words, mine)).body, words)
  t.match((await app.call('POST', `/sessions/${sessionId}/resume`, undefined, mine)).body, words)
  const { snapshot, positions } = await cem.ok('student:session:join', { sessionId })
  t.match(snapshot, { status: 'active', reason: null, teacherNotes: null })
  t.same(snapshot.positions, positions)
})
