import { setTimeout as pause } from 'node:timers/promises'
import t, { type Test } from 'tap'
import { build, inSeconds, token, type Body } from '../app.ts'
import { fork, forkWorker, type Forked } from '../fork.ts'
import { startRedis } from '../redis.ts'
import { samplesOf } from '../scrape.ts'
import { redFallsSilent } from '../talk.ts'

/** Machines whose clocks are ten minutes apart, around one Redis. */

const skew = '+600s'
/** How far what a client is told may be from the true time, on a busy machine (ms). */
const slack = 15_000

t.test('a machine that is ten minutes ahead', async t => {
  const redis = await startRedis(t)
  const options = { redis: redis.url }
  const [ahead, right] = await Promise.all([fork(t, options, { clock: skew }), fork(t, options)])
  const both = [ahead, right] as const
  const true_ = (t: Test, when: unknown, what: string): void => {
    const off = Date.parse(String(when)) - Date.now()
    t.ok(Math.abs(off) < slack, `${what}: ${off} ms off`)
  }

  t.test('control: its clock is wrong', async t => {
    const alone = await fork(t, { redis: false }, { clock: skew })
    t.equal((await alone.call('GET', '/sessions', undefined, token({ exp: inSeconds(300) }))).status, 401, 'by itself it goes by its own')
    t.equal((await alone.call('GET', '/sessions', undefined, token({ nbf: inSeconds(300) }))).status, 200)
  })

  t.test('takes and refuses the same tokens', async t => {
    const tokens: Record<string, [string, number]> = {
      'one for five minutes': [token({ exp: inSeconds(300) }), 200],
      'one that has ended': [token({ exp: inSeconds(-2) }), 401],
      'one that begins in five minutes': [token({ nbf: inSeconds(300) }), 401],
      'one that has begun': [token({ nbf: inSeconds(-2) }), 200]
    }
    for (const [name, [one, status]] of Object.entries(tokens)) {
      for (const server of both) {
        t.equal((await server.call('GET', '/sessions', undefined, one)).status, status, name)
        if (status === 200) await server.connect('/sessions', one)
        else t.match(await server.refusal('/sessions', one), { code: 'AUTH_FAILED' }, name)
      }
    }
  })

  t.test('ends sockets at the same moment', async t => {
    const exp = inSeconds(3)
    const sockets = await Promise.all(both.map(server => server.connect('/guidance', token({ exp }))))
    await Promise.all(sockets.map(async socket => {
      t.same(await socket.next('auth:expiring'), { expiresAt: new Date(exp * 1000).toISOString() })
      t.match(await socket.next('error'), { code: 'AUTH_EXPIRED' })
      t.ok(Date.now() >= exp * 1000 - 50, 'not before its end')
      await socket.end()
    }))
  })

  t.test('signs tokens that hold everywhere, for as long as it says', async t => {
    const { code } = await right.session(token())
    for (const server of both) {
      const { body: { token: pupil, expiresAt } } = await server.call('POST', '/sessions/join', { code, displayName: 'Ada' })
      const { exp, iat } = JSON.parse(Buffer.from(String(pupil).split('.')[1] as string, 'base64url').toString()) as { exp: number, iat: number }
      true_(t, new Date(iat * 1000).toISOString(), 'signed')
      t.equal(exp - iat, 4 * 3600)
      t.equal(new Date(exp * 1000).toISOString(), expiresAt)
      for (const other of both) await other.connect('/sessions', String(pupil))
    }
  })

  t.test('tells the true time', async t => {
    const mine = token({ sub: 'teacher-1' })
    const session = await ahead.session(mine, { start: false })
    const { sessionId, code } = session
    true_(t, (session as unknown as Body).createdAt, 'created')
    const [sessions, guidance, root] = [await ahead.connect('/sessions', mine), await ahead.connect('/guidance', mine), await ahead.connect('/', mine)]
    await sessions.ok('session:join', { sessionId })
    true_(t, (await guidance.ok('session:guidance:subscribe', { sessionId })).timestamp, 'subscribed')
    await root.raw('joinSession', code)
    await ahead.call('POST', `/sessions/${sessionId}/start`, undefined, mine)
    true_(t, (await sessions.next('session:status_changed')).timestamp, 'started')
    const { messageId } = await root.raw('sendMessage', { sessionCode: code, message: 'Good morning' })
    await root.raw('editMessage', { sessionCode: code, messageId, message: 'Good morning, class' })
    const edited = await root.next('messageEdited' as never) as { editedAt: string }
    true_(t, edited.editedAt, 'edited')
    sessions.socket.emit('no:such')
    await sessions.next('error')
    for (const { event, meta } of [...sessions.records, ...guidance.records, ...root.records]) true_(t, meta.at, `meta of ${event}`)
  })

  t.test('decides at gates as all others do', async t => {
    const decide = async (server: Forked, gate: string, group: object, more: object = {}): Promise<unknown> => {
      const { allowed, reason } = (await server.call('POST', `//gates/${gate}`, { ...group, ...more })).body
      return { allowed, reason }
    }
    const history = async (servers: readonly Forked[], group: object): Promise<unknown[]> => {
      const answers: unknown[] = []
      for (let i = 0; i < 12; i++) {
        const server = servers[i % servers.length] as Forked
        answers.push(await decide(server, 'cooldown', group, { cooldownMs: 60_000 }))
        answers.push(await decide(server, 'tier2Shift', group))
        answers.push(await decide(server, 'attention', group, { score: 40 + i, minTimeDeltaMs: 60_000 }))
        answers.push(await decide(server, 'dedupe', group, { category: 'c', message: `m${i % 3}` }))
        answers.push(await decide(server, 'acknowledge', group))
      }
      return answers
    }
    const control = await history([right, right], { sessionId: 's-control', groupId: 'g' })
    t.same(await history([ahead, right], { sessionId: 's-first-ahead', groupId: 'g' }), control)
    t.same(await history([right, ahead], { sessionId: 's-first-right', groupId: 'g' }), control)
  })

  t.test('sends in one order, whoever listens where', async t => {
    const mine = token({ sub: 'teacher-2' })
    const { sessionId } = await right.session(mine)
    const observers = await Promise.all(both.map(server => server.connect('/sessions', mine)))
    for (const one of observers) await one.ok('session:join', { sessionId })
    await Promise.all(both.map(async (server, who) => {
      for (let i = 0; i < 25; i++) await server.call('POST', `/sessions/${sessionId}/transcripts`, { slices: [{ id: `${who}-${i}`, groupId: 'red', text: `${who} says ${i}` }] }, mine)
    }))
    for (const one of observers) while (one.received('transcription:group:new').length < 50) await one.next('transcription:group:new')
    const [here, there] = observers.map(one => one.records.filter(({ event }) => event === 'transcription:group:new').map(({ meta, payload }) => [meta.offset, (payload as { id: string }).id]))
    t.same(here, there)
    t.same(here?.map(([offset]) => offset), Array.from({ length: 50 }, (_, i) => i + 1))
    const times = observers[0]?.received('transcription:group:new').map(({ timestamp }) => timestamp) ?? []
    t.ok(times.every((time, i) => Date.parse(time) > Date.parse(times[i - 1] ?? time) - 5_000), 'and their times follow it')
  })

  t.test('measures from talk to teacher, whichever process tells what came in at another', async t => {
    const heldMs = 3_000
    const mine = token({ sub: 'teacher-4' })
    const client = redis.client()
    for (const [name, teller, clock] of [['one that is right tells', right, { clock: skew }], ['one that is ahead tells', ahead, {}]] as const) {
      const hearer = await fork(t, options, clock)
      const { sessionId } = await hearer.session(mine)
      const guidance = await teller.connect('/guidance', mine)
      await guidance.ok('session:guidance:subscribe', { sessionId })
      const [first, ...others] = redFallsSilent()
      await hearer.call('POST', `/sessions/${sessionId}/transcripts`, { slices: [first] }, mine)
      // Somebody else is at work on this session, so what becomes due is left for whoever comes after.
      const key = `guidance:state:${sessionId}`
      const session = JSON.parse(await client.hget(key, 'session') ?? '') as object
      await client.hset(key, 'session', JSON.stringify({ ...session, lease: { owner: 'another', until: Date.now() + heldMs } }))
      t.equal((await hearer.call('POST', `/sessions/${sessionId}/transcripts`, { slices: others }, mine)).status, 202)
      await hearer.kill()
      await guidance.next('teacher:alert')
      const { body } = await teller.call<string>('GET', '//metrics', undefined, token({ role: 'admin' }))
      const measured = samplesOf(body).find(({ name, labels }) => name === 'classwaves_guidance_delay_seconds_sum' && labels.event === 'teacher:alert')
      const ms = 1000 * (measured?.value ?? NaN)
      t.ok(ms > heldMs / 2 && ms < heldMs + slack, `${name}: ${ms} ms`)
    }
  })

  t.test('a worker that is ten minutes ahead', async t => {
    const mine = token({ sub: 'teacher-3' })
    const { sessionId } = await right.session(mine)
    const socket = await right.connect('/sessions', mine)
    await socket.ok('session:join', { sessionId })
    const worker = await forkWorker(t, redis.url, { clock: skew })
    const status = { sessionId, groupId: 'red', status: 'ready', isReady: true }
    t.equal(await worker.emit('sessions', { sessionId, groupId: 'red' }, 'group:status_changed', status), 'ok')
    await socket.next('group:status_changed')
    true_(t, socket.records.find(({ event }) => event === 'group:status_changed')?.meta.at, 'its first event')
  })
})

t.test('rates do not wait for a clock that was set back', async t => {
  const app = await build(t, { limits: { eventsPerSecond: 20, eventBurst: 3 } })
  const socket = await app.connect('/sessions', token())
  for (let i = 0; i < 6; i++) await socket.raw('no:such')
  const { now } = Date
  t.teardown(() => { Date.now = now })
  Date.now = () => now() - 3_600_000
  await pause(300)
  t.equal(await socket.code('no:such'), 'UNSUPPORTED_OPERATION', 'there was time for six more')
})
