import { execFile } from 'node:child_process'
import { promisify } from 'node:util'
import Fastify, { type FastifyInstance } from 'fastify'
import t, { type Test } from 'tap'
import classwaves, { type ClasswavesError, type Session, type Tier2Insights } from '../index.ts'
import { build, remote, secret, token, type Remote } from './app.ts'
import { patienceMs } from './client.ts'
import { startRedis } from './redis.ts'
import { documentText, Project, root, snippetsIn, type Snippet } from './snippets.ts'

/** Every piece of code in the README runs, and does what the text around it says. */

const run = promisify(execFile)
const snippets = snippetsIn(await documentText('README.md'))
const project = await Project.create(t)
const left = new Set(snippets)
const local = 'http://127.0.0.1:3000'

/** The one snippet with these words; it is taken once, so the end can tell which nobody ran. */
function taken (words: string): Snippet {
  const found = snippets.filter(({ text }) => text.includes(words))
  const [one] = found
  if (!one || found.length > 1 || !left.delete(one)) throw new Error(`${found.length} snippets say ${words}, or it was taken before`)
  return one
}

async function until<T> (look: () => T | Promise<T>): Promise<NonNullable<T>> {
  const deadline = Date.now() + patienceMs
  for (;;) {
    const found = await look()
    if (found) return found
    if (Date.now() > deadline) throw new Error(`waited in vain for ${String(look)}`)
    await new Promise(resolve => setTimeout(resolve, 20))
  }
}

/** A host that has registered nothing yet. */
function host (t: Test): FastifyInstance {
  const app = Fastify()
  t.teardown(() => app.close())
  return app
}

async function begun ({ session }: Remote): Promise<Session> {
  return await session(token({ sub: 'teacher-1' }), { groups: [{ groupId: 'otters', name: 'Otters' }, { groupId: 'herons', name: 'Herons' }] })
}

/** What one group of the sample class says: first about the task, then about a party. It ended just now. */
const { utterances } = JSON.parse(await documentText('examples/class/garden.json')) as { utterances: { t: number, te: number, groupId: string, speakerId: string, text: string }[] }
function talk (): { groupId: string, speaker: string, text: string, startedAt: string, endedAt: string }[] {
  const begin = Date.now() - 1000 * Math.max(...utterances.map(({ te }) => te))
  const at = (seconds: number): string => new Date(begin + seconds * 1000).toISOString()
  return utterances.filter(({ groupId }) => groupId === 'birch')
    .map(({ t, te, speakerId, text }) => ({ groupId: 'otters', speaker: speakerId, text, startedAt: at(t), endedAt: at(te) }))
}

t.test('register, sign, and a first class', async t => {
  process.env.JWT_SECRET = secret
  const { app } = await project.run(taken('await app.listen('), {}, [['port: 3000', 'port: 0'], ['logger: true', 'logger: false']]) as { app: FastifyInstance }
  t.teardown(() => app.close())
  const url = app.listeningOrigin
  const signed = await project.run(taken('app.jwt.sign('), { app }) as { token: string }
  t.match(app.jwt.verify(signed.token), { sub: 'teacher-1', role: 'teacher', name: 'Ms Rivers' })

  t.test('with curl', { skip: await run('curl', ['--version']).then(() => false, () => 'curl is not installed') }, async t => {
    const script = ['CREATED=', '/sessions/join', '"slices": ['].map(words => taken(words).text.replaceAll(local, url)).join('echo\n')
    const { stdout } = await run('bash', ['-euo', 'pipefail', '-c', script], { env: { ...process.env, TEACHER: signed.token } })
    const [started, joined, taken_, guidance, ended] = stdout.split('\n').filter(line => line !== '').map(line => JSON.parse(line) as Record<string, unknown>)
    t.match(started, { status: 'active', topic: 'Why do rivers bend?' })
    t.match(joined, { token: String, participant: { displayName: 'Mia' } })
    t.same(taken_, { accepted: 2, duplicates: 0 })
    t.match(guidance, { attention: Array, prompts: Array, insights: Array })
    t.match(ended, { status: 'ended' })
  })
})

t.test('a teacher\'s page', async t => {
  const app = await build(t)
  const { sessionId } = await begun(app)
  const shown: unknown[][] = []
  const { guidance } = await project.run(taken('guidance:analytics'), { sessionId, token: token({ sub: 'teacher-1' }), show: (...what: unknown[]) => shown.push(what) }, [[local, app.url]]) as { guidance: { disconnect (): void } }
  t.teardown(() => guidance.disconnect())
  const { rooms } = app.app.io.of('/guidance').adapter
  await until(() => rooms.has(`analytics:session:${sessionId}:attention`) && rooms.has(`guidance:session:${sessionId}`))
  await app.app.sessions.transcribe(sessionId, talk())
  const [group, what, why] = await until(() => shown.find(([, what]) => /^attention \d+$/.test(String(what))))
  t.equal(group, 'otters')
  t.match(what, /^attention/)
  t.type(why, Array)
  t.ok(await until(() => shown.find(([, what]) => !String(what).startsWith('attention'))), 'and a prompt')
})

t.test('the page comes back without a gap', async t => {
  const app = await build(t)
  const { sessionId } = await begun(app)
  const heard: string[] = []
  const show = (_room: string, event: string, payload: { status: string }): void => { if (event === 'session:status_changed') heard.push(payload.status) }
  const names = await project.run(taken('answer.recovered'), { sessionId, token: token({ sub: 'teacher-1' }), show }, [[local, app.url]]) as { classroom: { connect (): void, disconnect (): void }, joined: boolean }
  const { classroom } = names
  t.teardown(() => classroom.disconnect())
  await until(() => names.joined)
  await app.app.sessions.pause(sessionId)
  await until(() => heard.length === 1)
  classroom.disconnect()
  await app.app.sessions.resume(sessionId)
  await app.app.sessions.pause(sessionId)
  classroom.connect()
  await until(() => heard.length === 3)
  t.same(heard, ['paused', 'active', 'paused'])
})

t.test('what the server gets', async t => {
  const app = await build(t)
  const { session, accepted } = await project.run(taken('app.sessions.create('), { app: app.app }) as { session: Session, accepted: number }
  t.match([session.status, accepted], ['created', 1])
  const { sessionId } = session
  t.match(await project.run(taken('gates.attention('), { app: app.app, sessionId }), { allowed: true, reason: 'first' })
  const { refusal } = await project.run(taken('new ClasswavesError('), {}) as { refusal: ClasswavesError }
  t.match(refusal, { statusCode: 404, details: { groupId: 'otters' } })

  await project.run(taken('app.classwaves.serve('), { app: app.app })
  const desk = await app.connect('/hands', token())
  const pupil = await app.connect('/hands', token({ sub: 'mia', role: 'student' }))
  t.match(await desk.socket.emitWithAck('desk:open', { classId: 'c1' }), { ok: true })
  const raised = new Promise(resolve => desk.socket.once('hand:raised', resolve))
  t.match(await pupil.socket.emitWithAck('hand:raise', { classId: 'c1' }), { ok: true })
  t.match(await raised, { classId: 'c1', userId: 'mia' })
  t.match(await pupil.socket.emitWithAck('desk:open', { classId: 'c1' }), { ok: false, error: { code: 'FORBIDDEN' } })
})

t.test('options', async t => {
  const jwt = { secret }
  process.env.JWT_SECRET = secret
  const fromEnvironment = host(t)
  await project.run(taken('optionsFromEnv(process.env)'), { app: fromEnvironment })
  t.ok(fromEnvironment.sessions)

  const mentored = host(t)
  await project.run(taken('defaultAuthorize('), { app: mentored, jwt, isMentorOf: async (userId: string, teacherId: string) => userId === 'mentor' && teacherId === 'teacher-1' })
  const { sessionId } = await mentored.sessions.create({ topic: 'Rivers' }, 'teacher-1')
  const look = async (sub: string): Promise<number> =>
    (await mentored.inject({ url: `/api/v1/sessions/${sessionId}/guidance`, headers: { authorization: `Bearer ${token({ sub })}` } })).statusCode
  t.same([await look('mentor'), await look('teacher-1'), await look('teacher-2')], [200, 200, 404])

  const endpoint = host(t)
  await project.run(taken('openaiAnalyzer('), { app: endpoint, jwt })
  t.ok(endpoint.guidance)

  const proxied = host(t)
  await project.run(taken('x-forwarded-for'), { app: proxied, jwt, classwaves })
  t.ok(proxied.io)
})

t.test('a transcriber and an analyzer', async t => {
  const jwt = { secret }
  const speaking = host(t)
  await project.run(taken('speechToText('), { app: speaking, jwt, classwaves, speechToText: async (audio: Uint8Array, type: string) => `${audio.byteLength} bytes of ${type}` })
  const server = { ...remote(t, await speaking.listen({ port: 0, host: '127.0.0.1' })), app: speaking }
  const { sessionId } = await begun(server)
  await speaking.sessions.enrol(sessionId, { userId: 'mia', displayName: 'Mia', groupId: 'otters' })
  const pupil = await server.connect('/sessions', token({ sub: 'mia', role: 'student' }))
  t.match(await pupil.socket.emitWithAck('student:session:join', { sessionId }), { ok: true })
  t.match(await pupil.socket.emitWithAck('audio:chunk', { sessionId, groupId: 'otters', data: Buffer.alloc(7), mimeType: 'audio/webm' }), { ok: true })
  const slices = await until(async () => {
    const { slices } = await speaking.sessions.transcripts(sessionId)
    return slices.length > 0 ? slices : null
  })
  t.match(slices, [{ text: '7 bytes of audio/webm', speaker: 'mia', groupId: 'otters' }])

  const asked: { topic: string, talk: string[] }[] = []
  const half = { score: 0.5, claimEvidence: 0.5, logicalFlow: 0.5, counterarguments: 0.5, synthesis: 0.5 }
  const thought: Tier2Insights = {
    argumentationQuality: half,
    collaborationPatterns: { turnTaking: 0.5, buildingOnIdeas: 0.5, conflictResolution: 0.5, inclusivity: 0.5 },
    learningSignals: { conceptualGrowth: 0.5, questionQuality: 0.5, metacognition: 0.5, knowledgeApplication: 0.5 },
    groupEmotionalArc: { trajectory: 'stable', averageEngagement: 0.5 },
    recommendations: [],
    confidence: 0.123
  }
  const thinking = host(t)
  await project.run(taken('askModel('), { app: thinking, jwt, classwaves, askModel: async (question: typeof asked[number]) => { asked.push(question); return thought } })
  const { sessionId: other } = await thinking.sessions.create({ topic: 'Why do rivers bend?', groups: [{ groupId: 'otters', name: 'Otters' }] }, 'teacher-1')
  await thinking.sessions.start(other)
  await thinking.sessions.transcribe(other, talk())
  await until(async () => (await thinking.guidance.state(other)).insights.find(({ tier2 }) => tier2?.confidence === 0.123))
  t.match(asked[0], { topic: 'Why do rivers bend?', talk: [/^Omar: /] })
})

t.test('Redis and a worker', async t => {
  const redis = await startRedis(t)
  const app = host(t)
  await project.run(taken('fastifyRedis'), { app, jwt: { secret } }, [['redis://127.0.0.1:6379', redis.url]])
  const server = { ...remote(t, await app.listen({ port: 0, host: '127.0.0.1' })), app }
  t.equal(app.classwaves.health().backend, 'redis')
  const { sessionId } = await begun(server)
  const teacher = await server.connect('/sessions', token({ sub: 'teacher-1' }))
  t.match(await teacher.socket.emitWithAck('session:join', { sessionId }), { ok: true })
  const heard = new Promise(resolve => teacher.socket.once('transcription:group:new', resolve))
  await project.run(taken('createEmitter('), { sessionId }, [['redis://127.0.0.1:6379', redis.url]])
  t.match(await heard, { groupId: 'otters', id: 'slice-7' })
})

t.test('traces', async t => {
  const app = host(t)
  await project.run(taken("from '@opentelemetry/api'"), { app, jwt: { secret } })
  await app.ready()
  t.equal((await app.inject('/ready')).statusCode, 200)
})

t.test('the commands', async t => {
  // `npm start` runs in test/examples/server.test.ts, the installed package in test/package.test.ts; `npm test` is this.
  for (const words of ['npm ci && npm start', 'npm ci && npm test', 'npm install fastify-classwaves']) taken(words)
  for (const words of ['garden.json\n', 'garden.json --speed']) {
    const { text } = taken(words)
    const { stdout } = await run('bash', ['-c', text], { cwd: root })
    t.match(stdout, /^group +slices +attention, 0:00 to 05:56 +mean +max +alerts +prompts$/m)
    t.match(stdout, /^willow\n {2}\d\d:\d\d /m, 'each group has its story')
  }
})

t.test('no snippet was passed over', async t => {
  t.ok(snippets.length > 20)
  t.same([...left].map(({ line, text }) => `line ${line}: ${text.split('\n')[0]}`), [])
})
