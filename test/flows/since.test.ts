import t from 'tap'
import type { TeacherPrompt } from '../../index.ts'
import { build, onBoth, token, type App } from '../app.ts'
import type { Client } from '../client.ts'

/** Who comes back to rooms of kept events says where they were, and gets what they missed: once, in order, or is told what is lost. */

const now = new Date().toISOString()
const mine = token({ sub: 'teacher-1' })
const worker = token({ role: 'worker' })

async function emit ({ call }: App, namespace: string, event: string, sessionId: string, payload: unknown): Promise<void> {
  const { status } = await call('POST', `/sessions/${sessionId}/emit`, { namespace, event, payload }, worker)
  if (status !== 202) throw new Error(`${event} was refused: ${status}`)
}

function prompt (sessionId: string, promptId: string): TeacherPrompt {
  return {
    promptId,
    sessionId,
    groupId: 'red',
    category: 'energy',
    priority: 'high',
    message: 'Ask.',
    why: [],
    suggestedTiming: 'immediate',
    generatedAt: now,
    expiresAt: now,
    templateKey: 'k'
  }
}

/** The numbers of the kept events that came, by home room. */
async function came (socket: Client<never>): Promise<Record<string, number[]>> {
  await socket.flush()
  const offsets: Record<string, number[]> = {}
  for (const { meta } of socket.records) if (meta.offset !== undefined) (offsets[meta.room] ??= []).push(meta.offset)
  return offsets
}

const old = { epoch: '1', offset: 0 }

onBoth(t, 'guidance:subscribe: the feed of all own sessions', async (t, options) => {
  const app = await build(t, options)
  const [{ sessionId: first }, { sessionId: second }, { sessionId: strange }] = [await app.session(mine), await app.session(mine), await app.session(token())]
  const [a, b] = [`guidance:session:${first}`, `guidance:session:${second}`]
  const alert = async (sessionId: string, promptId: string) => await emit(app, '/guidance', 'teacher:alert', sessionId, prompt(sessionId, promptId))
  const recommend = async (sessionId: string) => await emit(app, '/guidance', 'teacher:recommendations', sessionId, [prompt(sessionId, 'later')])

  const before = await app.connect('/guidance', mine)
  await alert(first, 'one')
  const { positions, lost, recovered, ...rest } = await before.ok('guidance:subscribe', {})
  t.match([positions, lost, recovered], [{ [a]: { offset: 1 }, [b]: { offset: 0 } }, [], true])
  t.same(Object.keys(positions).sort(), [a, b].sort(), 'of the own sessions, not of another teacher\'s')
  t.notOk('snapshot' in rest)
  before.close()

  await alert(first, 'two')
  await recommend(first)
  await alert(second, 'one')
  await alert(strange, 'one')
  await alert(first, 'three')
  const after = await app.connect('/guidance', mine)
  const back = await after.ok('guidance:subscribe', { since: positions })
  t.match([back.lost, back.recovered, back.positions], [[], true, { [a]: { offset: 4 }, [b]: { offset: 1 } }])
  await alert(second, 'two')
  await alert(first, 'four')
  t.same(await came(after as never), { [a]: [2, 3, 4, 5], [b]: [1, 2] })
  t.same(after.received('teacher:alert').filter(one => one.sessionId === first).map(one => one.promptId), ['two', 'three', 'four'])

  const some = await app.connect('/guidance', mine)
  await some.ok('guidance:subscribe', { subscriptions: ['teacher_alerts'], since: positions })
  t.same(await came(some as never), { [a]: [2, 4, 5], [b]: [1, 2] }, 'only the kinds that were asked for')

  const { sessionId: third } = await app.session(mine)
  await alert(third, 'one')
  const gone = 'guidance:session:gone'
  const late = await app.connect('/guidance', mine)
  const told = await late.ok('guidance:subscribe', { since: { ...positions, [a]: old, [gone]: old, 'session:other': old } })
  t.same(told.lost.sort(), [a, gone, `guidance:session:${third}`].sort(), 'too long ago, not there any more, not there yet')
  t.match(told, { recovered: false, snapshot: { attention: Array, prompts: Array, insights: Array } })
  await alert(first, 'five')
  t.same(await came(late as never), { [a]: [6], [b]: [1, 2] }, 'what is lost goes on from now')

  const admin = await app.connect('/guidance', token({ role: 'admin' }))
  const all = await admin.ok('guidance:subscribe', { since: { [a]: told.positions[a] ?? old, [b]: told.positions[b] ?? old, [`guidance:session:${strange}`]: old } })
  t.same(all.lost.sort(), [`guidance:session:${strange}`, `guidance:session:${third}`].sort(), 'an admin\'s is of all sessions')
  t.same(await came(admin as never), { [a]: [6] })
})

onBoth(t, 'analytics:subscribe: results of one session, and of all own ones', async (t, options) => {
  const app = await build(t, options)
  const [{ sessionId: first }, { sessionId: second }] = [await app.session(mine), await app.session(mine)]
  const [a, b] = [`session:${first}:teacher`, `session:${second}:teacher`]
  const fail = async (sessionId: string) => await emit(app, '/sessions', 'analytics:failed', sessionId, { sessionId, errorCode: 'INTERNAL', message: 'No results.' })
  const before = await app.connect('/sessions', mine)
  await fail(first)
  const { positions } = await before.ok('analytics:subscribe', {})
  const one = await before.ok('analytics:subscribe', { sessionId: first })
  t.match([positions, one.positions], [{ [a]: { offset: 1 }, [b]: { offset: 0 } }, { [a]: { offset: 1 } }])
  before.close()

  for (const sessionId of [first, second, first]) await fail(sessionId)
  const after = await app.connect('/sessions', mine)
  t.match(await after.ok('analytics:subscribe', { since: positions }), { lost: [], recovered: true, deprecated: true })
  await fail(second)
  t.same(await came(after as never), { [a]: [2, 3], [b]: [1, 2] })
  const single = await app.connect('/sessions', mine)
  t.match(await single.ok('analytics:subscribe', { sessionId: first, since: one.positions }), { lost: [], recovered: true, positions: { [a]: { offset: 3 } } })
  t.same(await came(single as never), { [a]: [2, 3] })

  const late = await app.connect('/sessions', mine)
  t.match(await late.ok('analytics:subscribe', { since: { ...positions, [b]: old } }), { lost: [b], recovered: false })
  t.match(await late.ok('analytics:subscribe', { sessionId: first, since: { [a]: old } }), { lost: [a], recovered: false })
  t.same(await came(late as never), { [a]: [2, 3] })
})

onBoth(t, 'group:join: talk and status of one group', async (t, options) => {
  const app = await build(t, options)
  const { sessionId } = await app.session(mine)
  const group = { sessionId, groupId: 'red' }
  const room = `session:${sessionId}:group:red`
  const say = async (text: string) => await app.call('POST', `/sessions/${sessionId}/transcripts`, { slices: [{ groupId: 'red', text }] }, mine)
  const before = await app.connect('/sessions', mine)
  await say('One.')
  const { positions } = await before.ok('group:join', group)
  t.match(positions, { [room]: { offset: 1 } })
  await before.ok('group:leave', group)
  await say('Two.')
  await before.flush()
  t.same(await came(before as never), {}, 'who has left hears nothing')
  const other = await app.connect('/sessions', mine)
  await other.ok('group:join', group)
  await other.ok('group:status_update', { ...group, status: 'ready' })
  t.match(await before.ok('group:join', { ...group, since: positions }), { lost: [], recovered: true, group: { status: 'ready' } })
  await say('Three.')
  t.same(await came(before as never), { [room]: [2, 3, 4] })
  t.same(before.received('transcription:group:new').map(({ text }) => text), ['Two.', 'Three.'])

  const late = await app.connect('/sessions', mine)
  t.match(await late.ok('group:join', { ...group, since: { [room]: old } }), { lost: [room], recovered: false, group: { status: 'ready' } })
  t.same(await came(late as never), {})
})
