import t from 'tap'
import type { GuidanceState, TeacherPrompt } from '../../index.ts'
import { build, onBoth, token, type App } from '../app.ts'
import type { Client } from '../client.ts'
import type { guidance } from '../../lib/contract.ts'
import { redFallsSilent } from '../talk.ts'

/** Talk comes in, a prompt goes out, the teacher acts on it, and that is learnt from. */

interface Scene { app: App, mine: string, sessionId: string, socket: Client<typeof guidance> }

async function scene (t: Parameters<typeof build>[0], options: object): Promise<Scene> {
  const app = await build(t, options)
  const mine = token({ sub: 'teacher-1' })
  const { sessionId } = await app.session(mine)
  const socket = await app.connect('/guidance', mine)
  await socket.ok('guidance:subscribe', { subscriptions: ['teacher_alerts', 'recommendations'] })
  await app.call('POST', `/sessions/${sessionId}/transcripts`, { slices: redFallsSilent() }, token({ role: 'worker' }))
  return { app, mine, sessionId, socket }
}

const stats = async ({ app }: Scene, { templateKey }: TeacherPrompt) => await app.app.guidance.gates.promptStats({ templateKey })
const pressure = async ({ app, sessionId }: Scene) => await app.app.guidance.gates.promptPressure({ sessionId, groupId: 'red' })

onBoth(t, 'over a socket', async (t, options) => {
  const all = await scene(t, options)
  const { sessionId, socket } = all
  const alert = await socket.next('teacher:alert')
  const [recommendation] = await socket.next('teacher:recommendations') as [TeacherPrompt]
  t.match(alert, { sessionId, groupId: 'red', priority: 'high', suggestedTiming: 'immediate', message: /./, why: [{ signal: 'stall', contribution: Number }], templateKey: String })
  t.match(recommendation, { sessionId, groupId: 'red', suggestedTiming: 'next_break' })
  t.not(alert.message, recommendation.message, 'nothing is said twice')
  t.match(await pressure(all), { pressure: 1, ackCount: 0 })
  t.match(await stats(all, alert), { observationCount: 0, successRate: null })

  t.match(await socket.ok('prompt:interact', { promptId: alert.promptId, action: 'acknowledge' }), { promptId: alert.promptId, action: 'acknowledge', timestamp: String })
  t.match(await socket.next('prompt:interaction_confirmed'), { promptId: alert.promptId, action: 'acknowledge' })
  const acknowledged = await pressure(all)
  t.ok(acknowledged.pressure < 1 && acknowledged.ackCount > 0.9, 'a group that was seen to presses less')
  t.match(await stats(all, alert), { observationCount: 0 }, 'seen says nothing of the template')

  await socket.ok('prompt:interact', { promptId: alert.promptId, action: 'use', feedback: 'It helped.', sessionId })
  t.match(await stats(all, alert), { observationCount: 1, successRate: 1 })
  await socket.ok('prompt:interact', { promptId: alert.promptId, action: 'use' })
  t.match(await stats(all, alert), { observationCount: 1 }, 'the same twice counts once')
  await socket.ok('prompt:interact', { promptId: recommendation.promptId, action: 'dismiss' })
  t.match(await stats(all, recommendation), { observationCount: recommendation.templateKey === alert.templateKey ? 2 : 1, successSum: Number })
  t.equal(socket.received('prompt:interaction_confirmed').length, 4)
  const { prompts } = await socket.ok('guidance:get_current_state', { sessionId })
  t.notOk(prompts.some(one => [alert.promptId, recommendation.promptId].includes(one.promptId)), 'what is done is off the list')

  for (const [promptId, session] of [[`${sessionId}.0`, sessionId], ['nonsense', undefined], [alert.promptId, 'another']] as const) {
    t.equal(await socket.code('prompt:interact', { promptId, action: 'use', ...(session && { sessionId: session }) }), 'PROMPT_NOT_FOUND', promptId)
  }
  const stranger = await all.app.connect('/guidance', token())
  t.equal(await stranger.code('prompt:interact', { promptId: alert.promptId, action: 'use' }), 'PROMPT_NOT_FOUND')
  t.same(stranger.names(), [], 'and confirms nothing')
})

onBoth(t, 'over REST', async (t, options) => {
  const all = await scene(t, options)
  const { app, mine, sessionId, socket } = all
  const { body: { prompts } } = await app.call<GuidanceState>('GET', `/sessions/${sessionId}/guidance`, undefined, mine)
  const [prompt] = prompts as [TeacherPrompt]
  const act = async (action: string) => await app.call('POST', `/sessions/${sessionId}/prompts/${prompt.promptId}/interactions`, { action }, mine)
  t.equal((await act('acknowledge')).status, 200)
  t.ok((await pressure(all)).pressure < 1)
  t.equal((await act('dismiss')).status, 200)
  t.match(await stats(all, prompt), { observationCount: 1, successRate: 0 })
  await socket.flush()
  t.same(socket.received('prompt:interaction_confirmed'), [], 'who asked over REST was answered over REST')
})

onBoth(t, 'the list of subscriptions really filters, and each gets a thing once', async (t, options) => {
  const app = await build(t, options)
  const [mine, other] = [token({ sub: 'teacher-1' }), token({ sub: 'teacher-2' })]
  const { sessionId } = await app.session(mine)
  const listen = async (who: string, subscriptions: ('teacher_alerts' | 'recommendations' | 'insights')[] | undefined, session = false) => {
    const socket = await app.connect('/guidance', who)
    if (subscriptions) await socket.ok('guidance:subscribe', { subscriptions })
    if (session) await socket.ok('session:guidance:subscribe', { sessionId })
    return socket
  }
  const alerts = await listen(mine, ['teacher_alerts'])
  const insights = await listen(mine, ['insights'])
  const both = await listen(mine, ['teacher_alerts', 'recommendations', 'insights'], true)
  const stranger = await listen(other, ['teacher_alerts', 'recommendations', 'insights'])
  const nothing = await listen(other, [])
  const admin = await listen(token({ role: 'admin' }), ['teacher_alerts'])
  await stranger.ok('analytics:subscribe', { metrics: ['attention', 'tier2-shift'] })
  await app.call('POST', `/sessions/${sessionId}/transcripts`, { slices: redFallsSilent() }, mine)
  for (const event of ['teacher:alert', 'teacher:recommendations', 'ai:tier1:insight', 'ai:tier2:insight'] as const) await both.next(event)
  const sockets = [alerts, insights, both, stranger, nothing, admin]
  await Promise.all(sockets.map(async socket => await socket.flush()))
  const names = (socket: typeof both) => [...new Set(socket.names().filter(name => !name.endsWith(':subscribed')))].sort()
  t.same(names(alerts), ['teacher:alert'])
  t.same(names(insights), ['ai:tier1:insight', 'ai:tier2:insight'])
  t.same(names(both), ['ai:tier1:insight', 'ai:tier2:insight', 'teacher:alert', 'teacher:recommendations'])
  t.same(names(stranger), [], 'a feed is of own sessions')
  t.same(names(nothing), [])
  t.same(names(admin), ['teacher:alert'], 'an admin\'s is of all')
  const ids = both.received('teacher:alert').map(one => one.promptId)
  t.equal(new Set(ids).size, ids.length, 'two subscriptions, one copy')
  t.same(alerts.received('teacher:alert').map(one => one.promptId), ids)
})
