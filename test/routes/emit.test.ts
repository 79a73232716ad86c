import t from 'tap'
import { build, onBoth, token } from '../app.ts'

const now = new Date().toISOString()

onBoth(t, 'a worker without Redis sends through the same door', async (t, options) => {
  const app = await build(t, options)
  const mine = token({ sub: 'teacher-1' })
  const worker = token({ role: 'worker' })
  const { sessionId } = await app.session(mine)
  const [sessions, guidance] = [await app.connect('/sessions', mine), await app.connect('/guidance', mine)]
  await sessions.ok('session:join', { sessionId })
  await guidance.ok('guidance:subscribe', {})
  await guidance.ok('analytics:subscribe', {})
  const emit = async (namespace: string, event: string, payload: unknown) => await app.call('POST', `/sessions/${sessionId}/emit`, { namespace, event, payload }, worker)

  const slice = { sessionId, groupId: 'red', id: 'a', text: 'The river bends.', timestamp: now }
  t.match(await emit('/sessions', 'transcription:group:new', slice), { status: 202, body: { emitted: true } })
  t.match(await sessions.next('transcription:group:new'), slice)
  t.match(sessions.records.at(-1)?.meta, { id: String, room: `session:${sessionId}:group:red`, at: String, epoch: String, offset: 1 })
  const score = { category: 'attention' as const, sessionId, metrics: { groupId: 'red', attentionScore: 82, onTrackScore: 0.63 }, timestamp: now }
  t.equal((await emit('/guidance', 'guidance:analytics', score)).status, 202)
  t.match(await guidance.next('guidance:analytics'), score)
  const prompt = {
    promptId: 'p1', sessionId, groupId: 'red', category: 'energy' as const, priority: 'low' as const, message: 'Ask.', why: [], suggestedTiming: 'next_break' as const, generatedAt: now, expiresAt: now, templateKey: 'k'
  }
  t.equal((await emit('/guidance', 'teacher:recommendations', [prompt])).status, 202)
  t.match(await guidance.next('teacher:recommendations'), [prompt])

  const wrong: [string, string, unknown, number, string][] = [
    ['/nowhere', 'x', {}, 400, 'INVALID_PAYLOAD'],
    ['/sessions', 'no:such', {}, 400, 'UNSUPPORTED_OPERATION'],
    ['/sessions', '__proto__', {}, 400, 'UNSUPPORTED_OPERATION'],
    ['/sessions', 'session:join', { sessionId }, 400, 'UNSUPPORTED_OPERATION'],
    ['/sessions', 'error', { code: 'INTERNAL', message: 'x', event: 'x' }, 400, 'UNSUPPORTED_OPERATION'],
    ['/sessions', 'audio:error', { sessionId, groupId: 'red', code: 'INTERNAL' }, 400, 'UNSUPPORTED_OPERATION'],
    ['/sessions', 'transcription:group:new', { ...slice, text: 7 }, 400, 'INVALID_PAYLOAD'],
    ['/sessions', 'transcription:group:new', { ...slice, sessionId: 'another' }, 400, 'INVALID_PAYLOAD'],
    ['/sessions', 'transcription:group:new', [slice], 400, 'INVALID_PAYLOAD'],
    ['/sessions', 'transcription:group:new', 'x', 400, 'INVALID_PAYLOAD'],
    ['/sessions', 'transcription:group:new', null, 400, 'INVALID_PAYLOAD'],
    ['/guidance', 'teacher:recommendations', [prompt, { ...prompt, sessionId: 'another' }], 400, 'INVALID_PAYLOAD'],
    ['/guidance', 'teacher:recommendations', [null], 400, 'INVALID_PAYLOAD']
  ]
  for (const [namespace, event, payload, status, code] of wrong) {
    t.match(await emit(namespace, event, payload), { status, body: { statusCode: status, code } }, `${namespace} ${event}`)
  }
  await Promise.all([sessions.flush(), guidance.flush()])
  t.same(sessions.names().filter(name => name !== 'presence:updated'), ['transcription:group:new'])
  t.same(guidance.names(), ['guidance:subscribed', 'guidance:analytics', 'teacher:recommendations'])
})
