import t from 'tap'
import type { AudioChunk, Session } from '../../index.ts'
import { sessionKeys } from '../../lib/sessions/store-redis-scripts.ts'
import { build, onBoth, token, type Reply } from '../app.ts'
import { redFallsSilent } from '../talk.ts'
import { useRedis } from '../redis.ts'

onBoth(t, 'ending, ended and the results, in this order', async (t, options) => {
  const app = await build(t, options)
  const mine = token({ sub: 'teacher-1' })
  const { sessionId } = await app.session(mine)
  const teacher = await app.connect('/sessions', mine)
  await teacher.ok('session:join', { sessionId })
  const everywhere = await app.connect('/sessions', mine)
  await everywhere.ok('analytics:subscribe', {})
  const pupil = await app.connect('/sessions', token({ role: 'student', sub: 'ada', sessionId, groupId: 'red' }))
  await pupil.ok('student:session:join', { sessionId })
  await app.call('POST', `/sessions/${sessionId}/transcripts`, { slices: redFallsSilent() }, mine)
  const began = performance.now()
  const ended = await app.call<Session>('POST', `/sessions/${sessionId}/end`, undefined, mine)
  t.ok(performance.now() - began < 10_000, 'and waits for nobody')
  t.match(ended, { status: 200, body: { status: 'ended', version: 4, endedAt: String } })
  const results = await teacher.next('analytics:finalized')
  t.ok(performance.now() - began < 20_000)
  t.match(results, { sessionId, analyticsId: String, durationMs: Number })
  const summaryOf = (groupId: string) => results.summary.groups.find(group => group.groupId === groupId)
  t.match(summaryOf('red'), { slices: 8, meanAttention: Number, maxAttention: Number, prompts: Number })
  t.match(summaryOf('blue'), { slices: 62, prompts: 0 })
  t.ok(Number(summaryOf('red')?.maxAttention) >= 70)
  t.same(await everywhere.next('analytics:finalized'), results, 'also for who listens to all own sessions')
  t.same(teacher.received('session:status_changed').map(({ status, version }) => [status, version]), [['ending', 3], ['ended', 4]])
  t.ok(teacher.names().indexOf('analytics:finalized') > teacher.names().lastIndexOf('session:status_changed'))
  await pupil.flush()
  t.same(pupil.received('analytics:finalized'), [], 'results are not for pupils')
  t.match(await app.call('POST', `/sessions/${sessionId}/end`, undefined, mine), { status: 409 })
  await teacher.flush()
  t.equal(teacher.received('analytics:finalized').length, 1)
})

onBoth(t, 'what is on its way comes in before the end', async (t, options) => {
  let slow = 0
  const app = await build(t, {
    ...options,
    sessions: { transcriber: async ({ data }: AudioChunk) => { await new Promise(resolve => setTimeout(resolve, slow).unref()); return [{ text: Buffer.from(data).toString() }] } }
  })
  const mine = token()
  for (const [wait, slices] of [[500, 1], [60_000, 0]] as const) {
    slow = wait
    const { sessionId } = await app.session(mine, { groups: [{ groupId: 'red', name: 'Red', memberIds: ['ada'] }] })
    const pupil = await app.connect('/sessions', token({ role: 'student', sub: 'ada' }))
    await pupil.ok('session:join', { sessionId })
    await pupil.ok('audio:chunk', { sessionId, groupId: 'red', data: Buffer.from('the last words'), mimeType: 'audio/webm' })
    const began = performance.now()
    const end = app.call<Session>('POST', `/sessions/${sessionId}/end`, undefined, mine)
    while (pupil.received('session:status_changed').length === 0) await pupil.next('session:status_changed')
    t.equal(await pupil.code('audio:chunk', { sessionId, groupId: 'red', data: Buffer.from('too late'), mimeType: 'audio/webm' }), 'SESSION_ENDING')
    t.match(await end, { status: 200, body: { status: 'ended' } })
    t.ok(performance.now() - began < 10_000, 'however slow the transcriber is')
    t.equal((await app.app.sessions.transcripts(sessionId)).slices.length, slices)
  }
})

t.test('what a process left ending is finished by whoever comes next', async t => {
  const server = await useRedis(t)
  const app = await build(t, { redis: server.url })
  const mine = token()
  const redis = server.client()
  const touches: Record<string, (sessionId: string, code: string) => Promise<Partial<Reply<unknown>>>> = {
    'listing it': async () => await app.call('GET', '/sessions', undefined, mine),
    'reading it': async id => await app.call('GET', `/sessions/${id}`, undefined, mine),
    'joining it': async id => ({ body: await (await app.connect('/sessions', mine)).raw('session:join', { sessionId: id }) }),
    'typing its code': async (_, code) => await app.call('POST', '/sessions/join', { code, displayName: 'Ada' }),
    'talk for it': async id => await app.call('POST', `/sessions/${id}/transcripts`, { slices: [{ groupId: 'red', text: 'x' }] }, mine)
  }
  for (const [name, touch] of Object.entries(touches)) {
    const { sessionId, code } = await app.session(mine)
    const teacher = await app.connect('/sessions', mine)
    await teacher.ok('session:join', { sessionId })
    const left = async (ms: number): Promise<unknown> => await redis.hset(sessionKeys.session({ sessionId }), 'status', 'ending', 'version', 3, 'endingAt', Date.now() - ms)
    await left(5_000)
    await touch(sessionId, code)
    t.equal((await app.app.sessions.get(sessionId)).status, 'ending', `${name}: not before ten seconds`)
    await left(11_000)
    await touch(sessionId, code)
    while ((await teacher.next('session:status_changed')).status !== 'ended') t.pass('the step that was not told yet')
    t.match(await teacher.next('analytics:finalized'), { sessionId }, name)
    t.match(await app.call('GET', `/sessions/${sessionId}`, undefined, mine), { status: 200, body: { status: 'ended', version: 4 } })
    await teacher.flush()
    t.equal(teacher.received('analytics:finalized').length, 1)
    teacher.close()
  }
})

t.test('results that a process died over are told by whoever comes next, once', async t => {
  const server = await useRedis(t)
  const [app, other] = [await build(t, { redis: server.url }), await build(t, { redis: server.url })]
  const mine = token()
  const redis = server.client()
  const { sessionId } = await app.session(mine)
  const teacher = await app.connect('/sessions', mine)
  await teacher.ok('session:join', { sessionId })
  const touch = async (): Promise<void> => { for (const one of [app, other, app]) t.equal((await one.app.sessions.get(sessionId)).status, 'ended') }
  const ended = async (ms: number): Promise<unknown> => await redis.hset(sessionKeys.session({ sessionId }), 'status', 'ended', 'version', 4, 'endedAt', Date.now() - ms)
  await ended(5_000)
  await touch()
  await teacher.flush()
  t.same(teacher.received('analytics:finalized'), [], 'its own process may still be at it')
  await ended(11_000)
  await touch()
  t.match(await teacher.next('analytics:finalized'), { sessionId })
  await teacher.flush()
  t.equal(teacher.received('analytics:finalized').length, 1)
})
