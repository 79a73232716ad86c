import { setTimeout as pause } from 'node:timers/promises'
import t, { type Test } from 'tap'
import type { ArchiveEntry, ClasswavesOptions } from '../../../index.ts'
import type { classroom } from '../../../lib/contract.ts'
import { build, onBoth, token, type App } from '../../app.ts'
import type { Client } from '../../client.ts'
import { useRedis } from '../../redis.ts'

/** Chat under classroom rules, as teachers and pupils meet it. */

type Here = Client<typeof classroom>
interface Room { app: App, code: string, sessionId: string, teaching: string, teacher: Here, ada: Here, bob: Here }

async function enter (app: App, code: string, token: string): Promise<Here> {
  const one = await app.connect('/', token) as unknown as Here
  await one.ok('joinSession', code)
  return one
}

/** A class of a teacher, Ada and Bob. */
async function room (t: Test, options: ClasswavesOptions): Promise<Room> {
  const app = await build(t, options)
  const teaching = token({ sub: 'teacher-1', name: 'Ms Lovelace' })
  const { code, sessionId } = await app.session(teaching)
  const teacher = await enter(app, code, teaching)
  const [ada, bob] = [await enter(app, code, token({ sub: 'ada', role: 'student', name: 'Ada' })), await enter(app, code, token({ sub: 'bob', role: 'student' }))]
  return { app, code, sessionId, teaching, teacher, ada, bob }
}

const said = (client: Here): string[] => client.received('messageReceived').map(one => one.message)

onBoth(t, 'modes are changed live, and what waits is let out or turned down', async (t, options) => {
  const { app, code, sessionId, teaching, teacher, ada, bob } = await room(t, options)
  const sessionCode = code
  t.equal(await ada.code('setChatMode', { sessionCode, mode: 'off' }), 'FORBIDDEN')
  t.same(await teacher.ok('setChatMode', { sessionCode, mode: 'moderated' }).then(({ mode, changed }) => ({ mode, changed })), { mode: 'moderated', changed: true })
  t.match(await bob.next('chatModeChanged'), { mode: 'moderated' })
  const held = await ada.ok('sendMessage', { sessionCode, message: 'May I?' })
  t.equal(held.held, true)
  t.match(await teacher.next('messageHeld'), { message: 'May I?', userId: 'ada', displayName: 'Ada' })
  const rejected = await ada.ok('sendMessage', { sessionCode, message: 'Something rude.' })
  t.equal(await ada.code('getHeldMessages', { sessionCode }), 'FORBIDDEN')
  t.same((await teacher.ok('getHeldMessages', { sessionCode })).messages.map(one => one.message), ['May I?', 'Something rude.'])
  t.equal(await bob.code('getAttachment', { sessionCode, messageId: held.messageId }), 'MESSAGE_NOT_FOUND', 'nobody learns of what waits')
  t.equal(await bob.code('moderateMessage', { sessionCode, messageId: held.messageId, action: 'approve' }), 'FORBIDDEN')
  await teacher.ok('moderateMessage', { sessionCode, messageId: held.messageId, action: 'approve' })
  t.match(await bob.next('messageReceived'), { message: 'May I?', userId: 'ada', messageId: held.messageId })
  t.match(await ada.next('messageModerated'), { messageId: held.messageId, action: 'approve' })
  t.equal(await teacher.code('moderateMessage', { sessionCode, messageId: held.messageId, action: 'reject' }), 'MESSAGE_NOT_FOUND', 'only once')
  await teacher.ok('moderateMessage', { sessionCode, messageId: rejected.messageId, action: 'reject' })
  t.match(await ada.next('messageModerated'), { action: 'reject' })
  t.equal(await ada.code('editMessage', { sessionCode, messageId: held.messageId, message: 'Something rude.' }), 'FORBIDDEN', 'an edit does not go around approval')

  t.equal((await app.call('PUT', `/sessions/${sessionId}/chat`, { mode: 'teacher-only' }, teaching)).status, 200)
  t.match(await bob.raw('sendMessage', { sessionCode, message: 'Hello?' }), { ok: false, error: { code: 'FORBIDDEN', details: { mode: 'teacher-only' } } })
  await teacher.ok('sendMessage', { sessionCode, message: 'Listen.' })
  await teacher.ok('setChatMode', { sessionCode, mode: 'off' })
  t.equal(await teacher.code('sendMessage', { sessionCode, message: 'To nobody.' }), 'FORBIDDEN')
  await bob.flush()
  t.same(said(bob), ['May I?', 'Listen.'])
  t.same(bob.received('messageHeld'), [])
})

onBoth(t, 'history: paged both ways, and replayed to whoever was away', async (t, options) => {
  const { app, code, sessionId, teaching, teacher, ada } = await room(t, options)
  const { positions } = await ada.ok('joinSession', { sessionCode: code })
  ada.close()
  for (let i = 1; i <= 5; i++) await teacher.ok('sendMessage', { sessionCode: code, message: `line ${i}` })
  const back = await app.connect('/', token({ sub: 'ada', role: 'student', name: 'Ada' })) as unknown as Here
  const { recovered } = await back.ok('joinSession', { sessionCode: code, since: positions })
  t.equal(recovered, true)
  t.same(said(back), [1, 2, 3, 4, 5].map(i => `line ${i}`), 'in order, before the acknowledgement')
  const page = await back.ok('getHistory', { sessionCode: code, limit: 2 })
  t.same(page.messages.map(one => one.message), ['line 4', 'line 5'])
  const older = await back.ok('getHistory', { sessionCode: code, limit: 5, before: page.before as number })
  t.same([older.messages.map(one => one.message), older.before], [['line 1', 'line 2', 'line 3'], null])
  const { body } = await app.call<{ messages: { message: string }[], after: number }>('GET', `/sessions/${sessionId}/messages?after=0&limit=3`, undefined, teaching)
  t.same(body.messages.map(one => one.message), ['line 1', 'line 2', 'line 3'])
  const newer = await app.call<typeof body>('GET', `/sessions/${sessionId}/messages?after=${body.after}`, undefined, teaching)
  t.same(newer.body.messages.map(one => one.message), ['line 4', 'line 5'])
  t.equal((await app.call('GET', `/sessions/${sessionId}/events?room=classroom:${sessionId}`, undefined, teaching)).body.lost, false, 'and kept like every event')
})

onBoth(t, 'own messages are changed, one is deleted and leaves its place', async (t, options) => {
  const { code: sessionCode, teacher, ada, bob } = await room(t, options)
  const { messageId } = await ada.ok('sendMessage', { sessionCode, message: 'Helo' })
  t.equal(await bob.code('editMessage', { sessionCode, messageId, message: 'Mine now' }), 'FORBIDDEN')
  t.equal(await bob.code('deleteMessage', { sessionCode, messageId }), 'FORBIDDEN')
  await ada.ok('editMessage', { sessionCode, messageId, message: 'Hello' })
  t.match(await bob.next('messageEdited'), { messageId, message: 'Hello', editedAt: String })
  const other = await bob.ok('sendMessage', { sessionCode, message: 'Not nice.' })
  await teacher.ok('deleteMessage', { sessionCode, messageId: other.messageId })
  t.match(await ada.next('messageDeleted'), { messageId: other.messageId, deletedBy: 'teacher-1' })
  const { messages } = await ada.ok('getHistory', { sessionCode })
  t.match(messages, [{ message: 'Hello', editedAt: String }, { message: '', deleted: true, userId: 'bob' }])
  t.notMatch(JSON.stringify(messages), 'Not nice', 'a tombstone has no content')
  t.equal(await bob.code('editMessage', { sessionCode, messageId: other.messageId, message: 'Again' }), 'MESSAGE_NOT_FOUND')
  t.equal(await bob.code('react', { sessionCode, messageId: other.messageId, sign: '👍' }), 'MESSAGE_NOT_FOUND')
})

onBoth(t, 'to one person: by the matrix, heard by the two alone, logged for the teacher', async (t, options) => {
  const { app, code: sessionCode, sessionId, teaching, teacher, ada, bob } = await room(t, options)
  t.equal(await ada.code('sendDirectMessage', { sessionCode, to: 'bob', message: 'Psst' }), 'FORBIDDEN', 'pupils do not write to pupils unless the school says so')
  t.equal(await ada.code('sendDirectMessage', { sessionCode, to: 'nobody', message: 'Psst' }), 'FORBIDDEN', 'and learn nothing of who is there')
  t.equal(await teacher.code('sendDirectMessage', { sessionCode, to: 'nobody', message: 'Hello?' }), 'INVALID_PAYLOAD')
  await ada.ok('sendDirectMessage', { sessionCode, to: 'teacher-1', message: 'I do not understand.' })
  t.match(await teacher.next('directMessageReceived'), { userId: 'ada', to: 'teacher-1', message: 'I do not understand.' })
  t.match(await ada.next('directMessageReceived'), { userId: 'ada' }, 'her other tabs see it, too')
  await teacher.ok('sendDirectMessage', { sessionCode, to: 'bob', message: 'Well done.' })
  t.match(await bob.next('directMessageReceived'), { message: 'Well done.' })
  await bob.flush()
  t.equal(bob.received('directMessageReceived').length, 1)
  t.same(said(bob), [])
  t.same((await bob.ok('getDirectHistory', { sessionCode })).messages.map(one => one.message), ['Well done.'])
  const log = await app.call<{ messages: { message: string }[] }>('GET', `/sessions/${sessionId}/messages?lane=direct`, undefined, teaching)
  t.same(log.body.messages.map(one => one.message), ['I do not understand.', 'Well done.'])
  const own = await app.call<typeof log.body>('GET', `/sessions/${sessionId}/messages?lane=direct`, undefined, token({ sub: 'ada', role: 'student' }))
  t.same(own.body.messages.map(one => one.message), ['I do not understand.'])
  t.equal((await app.call('GET', `/sessions/${sessionId}/messages?lane=held`, undefined, token({ sub: 'ada', role: 'student' }))).body.code, 'FORBIDDEN')
})

t.test('the school says who may write to whom alone', async t => {
  const { code: sessionCode, teacher, ada, bob } = await room(t, { classroom: { direct: ['student-student'] } })
  t.equal(await ada.code('sendDirectMessage', { sessionCode, to: 'bob', message: 'Psst' }), 'ok')
  t.match(await bob.next('directMessageReceived'), { userId: 'ada', to: 'bob', message: 'Psst' })
  t.equal(await ada.code('sendDirectMessage', { sessionCode, to: 'teacher-1', message: 'Hello' }), 'FORBIDDEN')
  t.equal(await teacher.code('sendDirectMessage', { sessionCode, to: 'ada', message: 'Hello' }), 'FORBIDDEN')
  t.same((await teacher.ok('getDirectHistory', { sessionCode })).messages.map(one => one.message), ['Psst'], 'the teacher reads the log of all')
})

onBoth(t, 'typing ends by itself, reactions are gathered, readers have one place each', async (t, options) => {
  const { code: sessionCode, sessionId, app, teacher, ada, bob } = await room(t, { ...options, classroom: { typingMs: 300 } })
  await ada.ok('setTyping', { sessionCode, typing: true })
  await ada.ok('setTyping', { sessionCode, typing: true })
  t.match(await bob.next('typingUpdated'), { userId: 'ada', typing: true, expiresInMs: 300 })
  t.match(await bob.next('typingUpdated'), { userId: 'ada', typing: false })
  await ada.ok('setTyping', { sessionCode, typing: true })
  await bob.next('typingUpdated')
  const { messageId, seq } = await ada.ok('sendMessage', { sessionCode, message: 'Done.' })
  t.match(await bob.next('typingUpdated'), { typing: false }, 'whoever has sent it does not type any more')

  const began = performance.now()
  await Promise.all([teacher, ada, bob].map(async one => await one.ok('react', { sessionCode, messageId, sign: '👍' })))
  await bob.ok('react', { sessionCode, messageId, sign: '👍' })
  await bob.ok('react', { sessionCode, messageId, sign: '🎉' })
  await bob.ok('react', { sessionCode, messageId, sign: '🎉', on: false })
  const lasted = performance.now() - began
  await pause(400)
  await teacher.flush()
  const told = teacher.received('reactionsUpdated')
  t.same(told.at(-1)?.reactions, { '👍': 3 })
  // Gathered for a quarter of a second; a busy machine takes longer over six.
  t.ok(told.length <= Math.min(5, 2 + lasted / 250), `six reactions in ${lasted} ms, told ${told.length} times`)
  t.equal(await bob.code('react', { sessionCode, messageId, sign: 'rude' }), 'INVALID_PAYLOAD')

  await ada.ok('markRead', { sessionCode, seq })
  await bob.ok('markRead', { sessionCode, seq, private: true })
  t.match(await teacher.next('readUpTo'), { userId: 'ada', seq })
  await pause(400)
  await teacher.flush()
  t.same(teacher.received('readUpTo').map(one => one.userId), ['ada'], 'a private receipt is told to nobody')
  t.equal((await ada.ok('markRead', { sessionCode, seq: 1 })).seq, seq, 'and never goes back')
  t.equal((await app.app.classroom.history(sessionId, 'main', {})).messages[0]?.reactions['👍'], 3)
})

onBoth(t, 'attachments travel as bytes; what is too large or too fast is refused', async (t, options) => {
  const { code: sessionCode, teacher, ada, bob } = await room(t, { ...options, classroom: { bytesPerSecond: 1, attachmentBytes: 1024 * 1024 } })
  const data = Buffer.alloc(900 * 1024, 7)
  const { messageId } = await ada.ok('sendMessage', { sessionCode, message: 'My drawing', attachment: { name: 'river.png', mimeType: 'image/png', data } })
  t.match(await bob.next('messageReceived'), { message: 'My drawing', attachment: { name: 'river.png', mimeType: 'image/png', size: data.byteLength } })
  const got = await bob.ok('getAttachment', { sessionCode, messageId })
  t.ok(data.equals(Buffer.from(got.data)), 'as they were')
  const large = { name: 'film.mp4', mimeType: 'video/mp4', data: Buffer.alloc(1024 * 1024) }
  t.equal(await ada.code('sendMessage', { sessionCode, message: '', attachment: large }), 'PAYLOAD_TOO_LARGE')
  t.equal(await bob.code('sendMessage', { sessionCode, message: '', attachment: { ...large, data } }), 'RATE_LIMITED', 'the class has room for so much')
  await teacher.ok('deleteMessage', { sessionCode, messageId })
  t.equal(await bob.code('getAttachment', { sessionCode, messageId }), 'MESSAGE_NOT_FOUND')
  t.equal(await ada.code('sendMessage', { sessionCode, message: 'x'.repeat(1000 * 1024) }), 'ok')
  t.match(await ada.raw('sendMessage', { sessionCode, message: 'x'.repeat(1000 * 1024) }), { error: { code: 'RATE_LIMITED', details: { retryAfterMs: Number } } }, 'bytes are limited, too')
  const codes = await Promise.all(Array.from({ length: 30 }, async () => await bob.code('sendMessage', { sessionCode, message: '.' })))
  t.ok(codes.includes('RATE_LIMITED') && codes.includes('ok'), 'too fast')
})

onBoth(t, 'what is sent again with its id is said once', async (t, options) => {
  const { code: sessionCode, ada, bob } = await room(t, options)
  const [one, two] = [await ada.ok('sendMessage', { sessionCode, message: 'Once', id: 'n1' }), await ada.ok('sendMessage', { sessionCode, message: 'Once', id: 'n1' })]
  t.same(one, two)
  await bob.ok('sendMessage', { sessionCode, message: 'Mine has the same id', id: 'n1' })
  await bob.flush()
  t.same(said(bob), ['Once', 'Mine has the same id'])
})

t.test('the host may put everything away; what it fails at is its own affair', async t => {
  const kept: ArchiveEntry[] = []
  const { app, code: sessionCode, sessionId, teacher, ada } = await room(t, { classroom: { archive: entry => { kept.push(entry); throw new Error('the archive is full') } } })
  const { messageId } = await ada.ok('sendMessage', { sessionCode, message: 'Hello' })
  await ada.ok('editMessage', { sessionCode, messageId, message: 'Hello!' })
  await ada.ok('deleteMessage', { sessionCode, messageId })
  await teacher.ok('sendDirectMessage', { sessionCode, to: 'ada', message: 'Well done.' })
  await teacher.ok('setChatMode', { sessionCode, mode: 'off' })
  t.same(kept.map(({ what, message, mode }) => [what, message?.message ?? mode]), [['message', 'Hello'], ['edited', 'Hello!'], ['deleted', ''], ['direct', 'Well done.'], ['mode', 'off']])
  t.ok(kept.every(one => one.sessionId === sessionId))
  t.equal(app.warnings().length, kept.length, 'and says so in the log')
})

t.test('what operators watch', async t => {
  const { app, code: sessionCode, ada } = await room(t, { metrics: { public: true } })
  await ada.ok('sendMessage', { sessionCode, message: 'Hello' })
  await ada.raw('sendMessage', { sessionCode, message: 7 })
  ada.close()
  await pause(50)
  const { body } = await app.call<string>('GET', '//metrics')
  for (const line of [
    'classwaves_sockets{namespace="/"} 2',
    'classwaves_chat_messages_total{result="published"} 1',
    'classwaves_events_received_total{namespace="/",event="sendMessage",result="INVALID_PAYLOAD"} 1',
    'classwaves_class_size_count 3',
    'classwaves_class_size_sum 6',
    'classwaves_disconnects_total{namespace="/",reason="client_namespace_disconnect"} 1'
  ]) t.ok(body.includes(line), line)
})

t.test('after the end of a session nothing is said, on whatever process', async t => {
  const { url } = await useRedis(t)
  const [one, two] = await Promise.all([build(t, { redis: url }), build(t, { redis: url })])
  const teaching = token({ sub: 'teacher-1' })
  for (let round = 0; round < 5; round++) {
    const { code, sessionId } = await one.session(teaching)
    const teacher = await enter(one, code, teaching)
    const pupils = await Promise.all([one, two].map(async app => await enter(app, code, token({ role: 'student' }))))
    const talk = pupils.map(async (pupil, i) => {
      const codes: string[] = []
      for (let n = 0; n < 20; n++) codes.push(await pupil.code('sendMessage', { sessionCode: code, message: `${i} ${n}` }))
      return codes
    })
    await pause(10 * round)
    await one.call('POST', `/sessions/${sessionId}/end`, undefined, teaching)
    const stored = await one.app.classroom.history(sessionId, 'main', { limit: 200 })
    const codes = (await Promise.all(talk)).flat()
    t.same((await two.app.classroom.history(sessionId, 'main', { limit: 200 })).messages.length, stored.messages.length, 'nothing was stored after it')
    t.equal(codes.filter(code => code === 'ok').length, stored.messages.length, 'what was accepted is there, and nothing else')
    t.same(codes.filter(code => !['ok', 'SESSION_ENDING', 'SESSION_NOT_ACTIVE', 'RATE_LIMITED'].includes(code)), [])
    await teacher.flush()
    t.equal(new Set(teacher.received('messageReceived').map(one => one.messageId)).size, teacher.received('messageReceived').length, 'each came once')
  }
})
