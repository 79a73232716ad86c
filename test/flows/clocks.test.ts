import { setTimeout as pause } from 'node:timers/promises'
import { isDeepStrictEqual } from 'node:util'
import t, { type Test } from 'tap'
import type { GateName, Gates } from '../../lib/guidance/gates.ts'
import { build, inSeconds, token, type Body, type Claims } from '../app.ts'
import { newGroup } from '../conformance/gates.ts'
import { fork, forkWorker, type Forked } from '../fork.ts'
import { startRedis } from '../redis.ts'
import { samplesOf } from '../scrape.ts'
import { redFallsSilent } from '../talk.ts'

/** Machines whose clocks are ten minutes apart and more, around one Redis. */

const fast = { clock: '+600s' }
const slow = { clock: '-600s' }
/** How far what a client is told may be from the true time, on a busy machine (ms). */
const slack = 15_000

const hourMs = 3_600_000
/** What was counted fades by less than this in a minute, and by more when one is counted ten minutes late. */
const faded = 0.1

/** A fair question for each gate, such that most are answered this way and that in the course of time. */
const questions = (group: ReturnType<typeof newGroup>, turn: number) => ({
  energy: { ...group, sample: turn * turn },
  attention: { ...group, score: 40 + 2 * turn, minTimeDeltaMs: 60_000 },
  promptPressure: group,
  acknowledge: group,
  cooldown: { ...group, cooldownMs: 60_000 },
  dedupe: { ...group, category: 'c', message: `m${turn % 2}` },
  promptStats: { templateKey: group.sessionId, outcome: turn % 2 },
  tier2Snapshot: { ...group, snapshot: { learningSignals: turn } },
  tier2Shift: group
}) satisfies { [G in GateName]: Parameters<Gates[G]>[0] }

/** Moments may be as far from now, and what is left to wait as far apart, as a busy machine takes; all else is the same. */
function isSame (name: string, one: unknown, other: unknown): boolean {
  if (typeof one !== 'number' || typeof other !== 'number') return isDeepStrictEqual(one, other)
  if (/At$|^lastUpdate$/.test(name)) return [one, other].every(when => Math.abs(when - Date.now()) < slack)
  return Math.abs(one - other) < (name === 'remainingMs' ? slack : faded)
}

t.test('machines that are ten minutes ahead and behind', async t => {
  const redis = await startRedis(t)
  const options = { redis: redis.url, guidance: { halfLifeMs: hourMs, promptStatsHalfLifeMs: hourMs } }
  const [ahead, right, behind] = await Promise.all([fork(t, options, fast), fork(t, options), fork(t, options, slow)])
  const all = [ahead, right, behind] as const
  const true_ = (t: Test, when: unknown, what: string): void => {
    const off = Date.parse(String(when)) - Date.now()
    t.ok(Math.abs(off) < slack, `${what}: ${off} ms off`)
  }

  t.test('control: their clocks are wrong', async t => {
    const [early, late] = await Promise.all([fork(t, { redis: false }, fast), fork(t, { redis: false }, slow)])
    const status = async (server: Forked, claims: Claims): Promise<number> => (await server.call('GET', '/sessions', undefined, token(claims))).status
    t.equal(await status(early, { exp: inSeconds(300) }), 401, 'by itself each goes by its own')
    t.equal(await status(early, { nbf: inSeconds(300) }), 200)
    t.equal(await status(late, { exp: inSeconds(-300) }), 200)
    t.equal(await status(late, { nbf: inSeconds(-300) }), 401)
  })

  t.test('take and refuse the same tokens', async t => {
    const tokens: Record<string, [string, number]> = {
      'one for five minutes': [token({ exp: inSeconds(300) }), 200],
      'one that has ended': [token({ exp: inSeconds(-2) }), 401],
      'one that begins in five minutes': [token({ nbf: inSeconds(300) }), 401],
      'one that has begun': [token({ nbf: inSeconds(-2) }), 200]
    }
    for (const [name, [one, status]] of Object.entries(tokens)) {
      for (const server of all) {
        t.equal((await server.call('GET', '/sessions', undefined, one)).status, status, name)
        if (status === 200) await server.connect('/sessions', one)
        else t.match(await server.refusal('/sessions', one), { code: 'AUTH_FAILED' }, name)
      }
    }
  })

  t.test('end sockets at the same moment', async t => {
    const exp = inSeconds(3)
    const sockets = await Promise.all(all.map(server => server.connect('/guidance', token({ exp }))))
    await Promise.all(sockets.map(async socket => {
      t.same(await socket.next('auth:expiring'), { expiresAt: new Date(exp * 1000).toISOString() })
      t.match(await socket.next('error'), { code: 'AUTH_EXPIRED' })
      t.ok(Date.now() >= exp * 1000 - 50, 'not before its end')
      await socket.end()
    }))
  })

  t.test('sign tokens that hold everywhere, for as long as they say', async t => {
    const { code } = await right.session(token())
    for (const server of all) {
      const { body: { token: pupil, expiresAt } } = await server.call('POST', '/sessions/join', { code, displayName: 'Ada' })
      const { exp, iat } = JSON.parse(Buffer.from(String(pupil).split('.')[1] as string, 'base64url').toString()) as { exp: number, iat: number }
      true_(t, new Date(iat * 1000).toISOString(), 'signed')
      t.equal(exp - iat, 4 * 3600)
      t.equal(new Date(exp * 1000).toISOString(), expiresAt)
      for (const other of all) await other.connect('/sessions', String(pupil))
    }
  })

  t.test('tell the true time', async t => {
    const mine = token({ sub: 'teacher-1' })
    for (const server of [ahead, behind]) {
      const session = await server.session(mine, { start: false })
      const { sessionId, code } = session
      true_(t, (session as unknown as Body).createdAt, 'created')
      const [sessions, guidance, root] = [await server.connect('/sessions', mine), await server.connect('/guidance', mine), await server.connect('/', mine)]
      await sessions.ok('session:join', { sessionId })
      true_(t, (await guidance.ok('session:guidance:subscribe', { sessionId })).timestamp, 'subscribed')
      await root.raw('joinSession', code)
      await server.call('POST', `/sessions/${sessionId}/start`, undefined, mine)
      true_(t, (await sessions.next('session:status_changed')).timestamp, 'started')
      const { messageId } = await root.raw('sendMessage', { sessionCode: code, message: 'Good morning' })
      await root.raw('editMessage', { sessionCode: code, messageId, message: 'Good morning, class' })
      const edited = await root.next('messageEdited' as never) as { editedAt: string }
      true_(t, edited.editedAt, 'edited')
      sessions.socket.emit('no:such')
      await sessions.next('error')
      for (const { event, meta } of [...sessions.records, ...guidance.records, ...root.records]) true_(t, meta.at, `meta of ${event}`)
    }
  })

  t.test('decide at gates as all others do', async t => {
    const history = async (servers: readonly [Forked, ...Forked[]], tries = 5): Promise<Body[]> => {
      const group = newGroup()
      const answers: Body[] = []
      for (let turn = 0; turn < 6; turn++) {
        const server = servers[turn % servers.length] as Forked
        for (const [gate, question] of Object.entries(questions(group, turn))) {
          const { status, body } = await server.call('POST', `//gates/${gate}`, question)
          answers.push({ gate, status, ...body })
        }
      }
      // A gate waits a quarter of a second for Redis; where the machine was too busy it is asked again, of another group.
      const wasLate = answers.some(({ reason, fallback }) => reason === 'unavailable' || fallback)
      return wasLate && tries > 1 ? await history(servers, tries - 1) : answers
    }
    const [control, ...others] = await Promise.all([
      history([right]), history([ahead, right, behind]), history([right, behind, ahead]), history([behind, ahead, right])
    ])
    t.same([...new Set(control.map(({ reason }) => reason))].sort(), [
      'acknowledged', 'cooling', 'counted', 'duplicate', 'first', 'new', 'none', 'score', 'stored', 'throttled', 'unchanged', 'updated'
    ], 'control: each is asked, and most say one thing and another')
    for (const other of others) {
      t.same(control.flatMap((one, i) => {
        const two = other[i] as Body
        return Object.keys({ ...one, ...two }).filter(name => !isSame(name, one[name], two[name])).map(name => [one.gate, name, one[name], two[name]])
      }), [])
    }
  })

  t.test('send in one order, whoever listens where', async t => {
    const mine = token({ sub: 'teacher-2' })
    const { sessionId } = await right.session(mine)
    const observers = await Promise.all(all.map(server => server.connect('/sessions', mine)))
    for (const one of observers) await one.ok('session:join', { sessionId })
    await Promise.all(all.map(async (server, who) => {
      for (let i = 0; i < 25; i++) await server.call('POST', `/sessions/${sessionId}/transcripts`, { slices: [{ id: `${who}-${i}`, groupId: 'red', text: `${who} says ${i}` }] }, mine)
    }))
    for (const one of observers) while (one.received('transcription:group:new').length < 75) await one.next('transcription:group:new')
    const [here, ...others] = observers.map(one => one.records.filter(({ event }) => event === 'transcription:group:new').map(({ meta, payload }) => [meta.offset, (payload as { id: string }).id]))
    for (const there of others) t.same(here, there)
    t.same(here?.map(([offset]) => offset), Array.from({ length: 75 }, (_, i) => i + 1))
    const times = observers[0]?.received('transcription:group:new').map(({ timestamp }) => timestamp) ?? []
    t.ok(times.every((time, i) => Date.parse(time) > Date.parse(times[i - 1] ?? time) - 5_000), 'and their times follow it')
  })

  t.test('measure from talk to teacher, whichever process tells what came in at another', async t => {
    const heldMs = 3_000
    const mine = token({ sub: 'teacher-4' })
    const client = redis.client()
    await Promise.all(([['one that is ahead tells', ahead, slow], ['one that is behind tells', behind, fast]] as const).map(async ([name, teller, clock]) => {
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
    }))
  })

  t.test('and workers that are', async t => {
    const mine = token({ sub: 'teacher-3' })
    const { sessionId } = await right.session(mine)
    const socket = await right.connect('/sessions', mine)
    await socket.ok('session:join', { sessionId })
    const status = { sessionId, groupId: 'red', status: 'ready', isReady: true }
    for (const worker of await Promise.all([forkWorker(t, redis.url, fast), forkWorker(t, redis.url, slow)])) {
      t.equal(await worker.emit('sessions', { sessionId, groupId: 'red' }, 'group:status_changed', status), 'ok')
      await socket.next('group:status_changed')
      true_(t, socket.records.findLast(({ event }) => event === 'group:status_changed')?.meta.at, 'its first event')
    }
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
