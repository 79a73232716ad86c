import { io, type Socket } from 'socket.io-client'
import t, { type Test } from 'tap'
import type { Session } from '../../index.ts'
import { build, onBoth, token, type App } from '../app.ts'
import { redFallsSilent } from '../talk.ts'

/**
 * A client that knows the canon (seed 000) and nothing else: its two namespaces, its names and its fields, no
 * acknowledgements, no events of ours. It can do everything that the canon lists.
 */

type Payload = Record<string, unknown>

class SeedClient {
  readonly socket: Socket
  readonly #heard: { event: string, payload: Payload }[] = []

  constructor (t: Test, url: string, token: string) {
    this.socket = io(url, { auth: { token }, transports: ['websocket'] })
    this.socket.onAny((event: string, payload: Payload) => this.#heard.push({ event, payload }))
    t.teardown(() => this.socket.disconnect())
  }

  emit (event: string, payload: Payload): void { this.socket.emit(event, payload) }

  /** The first that came since the last one asked for, of this name. */
  async hears (event: string): Promise<Payload> {
    const until = Date.now() + 15_000
    for (;;) {
      const at = this.#heard.findIndex(one => one.event === event)
      if (at >= 0) return this.#heard.splice(at, 1)[0]?.payload as Payload
      if (Date.now() > until) throw new Error(`${event} did not come; there are ${this.#heard.map(one => one.event).join(', ')}`)
      await new Promise(resolve => setTimeout(resolve, 5))
    }
  }

  has (event: string): boolean { return this.#heard.some(one => one.event === event) }
}

async function inRoom (app: App, namespace: string, room: string, inside = true): Promise<void> {
  while (app.app.io.of(namespace).adapter.rooms.has(room) !== inside) await new Promise(resolve => setTimeout(resolve, 5))
}

onBoth(t, 'the canon, end to end', async (t, options) => {
  const app = await build(t, { ...options, sessions: { transcriber: () => {} } })
  const mine = token({ sub: 'teacher-1' })
  const rest = async <T = Session>(method: string, path: string, body?: object, who = mine) => (await app.call<T>(method, path, body, who)).body
  const worker = token({ role: 'worker' })
  const { sessionId, code } = await rest('POST', '/sessions', { topic: 'How do plants make food?', groups: [{ groupId: 'red', name: 'Red' }, { groupId: 'blue', name: 'Blue' }] })
  const emit = async (namespace: string, event: string, payload: object) => await rest('POST', `/sessions/${sessionId}/emit`, { namespace, event, payload }, worker)
  const timestamp = new Date().toISOString()

  const refused = new SeedClient(t, `${app.url}/sessions`, 'not a token')
  const error = await new Promise<Error & { data?: Payload }>(resolve => refused.socket.once('connect_error', resolve))
  t.equal(error.data?.code, 'AUTH_FAILED')
  refused.socket.disconnect()

  const sessions = new SeedClient(t, `${app.url}/sessions`, mine)
  const guidance = new SeedClient(t, `${app.url}/guidance`, mine)

  sessions.emit('session:guidance:subscribe', { sessionId })
  await inRoom(app, '/sessions', `session:${sessionId}`)
  sessions.emit('analytics:subscribe', { sessionId })
  sessions.emit('session:update_status', { sessionId, status: 'active' })
  t.match(await sessions.hears('error'), { code: 'UNSUPPORTED_OPERATION' }, 'moves are REST-first')

  guidance.emit('guidance:subscribe', {})
  t.match(await guidance.hears('guidance:subscribed'), { subscriptions: ['teacher_alerts', 'recommendations', 'insights'], timestamp: String })
  guidance.emit('session:guidance:subscribe', { sessionId })
  t.match(await guidance.hears('session:guidance:subscribed'), { sessionId, sessionStatus: 'created', timestamp: String })
  guidance.emit('analytics:subscribe', { sessionId })
  await inRoom(app, '/guidance', `analytics:session:${sessionId}:attention`)
  t.notOk(app.app.io.of('/guidance').adapter.rooms.has(`analytics:session:${sessionId}:tier2-shift`), 'attention alone unless more is asked for')
  guidance.emit('analytics:subscribe', { sessionId, metrics: ['attention', 'tier2-shift'] })
  await inRoom(app, '/guidance', `analytics:session:${sessionId}:tier2-shift`)
  const admin = new SeedClient(t, `${app.url}/guidance`, token({ role: 'admin' }))
  admin.emit('analytics:subscribe', { metrics: ['attention'] })
  await inRoom(app, '/guidance', 'analytics:global:attention')

  await rest('POST', `/sessions/${sessionId}/start`)
  t.match(await sessions.hears('session:status_changed'), { sessionId, status: 'active' })

  const joined = await rest<{ token: string, participant: { userId: string } }>('POST', '/sessions/join', { code, displayName: 'Ada', groupId: 'red' }, '')
  const studentId = joined.participant.userId
  const pupil = new SeedClient(t, `${app.url}/sessions`, joined.token)
  pupil.emit('student:session:join', { sessionId })
  t.same(await sessions.hears('student:session:joined'), { sessionId, studentId })
  t.same(await sessions.hears('group:joined'), { sessionId, groupId: 'red', studentId })
  pupil.emit('audio:stream:ack', { sessionId, groupId: 'red' })
  pupil.emit('group:status_update', { sessionId, groupId: 'red', status: 'issue', issueReason: 'no microphone' })
  t.match(await sessions.hears('group:status_changed'), { groupId: 'red', status: 'issue', isReady: false, issueReason: 'no microphone' })

  await rest('POST', `/sessions/${sessionId}/transcripts`, { slices: redFallsSilent() }, worker)
  t.match(await sessions.hears('transcription:group:new'), { sessionId, groupId: 'blue', text: String, timestamp: String })
  t.match(await pupil.hears('transcription:group:new'), { groupId: 'red' }, 'a pupil hears their own group')

  const promptOf = { promptId: String, sessionId, groupId: 'red', category: String, priority: String, message: String, suggestedTiming: String, generatedAt: String, expiresAt: String }
  t.match(await guidance.hears('teacher:recommendations'), [promptOf])
  const alert = await guidance.hears('teacher:alert')
  t.match(alert, { ...promptOf, priority: 'high', suggestedTiming: 'immediate' })
  t.match(await guidance.hears('ai:tier1:insight'), { sessionId, groupId: String, insights: { topicalCohesion: Number, confusionRisk: Number, energyLevel: Number }, timestamp: String })
  t.match(await guidance.hears('ai:tier2:insight'), { sessionId, groupId: String, insights: { argumentationQuality: Object, collaborationPatterns: Object, learningSignals: Object }, timestamp: String })
  const attention = await guidance.hears('guidance:analytics')
  t.match(attention, { category: 'attention', sessionId, metrics: { groupId: String, onTrackScore: Number }, timestamp: String })
  t.ok(Number.isInteger((attention.metrics as Payload).attentionScore))
  t.match(await admin.hears('guidance:analytics'), { category: 'attention', sessionId })
  const shift = { category: 'tier2-shift', sessionId, metrics: { groupId: 'red', metric: 'collaborationPatterns', previous: 0.72, current: 0.54, delta: -0.18, threshold: -0.15 }, timestamp }
  await emit('/guidance', 'guidance:analytics', shift)
  let next = await guidance.hears('guidance:analytics')
  while (next.category !== 'tier2-shift') next = await guidance.hears('guidance:analytics')
  t.same(next, shift)

  guidance.emit('prompt:interact', { promptId: alert.promptId, action: 'acknowledge', sessionId })
  t.match(await guidance.hears('prompt:interaction_confirmed'), { promptId: alert.promptId, action: 'acknowledge', timestamp: String })
  guidance.emit('prompt:interact', { promptId: alert.promptId, action: 'use', feedback: 'It helped.' })
  t.match(await guidance.hears('prompt:interaction_confirmed'), { action: 'use' })

  if (options.redis) t.same(await missingKeys(app, sessionId), [], 'the keys of the canon, section 4')

  guidance.emit('guidance:unsubscribe', { subscriptions: ['insights'] })
  t.match(await guidance.hears('guidance:subscribed'), { subscriptions: ['teacher_alerts', 'recommendations'] })
  guidance.emit('analytics:unsubscribe', { sessionId, metrics: ['attention', 'tier2-shift'] })
  await inRoom(app, '/guidance', `analytics:session:${sessionId}:tier2-shift`, false)
  guidance.emit('session:guidance:unsubscribe', { sessionId })
  await inRoom(app, '/guidance', `guidance:session:${sessionId}`, false)

  await rest('POST', `/sessions/${sessionId}/pause`)
  t.match(await pupil.hears('session:status_changed'), { status: 'paused' })
  t.match(await sessions.hears('session:status_changed'), { status: 'paused' })
  pupil.emit('audio:chunk', { sessionId, groupId: 'red', data: Buffer.from('sound') as unknown as Payload, mimeType: 'audio/webm' })
  t.match(await pupil.hears('audio:error'), { sessionId, groupId: 'red', code: 'SESSION_PAUSED' })
  await emit('/sessions', 'analytics:failed', { sessionId, errorCode: 'INTERNAL', message: 'The results could not be made.' })
  t.match(await sessions.hears('analytics:failed'), { sessionId, errorCode: 'INTERNAL', message: String })

  await rest('POST', `/sessions/${sessionId}/end`)
  t.match(await sessions.hears('session:status_changed'), { status: 'ending' })
  t.match(await sessions.hears('session:status_changed'), { status: 'ended' })
  t.match(await sessions.hears('analytics:finalized'), { sessionId, analyticsId: String, durationMs: Number, summary: { groups: Array } })
  sessions.emit('session:guidance:unsubscribe', { sessionId })
  await inRoom(app, '/sessions', `session:${sessionId}:teacher`, false)
  t.notOk(sessions.has('error'))
  t.notOk(guidance.has('error'))
})

/** Which kinds of key of the canon are not in Redis. */
async function missingKeys ({ app }: App, sessionId: string): Promise<string[]> {
  const keys = await app.redis.keys('guidance:*')
  return [
    `guidance:energy:stats:${sessionId}:blue`,
    `guidance:prompt:acks:${sessionId}:red`,
    `guidance:attention:last:${sessionId}:red`,
    `guidance:autoprompt:last:${sessionId}:red`,
    `guidance:autoprompt:hashes:${sessionId}:red`,
    'guidance:prompt:template_stats:',
    `guidance:tier2:last:${sessionId}:blue`
  ].filter(name => !keys.some(key => key.startsWith(name)))
}
