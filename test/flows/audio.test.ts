import t from 'tap'
import type { AudioChunk } from '../../index.ts'
import { build, onBoth, token, type App } from '../app.ts'
import type { Client } from '../client.ts'
import type { sessions } from '../../lib/contract.ts'

/** Sound comes in from pupils, through its gates, to the transcriber of the host, and out as talk. */

interface Scene { app: App, mine: string, sessionId: string, pupil: Client<typeof sessions>, place: { sessionId: string, groupId: string } }

async function scene (t: Parameters<typeof build>[0], options: object, plan: object = {}): Promise<Scene> {
  const app = await build(t, options)
  const mine = token({ sub: 'teacher-1' })
  const { sessionId } = await app.session(mine, { groups: [{ groupId: 'red', name: 'Red', memberIds: ['ada'] }, { groupId: 'blue', name: 'Blue' }], ...plan })
  const pupil = await app.connect('/sessions', token({ sub: 'ada', role: 'student' }))
  await pupil.ok('student:session:join', { sessionId })
  return { app, mine, sessionId, pupil, place: { sessionId, groupId: 'red' } }
}

const sound = (text: string, more: object = {}) => ({ data: Buffer.from(text), mimeType: 'audio/webm;codecs=opus', ...more })

onBoth(t, 'chunks become talk, in their order, one at a time', async (t, options) => {
  const heard: AudioChunk[] = []
  let atOnce = 0
  const transcriber = async (chunk: AudioChunk) => {
    t.equal(++atOnce, 1)
    heard.push(chunk)
    await new Promise(resolve => setTimeout(resolve, heard.length % 2 ? 10 : 1))
    atOnce--
    return [{ text: Buffer.from(chunk.data).toString(), speaker: chunk.userId }]
  }
  const { app, mine, pupil, place, sessionId } = await scene(t, { ...options, sessions: { transcriber } })
  const teacher = await app.connect('/sessions', mine)
  await teacher.ok('session:join', { sessionId })
  t.same(await pupil.raw('audio:stream:start', { ...place, mimeType: 'audio/webm' }), { ok: true })
  t.same(await pupil.raw('audio:stream:ack', place), { ok: true })
  const at = { startedAt: '2026-01-01T10:00:00Z', endedAt: '2026-01-01T10:00:01Z' }
  const answers = await Promise.all(Array.from({ length: 10 }, async (_, i) => await pupil.raw('audio:chunk', { ...place, ...sound(`piece ${i}`, { chunkId: `c${i}`, ...at }) })))
  t.same(answers, answers.map(() => ({ ok: true })))
  for (let i = 0; i < 10; i++) t.match(await teacher.next('transcription:group:new'), { groupId: 'red', text: `piece ${i}`, speaker: 'ada' })
  t.match(heard[0], { sessionId, groupId: 'red', userId: 'ada', mimeType: 'audio/webm;codecs=opus', chunkId: 'c0', ...at })
  t.ok(heard.every(({ data }) => data instanceof Uint8Array))
  t.same(await pupil.raw('audio:stream:end', place), { ok: true })
  t.same(pupil.received('audio:error'), [])
})

onBoth(t, 'each refusal has its code, in the acknowledgement and as audio:error', async (t, options) => {
  let chunks = 0
  const { app, mine, pupil, place, sessionId } = await scene(t, { ...options, sessions: { transcriber: () => { chunks++ } } }, { start: false })
  const rest = async (move: string): Promise<unknown> => await app.call('POST', `/sessions/${sessionId}/${move}`, undefined, mine)
  const refused = async (code: string, what: string, where: object = place): Promise<void> => {
    t.match(await pupil.raw('audio:chunk', { ...where, ...sound('x') }), { ok: false, error: { code } }, what)
    t.match(await pupil.next('audio:error'), { ...where, code }, `${what}: and the event`)
    pupil.socket.emit('audio:chunk', { ...where, ...sound('x') })
    t.match(await pupil.next('audio:error'), { ...where, code }, `${what}: the event alone`)
    t.match(await pupil.raw('audio:stream:start', where), { ok: false, error: { code } }, `${what}: a stream`)
    t.match(await pupil.next('audio:error'), { code })
  }
  await refused('SESSION_NOT_ACTIVE', 'before the start')
  await rest('start')
  await refused('NOT_IN_SESSION', 'another group', { sessionId, groupId: 'blue' })
  await refused('NOT_IN_SESSION', 'another session', { sessionId: 'other', groupId: 'red' })
  t.equal(await pupil.code('audio:chunk', { ...place, ...sound('x') }), 'ok')
  await rest('pause')
  await refused('SESSION_PAUSED', 'paused')
  await rest('resume')
  t.equal(await pupil.code('audio:chunk', { ...place, ...sound('x') }), 'ok')
  await rest('end')
  await refused('SESSION_NOT_ACTIVE', 'ended')
  t.equal(chunks, 2, 'what is refused is not heard')
  t.equal(pupil.received('error').length, 0, 'never the other event')
})

t.test('too fast, too much', async t => {
  const { pupil, place } = await scene(t, { sessions: { transcriber: () => {} }, limits: { audioBytesPerSecond: 100_000, audioChunksPerSecond: 20 } })
  const began = performance.now()
  const codes = await Promise.all(Array.from({ length: 30 }, async () => await pupil.raw('audio:chunk', { ...place, ...sound('x') })))
  const slow = codes.filter(answer => !answer.ok)
  // Twenty a second: while they came in, some more may have become free.
  const freed = Math.ceil(20 * (performance.now() - began) / 1000)
  t.ok(slow.length >= 10 - freed && slow.length <= 10 && slow.length > 0, `${slow.length} of 30 in one moment`)
  t.ok(slow.every(({ error }) => error?.code === 'BACKPRESSURE_HINT' && Number(error.details?.retryAfterMs) > 0))
  t.match(await pupil.next('audio:error'), { code: 'BACKPRESSURE_HINT' })
  await new Promise(resolve => setTimeout(resolve, 200))
  t.match(await pupil.raw('audio:chunk', { ...place, data: Buffer.alloc(100_001), mimeType: 'audio/wav' }), { ok: false, error: { code: 'BACKPRESSURE_HINT' } }, 'bytes count too')
})

t.test('a transcriber that does not keep up', async t => {
  let go = (): void => {}
  const gate = new Promise<void>(resolve => { go = resolve })
  const { pupil, place } = await scene(t, { sessions: { transcriber: async () => { await gate } }, limits: { audioChunksPerSecond: 1000, eventBurst: 1000 } })
  const answers = await Promise.all(Array.from({ length: 60 }, async () => await pupil.code('audio:chunk', { ...place, ...sound('x') })))
  t.same(new Set(answers), new Set(['ok']), 'they were taken')
  for (let i = 0; i < 10; i++) t.match(await pupil.next('audio:error'), { ...place, code: 'BACKPRESSURE_HINT' }, 'but so many may wait')
  go()
  await pupil.flush()
  t.equal(pupil.received('audio:error').length, 10)
})

onBoth(t, 'a transcriber that fails', async (t, options) => {
  let call = 0
  const answers = [
    () => { throw new Error('a secret of the host') },
    async () => { throw new Error('later') },
    () => 'not slices' as never,
    () => [{ text: 7 } as never],
    () => [{ text: 'good' }, { text: 'x'.repeat(10_001) }],
    () => [{ text: '' }],
    async () => await Promise.resolve([{ text: 'good' }])
  ]
  const { app, pupil, place, sessionId } = await scene(t, { ...options, sessions: { transcriber: () => answers[call++]?.() } })
  for (let i = 0; i < 5; i++) {
    t.equal(await pupil.code('audio:chunk', { ...place, ...sound('x') }), 'ok')
    const said = await pupil.next('audio:error')
    t.match(said, { ...place, code: /^(INTERNAL|INVALID_PAYLOAD)$/ }, `answer ${i}`)
    t.notMatch(JSON.stringify(said), 'secret')
  }
  await pupil.ok('audio:chunk', { ...place, ...sound('silence') })
  await pupil.ok('audio:chunk', { ...place, ...sound('x') })
  t.match(await pupil.next('transcription:group:new'), { text: 'good' }, 'the next one is heard all the same')
  t.equal(pupil.received('audio:error').length, 5, 'silence is no fault')
  t.equal((await app.app.sessions.transcripts(sessionId)).slices.length, 1)
})

t.test('without a transcriber', async t => {
  const { pupil, place } = await scene(t, {})
  t.match(await pupil.raw('audio:stream:start', place), { ok: false, error: { code: 'UNSUPPORTED_OPERATION' } })
  t.match(await pupil.raw('audio:chunk', { ...place, ...sound('x') }), { ok: false, error: { code: 'UNSUPPORTED_OPERATION' } })
  t.match(await pupil.next('audio:error'), { ...place, code: 'UNSUPPORTED_OPERATION' })
})

t.test('a transcriber may answer later, through the service', async t => {
  let app: App | undefined
  const all = await scene(t, {
    sessions: {
      transcriber: ({ sessionId, groupId }: AudioChunk) => {
        setTimeout(() => { void app?.app.sessions.transcribe(sessionId, [{ groupId, text: 'in the end' }]) }, 5)
      }
    }
  })
  app = all.app
  await all.pupil.ok('audio:chunk', { ...all.place, ...sound('x') })
  t.match(await all.pupil.next('transcription:group:new'), { text: 'in the end' })
})

t.test('over polling as well', async t => {
  const heard: string[] = []
  const app = await build(t, { sessions: { transcriber: ({ data }) => { heard.push(Buffer.from(data).toString()) } } })
  const { sessionId } = await app.session(token(), { groups: [{ groupId: 'red', name: 'Red', memberIds: ['ada'] }] })
  const pupil = await app.connect('/sessions', token({ sub: 'ada', role: 'student' }), { transports: ['polling'] })
  await pupil.ok('session:join', { sessionId })
  await pupil.ok('audio:chunk', { sessionId, groupId: 'red', ...sound('by post') })
  t.same(heard, ['by post'])
})
