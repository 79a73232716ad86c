import * as api from '@opentelemetry/api'
import { AsyncLocalStorageContextManager } from '@opentelemetry/context-async-hooks'
import { BasicTracerProvider, InMemorySpanExporter, SimpleSpanProcessor } from '@opentelemetry/sdk-trace-base'
import { randomBytes } from 'node:crypto'
import { setTimeout as pause } from 'node:timers/promises'
import t from 'tap'
import { createEmitter } from '../lib/worker.ts'
import { build, token, type Remote } from './app.ts'
import { patienceMs } from './client.ts'
import { forkTraced, type Traced } from './fork.ts'
import { startRedis } from './redis.ts'
import { redFallsSilent } from './talk.ts'
import type { Ended } from './traced-server.ts'

/** One trace from what a client sends to what a teacher gets, on whatever processes; and none without the host's word. */

const traceparent = (): { traceId: string, header: Record<string, string> } => {
  const traceId = randomBytes(16).toString('hex')
  return { traceId, header: { traceparent: `00-${traceId}-${randomBytes(8).toString('hex')}-01` } }
}

async function ended (server: Traced, traceId: string, names: readonly string[]): Promise<Ended[]> {
  for (const end = Date.now() + patienceMs; ; await pause(20)) {
    const spans = (await server.spans()).filter(span => span.traceId === traceId)
    if (names.every(name => spans.some(span => span.name === name))) return spans
    if (Date.now() > end) throw new Error(`there is no ${names.join(', ')} in ${spans.map(({ name }) => name).join(', ')}`)
  }
}

const talkTo = async (server: Remote, sessionId: string, tokenOfTeacher: string, header: Record<string, string>, slices: object[]): Promise<number> =>
  (await server.call('POST', `/sessions/${sessionId}/transcripts`, { slices }, tokenOfTeacher, header)).status

t.test('two processes', async t => {
  const redis = await startRedis(t)
  const [a, b] = await Promise.all([forkTraced(t, { redis: redis.url }), forkTraced(t, { redis: redis.url })])
  const mine = token({ sub: 'teacher-secret' })
  const groups = [{ groupId: 'red', name: 'Red', memberIds: ['ada-secret'] }, { groupId: 'blue', name: 'Blue' }]
  const { sessionId } = await a.session(mine, { groups })
  const guidance = await b.connect('/guidance', mine)
  await guidance.ok('session:guidance:subscribe', { sessionId })
  await guidance.ok('analytics:subscribe', { sessionId })
  const traceOf = (event: string): string | undefined => guidance.records.findLast(one => one.event === event)?.meta.traceId

  t.test('talk to one of them, an alert from the other: the caller\'s trace', async t => {
    const { traceId, header } = traceparent()
    t.equal(await talkTo(a, sessionId, mine, header, redFallsSilent()), 202)
    const alert = await guidance.next('teacher:alert')
    t.equal(traceOf('teacher:alert'), traceId)
    await guidance.next('guidance:analytics')
    t.equal(traceOf('guidance:analytics'), traceId, 'also in what is not kept')
    t.notOk(JSON.stringify(alert).includes(traceId), 'and not in the payload')
    const request = 'POST /api/v1/sessions/:sessionId/transcripts'
    const spans = await ended(a, traceId, [request, 'guidance look', 'gate attention', 'gate cooldown', 'emit /guidance teacher:alert'])
    const path: string[] = []
    for (let span = spans.find(({ name }) => name === 'emit /guidance teacher:alert'); span; span = spans.find(({ spanId }) => spanId === span?.parent)) path.push(span.name)
    t.same(path, ['emit /guidance teacher:alert', 'guidance look', request])
    t.equal(spans.find(({ name }) => name === 'gate cooldown')?.attributes['classwaves.reason'], 'first')
  })

  t.test('an event of a socket begins a trace, which others hear of', async t => {
    const pupil = await a.connect('/sessions', token({ role: 'student', sub: 'ada-secret', sessionId }))
    await pupil.ok('student:session:join', { sessionId })
    const teacher = await b.connect('/sessions', mine)
    await teacher.ok('session:join', { sessionId })
    await pupil.ok('group:status_update', { sessionId, groupId: 'red', status: 'issue', issueReason: 'words of a pupil' })
    await teacher.next('group:status_changed')
    const traceId = teacher.records.findLast(({ event }) => event === 'group:status_changed')?.meta.traceId ?? ''
    const spans = await ended(a, traceId, ['/sessions group:status_update', 'emit /sessions group:status_changed'])
    t.equal(spans.find(({ name }) => name === '/sessions group:status_update')?.parent, undefined)

    t.equal(await pupil.code('group:status_update', { sessionId, groupId: 'blue', status: 'ready' }), 'NOT_IN_SESSION')
    const failed = (await a.spans()).filter(({ name }) => name === '/sessions group:status_update').find(({ code }) => code === 2)
    t.equal(failed?.message, 'NOT_IN_SESSION')
    t.not(failed?.traceId, traceId, 'each event a trace of its own')
  })

  t.test('chunks that wait for each other stay in traces of their own, through the gates to the teacher', async t => {
    const heard = await a.session(mine, { groups: [{ groupId: 'red', name: 'Red' }, { groupId: 'blue', name: 'Blue', memberIds: ['ada-secret'] }] })
    const { sessionId } = heard
    const place = { sessionId, groupId: 'blue' }
    const [pupil, teacher] = [await a.connect('/sessions', token({ role: 'student', sub: 'ada-secret', sessionId })), await b.connect('/sessions', mine)]
    await pupil.ok('student:session:join', { sessionId })
    await teacher.ok('session:join', { sessionId })
    await guidance.ok('session:guidance:subscribe', { sessionId })
    const slices = redFallsSilent()
    const isRed = ({ groupId }: { groupId: string }): boolean => groupId === 'red'
    t.equal(await talkTo(a, sessionId, mine, {}, slices.filter(isRed)), 202)
    const blue = slices.filter(slice => !isRed(slice)).map(({ groupId: _, ...slice }) => slice)
    await pupil.ok('audio:stream:start', place)
    const chunks = Array.from({ length: 8 }, (_, i) => blue.slice(8 * i, 8 * i + 8))
    await Promise.all(chunks.map(async said => await pupil.ok('audio:chunk', { ...place, data: Buffer.from(JSON.stringify(said)), mimeType: 'audio/webm' })))
    while (!guidance.received('teacher:alert').some(alert => alert.sessionId === sessionId)) await guidance.next('teacher:alert')
    while (teacher.received('transcription:group:new').filter(one => one.groupId === 'blue').length < blue.length) await teacher.next('transcription:group:new')
    const told = teacher.records.filter(({ event, payload }) => event === 'transcription:group:new' && (payload as { groupId: string }).groupId === 'blue').map(({ meta }) => meta.traceId)
    t.equal(new Set(told).size, chunks.length, 'each chunk has its own')
    const alert = guidance.records.findLast(({ event, payload }) => event === 'teacher:alert' && (payload as { sessionId: string }).sessionId === sessionId)?.meta.traceId ?? ''
    t.ok(told.includes(alert), 'and the alert that of the chunk which gave rise to it')
    await ended(a, alert, ['/sessions audio:chunk', 'emit /sessions transcription:group:new', 'gate cooldown', 'emit /guidance teacher:alert'])
  })

  t.test('work that another process takes over stays in the trace of the talk', async t => {
    const other = await a.session(mine, { groups })
    await guidance.ok('session:guidance:subscribe', { sessionId: other.sessionId })
    const slices = redFallsSilent()
    await talkTo(a, other.sessionId, mine, {}, slices.slice(0, 1))
    // Somebody else is at work on this session, so what becomes due is left for whoever comes after.
    const client = redis.client()
    const key = `guidance:state:${other.sessionId}`
    const session = JSON.parse(await client.hget(key, 'session') ?? '') as object
    await client.hset(key, 'session', JSON.stringify({ ...session, lease: { owner: 'another', until: Date.now() + 8_000 } }))
    const { traceId, header } = traceparent()
    t.equal(await talkTo(a, other.sessionId, mine, header, slices.slice(1)), 202)
    const theirs = await a.spans()
    t.notOk(theirs.some(span => span.traceId === traceId && span.name === 'guidance look'), 'it was left')
    await a.kill()
    while (!guidance.received('teacher:alert').some(alert => alert.sessionId === other.sessionId)) await guidance.next('teacher:alert')
    t.equal(traceOf('teacher:alert'), traceId)
    const spans = await ended(b, traceId, ['guidance look', 'gate cooldown', 'emit /guidance teacher:alert'])
    const parents = new Set(spans.filter(({ name }) => name === 'guidance look').map(({ parent }) => parent))
    t.same([...parents].filter(parent => !theirs.some(({ spanId, traceId: trace }) => spanId === parent && trace === traceId)), [], 'under the request that the other process answered')
  })

  t.test('what a span says is declared', async t => {
    const spans = await b.spans()
    const values = new Map(spans.flatMap(({ attributes }) => Object.entries(attributes).map(([name, value]) => [name, String(value)] as const)))
    t.same([...values.keys()].filter(name => !['http.route', 'classwaves.namespace', 'classwaves.event', 'classwaves.role', 'classwaves.reason'].includes(name)), [])
    const said = JSON.stringify(spans.map(({ name, attributes, message }) => [name, attributes, message]))
    for (const word of [sessionId, 'secret', 'words of a pupil', '"red"', 'leaf']) t.notOk(said.includes(word), word)
  })
})

t.test('without the host\'s word nothing is traced, and without an SDK nothing has an id', async t => {
  const redis = await startRedis(t)
  const mine = token({ sub: 'teacher-1' })
  const hears = async (options: object): Promise<string | undefined> => {
    const app = await build(t, { redis: redis.url, ...options })
    const { sessionId } = await app.session(mine)
    const socket = await app.connect('/sessions', mine)
    await socket.ok('session:join', { sessionId })
    await app.call('POST', `/sessions/${sessionId}/pause`, undefined, mine)
    while ((await socket.next('session:status_changed')).status !== 'paused') t.pass('a step before')
    return socket.records.at(-1)?.meta.traceId
  }
  t.equal(await hears({ tracing: api }), undefined, 'no SDK')

  const exporter = new InMemorySpanExporter()
  api.trace.setGlobalTracerProvider(new BasicTracerProvider({ spanProcessors: [new SimpleSpanProcessor(exporter)] }))
  api.context.setGlobalContextManager(new AsyncLocalStorageContextManager().enable())
  t.equal(await hears({}), undefined, 'an SDK, and no word')
  t.same(exporter.getFinishedSpans(), [])
  t.match(await hears({ tracing: api }), /^[0-9a-f]{32}$/)
  t.ok(exporter.getFinishedSpans().length > 0)

  const app = await build(t, { redis: redis.url })
  const { sessionId } = await app.session(mine)
  const socket = await app.connect('/sessions', mine)
  await socket.ok('session:join', { sessionId })
  const emitter = createEmitter({ redis: redis.url, tracing: api })
  t.teardown(async () => await emitter.close())
  const slice = { sessionId, groupId: 'red', id: 's1', text: 'The river bends.', timestamp: new Date().toISOString() }
  const traceId = await api.trace.getTracer('a worker').startActiveSpan('recognise', async span => {
    await emitter.sessions.to({ sessionId, groupId: 'red' }).emit('transcription:group:new', slice)
    span.end()
    return span.spanContext().traceId
  })
  await socket.next('transcription:group:new')
  t.equal(socket.records.at(-1)?.meta.traceId, traceId, 'a worker\'s trace')
  await t.rejects(build(t, { tracing: { trace: true } as never }), { message: /option tracing must be the module @opentelemetry\/api/ })
})
