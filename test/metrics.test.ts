import { Registry } from '@platformatic/prom-client'
import { setTimeout as pause } from 'node:timers/promises'
import t, { type Test } from 'tap'
import { Closed, contract, Id, Payload, receives, room, sends } from '../index.ts'
import { createRedisJournal } from '../lib/core/journal-redis.ts'
import { createMetrics } from '../lib/core/metrics.ts'
import { build, onBoth, token, type App } from './app.ts'
import { patienceMs, type Client } from './client.ts'
import { startRedis } from './redis.ts'
import { metricOf, samplesOf, type Sample } from './scrape.ts'
import { redFallsSilent } from './talk.ts'

/** Every metric moves when what it counts happens, in a class that really takes place; and no label grows with the school. */

const admin = token({ role: 'admin' })
const scrape = async (app: App): Promise<Sample[]> => samplesOf((await app.call<string>('GET', '//metrics', undefined, admin)).body)
const seen = new Set<string>()

/** Waits for a series with these labels whose value is `least` or more. */
async function moves (t: Test, app: App, name: string, labels: Record<string, string> = {}, least = 1): Promise<void> {
  const fits = (sample: Sample): boolean =>
    sample.name === name && sample.value >= least && Object.entries(labels).every(([label, value]) => sample.labels[label] === value)
  for (const end = Date.now() + patienceMs; ; await pause(20)) {
    const found = (await scrape(app)).find(fits)
    if (found) {
      seen.add(metricOf(found))
      t.pass(`${name} ${JSON.stringify(found.labels)} ${found.value}`)
      return
    }
    if (Date.now() > end) throw new Error(`${name} ${JSON.stringify(labels)} did not move`)
  }
}

t.test('each metric in a class of its own', async t => {
  const redis = await startRedis(t)
  const registry = new Registry()
  const app = await build(t, {
    redis: redis.url,
    metrics: { registry },
    drainMs: 300,
    sessions: { transcriber: ({ data }) => [{ text: Buffer.from(data).toString() }] },
    guidance: { analyzer: { tier1: async () => { throw new Error('no model') } } }
  })
  const mine = token({ sub: 'teacher-1' })
  const ada = token({ role: 'student', sub: 'ada' })
  const groups = [{ groupId: 'red', name: 'Red', memberIds: ['ada'] }, { groupId: 'blue', name: 'Blue' }]
  const { sessionId, code } = await app.session(mine, { groups })
  const teacher = await app.connect('/sessions', mine)
  const guidance = await app.connect('/guidance', mine)

  t.test('connections, events and requests', async t => {
    const pupil = await app.connect('/sessions', ada)
    await pupil.ok('student:session:join', { sessionId })
    const { positions } = await teacher.ok('session:join', { sessionId })
    t.equal(await pupil.code('group:leader_ready', { sessionId, groupId: 'blue', ready: true }), 'NOT_IN_SESSION')
    await app.refusal('/sessions', {})
    await app.call('GET', '/sessions/unknown', undefined, mine)
    await moves(t, app, 'classwaves_sockets', { namespace: '/sessions' }, 2)
    await moves(t, app, 'classwaves_rooms', { namespace: '/sessions', sockets: '2-5' })
    await moves(t, app, 'classwaves_connects_total', { namespace: '/sessions', result: 'AUTH_FAILED' })
    await moves(t, app, 'classwaves_events_received_total', { event: 'student:session:join', result: 'ok' })
    await moves(t, app, 'classwaves_events_received_total', { event: 'group:leader_ready', result: 'NOT_IN_SESSION' })
    await moves(t, app, 'classwaves_event_seconds_count', { event: 'group:leader_ready' })
    await moves(t, app, 'classwaves_events_sent_total', { namespace: '/sessions', event: 'student:session:joined' })
    await moves(t, app, 'classwaves_request_seconds_count', { method: 'GET', route: '/api/v1/sessions/:sessionId', status: '404' })
    await moves(t, app, 'classwaves_session_transitions_total', { status: 'active' })
    for (const connection of ['commands', 'subscription', 'adapter']) await moves(t, app, 'classwaves_redis_ready', { connection })
    await moves(t, app, 'classwaves_redis_seconds_count')

    pupil.close()
    await moves(t, app, 'classwaves_disconnects_total', { namespace: '/sessions', reason: 'client_namespace_disconnect' })

    for (const move of ['pause', 'resume']) await app.call('POST', `/sessions/${sessionId}/${move}`, undefined, mine)
    const again = await app.connect('/sessions', mine)
    await again.ok('session:join', { sessionId, since: positions })
    await moves(t, app, 'classwaves_replays_total', { namespace: '/sessions', result: 'recovered' })
    await moves(t, app, 'classwaves_replayed_events_total', { namespace: '/sessions' }, 2)
    const [[room = '', place] = []] = Object.entries(positions)
    await again.ok('session:leave', { sessionId })
    await again.ok('session:join', { sessionId, since: { [room]: { epoch: '1', offset: place?.offset ?? 0 } } })
    await moves(t, app, 'classwaves_replays_total', { namespace: '/sessions', result: 'lost' })
    again.close()
  })

  t.test('a host may have any namespaces, and they share one label', async t => {
    app.app.io.of(/^\/room-\d+$/)
    for (let i = 0; i < 3; i++) (await app.connect(`/room-${i}`, ada)).close()
    await moves(t, app, 'classwaves_connects_total', { namespace: 'other', result: 'ok' }, 3)
  })

  t.test('one that it serves through the door of ours is counted as ours are', async t => {
    const namespace = '/hands'
    const desk = room('desk:{classId}')
    const inClass = { payload: Closed({ classId: Id }), who: ['student'] as const }
    app.app.classwaves.serve(contract({
      namespace,
      summary: 'Pupils raise a hand.',
      admits: ['student'],
      receives: { 'hand:raise': receives({ summary: 'A pupil raises a hand.', ...inClass }), 'hand:drop': receives({ summary: 'A pupil drops it.', ...inClass }) },
      sends: { 'hand:raised': sends({ summary: 'A hand is up.', payload: Payload({ classId: Id }), rooms: [desk], kept: false }) }
    }), {
      async 'hand:raise' (context, place) {
        await context.join(desk(place))
        await context.emit.to(place).emit('hand:raised', place)
      },
      'hand:drop' () { throw new Error('of the host') }
    })
    const pupil = await app.connect(namespace, ada)
    const place = { classId: '7b' }
    const codes = [await pupil.code('hand:raise', place), await pupil.code('hand:drop', place), await pupil.code('hand:wave', place)]
    t.same(codes, ['ok', 'INTERNAL', 'UNSUPPORTED_OPERATION'])
    await moves(t, app, 'classwaves_sockets', { namespace })
    await moves(t, app, 'classwaves_rooms', { namespace, sockets: '1' })
    await moves(t, app, 'classwaves_connects_total', { namespace, result: 'ok' })
    for (const [event, result] of [['hand:raise', 'ok'], ['hand:drop', 'INTERNAL'], ['undeclared', 'UNSUPPORTED_OPERATION']] as const) {
      await moves(t, app, 'classwaves_events_received_total', { namespace, event, result })
    }
    await moves(t, app, 'classwaves_event_seconds_count', { namespace, event: 'hand:drop' })
    await moves(t, app, 'classwaves_events_sent_total', { namespace, event: 'hand:raised' })
    t.notOk((await scrape(app)).some(({ labels }) => Object.values(labels).some(text => /7b|hand:wave/.test(text))), 'of what is not declared there is no label')
    pupil.close()
    await moves(t, app, 'classwaves_disconnects_total', { namespace, reason: 'client_namespace_disconnect' })
  })

  t.test('talk and guidance', async t => {
    await guidance.ok('guidance:subscribe', {})
    await app.call('POST', `/sessions/${sessionId}/transcripts`, { slices: redFallsSilent() }, mine)
    const prompt = await guidance.next('teacher:alert')
    await guidance.ok('prompt:interact', { promptId: prompt.promptId, action: 'use' })
    await guidance.ok('prompt:interact', { promptId: prompt.promptId, action: 'use' })
    await moves(t, app, 'classwaves_transcript_slices_total', { result: 'accepted' }, 70)
    await moves(t, app, 'classwaves_gate_decisions_total', { gate: 'attention', reason: 'first' }, 2)
    await moves(t, app, 'classwaves_gate_seconds_count', { gate: 'cooldown' })
    await moves(t, app, 'classwaves_guidance_delay_seconds_count', { event: 'teacher:alert' })
    await moves(t, app, 'classwaves_guidance_delay_seconds_count', { event: 'guidance:analytics' })
    await moves(t, app, 'classwaves_prompts_total', { result: 'sent' })
    await moves(t, app, 'classwaves_prompt_actions_total', { action: 'use' })
    t.equal((await scrape(app)).find(({ name }) => name === 'classwaves_prompt_actions_total')?.value, 1, 'the same action again is none')
    await moves(t, app, 'classwaves_analyzer_failures_total', { tier: '1' })

    const pupil = await app.connect('/sessions', ada)
    await pupil.ok('student:session:join', { sessionId })
    t.equal(await pupil.code('audio:chunk', { sessionId, groupId: 'red', data: Buffer.from('heard'), mimeType: 'audio/webm' }), 'ok')
    await moves(t, app, 'classwaves_audio_chunks_total', { result: 'ok' })
  })

  t.test('chat', async t => {
    const classroom = await app.connect('/', mine)
    await classroom.raw('joinSession', { sessionCode: code })
    await classroom.raw('sendMessage', { sessionCode: code, message: 'Good morning' })
    await moves(t, app, 'classwaves_class_size_count')
    await moves(t, app, 'classwaves_chat_messages_total', { result: 'published' })
  })

  t.test('what the wire loses is read from what is kept', async t => {
    const other = redis.client()
    const journal = createRedisJournal({ client: () => other, ttlSeconds: 60 })
    const payload = { sessionId, groupId: 'red', id: 'lost', text: 'Who hears this?', timestamp: new Date().toISOString() }
    const rooms = [`session:${sessionId}:group:red`]
    await other.ping()
    const lost = other.call('CLIENT', 'KILL', 'TYPE', 'pubsub')
    await journal.append({ namespace: '/sessions', rooms, event: 'transcription:group:new', payload, meta: { id: 'lost', room: rooms[0] as string, at: payload.timestamp } })
    await lost
    while ((await teacher.next('transcription:group:new')).id !== 'lost') t.pass('talk of before')
    await moves(t, app, 'classwaves_gap_events_total', { namespace: '/sessions' })
  })

  t.test('a reader that stops', async t => {
    const reader = await app.connect('/sessions', mine)
    await reader.ok('session:join', { sessionId })
    wireOf(reader).pause()
    const say = async (): Promise<void> => {
      const place = { sessionId, groupId: 'red' }
      for (let i = 0; i < 25; i++) {
        await app.app.classwaves.emit.sessions?.to(place).emit('transcription:group:new', { ...place, id: String(Math.random()), text: 'word '.repeat(4_000), timestamp: new Date().toISOString() })
      }
    }
    while (!(await scrape(app)).some(({ name, value }) => name === 'classwaves_slow_readers' && value > 0)) await say()
    await moves(t, app, 'classwaves_slow_readers')
    while (!(await scrape(app)).some(({ name, labels }) => name === 'classwaves_connection_faults_total' && labels.what === 'slow')) await say()
    await moves(t, app, 'classwaves_connection_faults_total', { what: 'slow' })
  })

  t.test('Redis away', async t => {
    await redis.kill()
    while ((await app.call<{ redis: string }>('GET', '//health')).body.redis === 'ready') await pause(10)
    const group = { sessionId, groupId: 'red' }
    await app.app.guidance.gates.attention({ ...group, score: 80 })
    const timestamp = new Date().toISOString()
    await t.rejects(app.app.classwaves.emit.sessions?.to({ sessionId }).emit('session:status_changed', { sessionId, status: 'paused', version: 9, timestamp }) ?? Promise.resolve())
    await app.app.classwaves.emit.guidance?.to({ ...group, teacherId: 'teacher-1' }).emit('guidance:analytics', {
      category: 'tier2-shift', sessionId, metrics: { groupId: 'red', metric: 'argumentationQuality', previous: 0.2, current: 0.8, delta: 0.6, threshold: 0.3 }, timestamp
    } as never)
    await moves(t, app, 'guidance_redis_unavailable_total', { gate: 'attention' })
    await moves(t, app, 'guidance_attention_redis_unavailable_total')
    await moves(t, app, 'classwaves_redis_failures_total', { why: 'away' })
    await moves(t, app, 'classwaves_send_failures_total', { namespace: '/sessions', event: 'session:status_changed' })
    await moves(t, app, 'classwaves_publish_failures_total')
    const stands = (await scrape(app)).filter(({ name }) => name === 'classwaves_redis_ready').map(({ labels, value }) => [labels.connection, value])
    t.same(stands, [['commands', 0], ['subscription', 0], ['adapter', 0]], 'and the gauge says so')
  })

  t.test('going away', async t => {
    const draining = async (): Promise<number | undefined> => samplesOf(await registry.metrics()).find(({ name }) => name === 'classwaves_draining')?.value
    t.equal(await draining(), 0)
    const closed = app.app.close()
    while (await draining() !== 1) await pause(1)
    seen.add('classwaves_draining')
    await closed
  })

  t.test('that was all of them', async t => {
    const declared = createMetrics(new Registry()).registry.getMetricsAsArray().map(({ name }) => name)
    t.same(declared.filter(name => !seen.has(name)), [], 'each one moved')
    t.same([...seen].filter(name => !declared.includes(name)), [])
  })
})

onBoth(t, '10,000 sessions of 10,000 teachers make no more series than a school', async (t, options) => {
  const app = await build(t, { ...options, limits: { connectsPer10Seconds: 100_000 } })
  const visit = async (i: number): Promise<void> => {
    const [teacherId, groupId] = [`teacher-${i}`, `group-${i}`]
    await app.app.guidance.gates.attention({ sessionId: `session-${i}`, groupId, score: 50 })
    await app.app.classwaves.emit.sessions?.to({ sessionId: `session-${i}` }).emit('presence:updated', { sessionId: `session-${i}`, userId: teacherId, status: 'connected' })
    if (i % 50 > 0) return
    const { sessionId } = await app.app.sessions.create({ topic: `Topic ${i}`, groups: [{ groupId, name: `Group ${i}` }] }, teacherId)
    await app.app.sessions.start(sessionId)
    await app.app.sessions.enrol(sessionId, { userId: `pupil-${i}`, displayName: `Pupil ${i}` })
    await app.app.sessions.transcribe(sessionId, [{ groupId, speaker: `pupil-${i}`, text: 'Why?' }])
    if (i % 200 > 0) return
    const socket = await app.connect('/sessions', token({ sub: teacherId })) as unknown as Client
    await socket.raw('session:join', { sessionId })
    await socket.raw(`event-${i}`, {})
    await app.call('GET', `/sessions/${sessionId}`, undefined, token({ sub: teacherId }))
    socket.close()
  }
  const visits = async (from: number, to: number): Promise<void> => {
    // Of so many questions a busy machine may leave one unanswered for a second: it is asked again.
    for (let i = from; i < to; i++) await visit(i).catch(async () => await visit(i))
  }
  await visits(0, 100)
  const before = await scrape(app)
  await visits(100, 10_000)
  const after = await scrape(app)
  const said = after.find(({ name, labels }) => name === 'classwaves_events_sent_total' && labels.event === 'presence:updated')?.value ?? 0
  t.ok(said >= 10_000, `${said} events`)
  // What has not happened in the first hundred may happen later: a wait for memory, a reason of a gate, and after ten seconds
  // what guidance says of silence, a histogram for each of its events. A label for each session would be two hundred.
  t.ok(after.length < before.length + 150, `${before.length} series, then ${after.length}`)
  const texts = after.flatMap(({ labels }) => Object.values(labels))
  t.same(texts.filter(text => /-\d+$|[0-9a-f]{8}-[0-9a-f]{4}/.test(text) && !/^\d+-\d+$/.test(text)), [], 'no label names anybody or anything')
})

function wireOf ({ socket }: { socket: Client['socket'] }): { pause (): void } {
  return (socket.io.engine.transport as unknown as { ws: { pause (): void } }).ws
}
