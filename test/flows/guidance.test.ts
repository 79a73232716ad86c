import { readFileSync } from 'node:fs'
import t from 'tap'
import type { SliceInput } from '../../index.ts'
import type { guidance } from '../../lib/contract.ts'
import type { GuidanceRecord } from '../../lib/guidance/record.ts'
import { token } from '../app.ts'
import type { Client } from '../client.ts'
import { fork } from '../fork.ts'
import { startRedis } from '../redis.ts'
import { samplesOf } from '../scrape.ts'

/** One class, its talk handed to this process and to that: what the teacher hears is the same. */

interface Lesson { topic: string, groups: { groupId: string, members: string[] }[], utterances: { t: number, te: number, groupId: string, speakerId: string, text: string }[] }

const lesson = JSON.parse(readFileSync(new URL('../../examples/class/garden.json', import.meta.url), 'utf8')) as Lesson
const zero = Date.now() - 400_000
const time = (seconds: number): string => new Date(zero + seconds * 1000).toISOString()
const talk: SliceInput[] = lesson.utterances.map(({ t, te, groupId, speakerId, text }, i) =>
  ({ id: `u${i}`, groupId, speaker: speakerId, text, startedAt: time(t), endedAt: time(te) })).sort((a, b) => a.endedAt < b.endedAt ? -1 : 1)
const over = talk.at(-1)?.endedAt ?? ''
const plan = { topic: lesson.topic, groups: lesson.groups.map(({ groupId, members }) => ({ groupId, name: groupId, memberIds: members })) }
const events = ['teacher:alert', 'teacher:recommendations', 'ai:tier1:insight', 'ai:tier2:insight', 'guidance:analytics'] as const

t.test('two processes', async t => {
  const redis = await startRedis(t)
  const options = { redis: redis.url, limits: { sessionsSocketsPerUser: 100, guidanceSocketsPerUser: 100 } }
  const [a, b] = await Promise.all([fork(t, options), fork(t, options)])
  const mine = token({ sub: 'teacher-1' })
  const worker = token({ role: 'worker' })

  async function begin (): Promise<{ sessionId: string, teacher: Client<typeof guidance> }> {
    const { sessionId } = await a.session(mine, plan)
    const teacher = await b.connect('/guidance', mine)
    await teacher.ok('session:guidance:subscribe', { sessionId })
    await teacher.ok('analytics:subscribe', { sessionId, metrics: ['attention', 'tier2-shift'] })
    return { sessionId, teacher }
  }

  /** How many questions of gates Redis has not answered in time so far. */
  const missed = async (): Promise<number> => {
    const texts = await Promise.all([a, b].map(async one => (await one.call<string>('GET', '//metrics', undefined, token({ role: 'admin' }))).body))
    return texts.flatMap(samplesOf).filter(({ name }) => name === 'guidance_redis_unavailable_total').reduce((sum, { value }) => sum + value, 0)
  }

  /** What the teacher was told of the class, without the ids that each session has of its own. */
  async function told (slices: readonly SliceInput[], size: number, processes = [a], tries = 5): Promise<string[]> {
    const { sessionId, teacher } = await begin()
    const before = await missed()
    let isLate = false
    for (let i = 0; i < slices.length; i += size) {
      const process = processes[(i / size) % processes.length] as typeof a
      const { status } = await process.call('POST', `/sessions/${sessionId}/transcripts`, { slices: slices.slice(i, i + size) }, worker)
      if (status !== 202 && status !== 503) throw new Error(`talk was refused: ${status}`)
      isLate ||= status === 503
    }
    // A gate without an answer decides as its policy says, which is another decision: then the class is held again.
    isLate ||= await missed() > before
    if (isLate && tries > 1) return await told(slices, size, processes, tries - 1)
    if (isLate) throw new Error('Redis was late each time')
    await teacher.flush()
    const heard = events.flatMap(event => teacher.received(event).flat().map(payload => ({ event, payload: payload as object })))
      .filter(({ payload }) => ((payload as { timestamp?: string }).timestamp ?? '') <= over)
    return heard.map(({ event, payload }) => JSON.stringify({ event, ...payload, sessionId: '', promptId: '' })).sort()
  }

  const alone = await told(talk, 200)

  t.test('one class gets the same guidance from one process and from two, in any chunks', async t => {
    const count = (event: string): number => alone.filter(one => one.includes(`"event":"${event}"`)).length
    for (const event of ['teacher:alert', 'ai:tier1:insight', 'ai:tier2:insight', 'guidance:analytics']) t.ok(count(event) > 0, `${count(event)} of ${event}`)
    t.same(await told(talk, 1, [a, b]), alone, 'a slice here, a slice there')
    t.same(await told(talk, 50, [b, a]), alone, 'fifty here, fifty there')
  })

  t.test('each window is analysed once, also when the process that has it dies', async t => {
    const { sessionId, teacher } = await begin()
    const cut = t.rejects(a.call('POST', `/sessions/${sessionId}/transcripts`, { slices: talk }, worker))
    await teacher.next('ai:tier1:insight')
    await a.kill()
    await cut
    const state = `guidance:state:${sessionId}`
    const client = redis.client()
    const { jobs, lease, ...session } = JSON.parse(await client.hget(state, 'session') ?? '') as GuidanceRecord['session']
    t.ok(jobs.length > 0 && lease, `${jobs.length} windows were left, and the lease`)
    // As if the claims had run out.
    await client.hset(state, 'session', JSON.stringify({ ...session, lease: { ...lease, until: 0 }, jobs: jobs.map(job => ({ ...job, claimedUntil: 0 })) }))
    const last = { ...talk.at(-1) as SliceInput, id: 'after', startedAt: over, endedAt: new Date(Date.parse(over) + 1).toISOString() }
    t.equal((await b.call('POST', `/sessions/${sessionId}/transcripts`, { slices: [last] }, worker)).status, 202)
    await teacher.flush()
    // The summary may differ: the baseline of the pace had that window already.
    const plain = (one: string): string => one.replace(/"summary":"[^"]*"/, '')
    const windows = (['ai:tier1:insight', 'ai:tier2:insight'] as const)
      .flatMap(event => teacher.received(event).map(payload => plain(JSON.stringify({ event, ...payload, sessionId: '', promptId: '' })))).sort()
    t.same(windows, alone.filter(one => one.includes('"event":"ai:')).map(plain).sort())
  })
})
