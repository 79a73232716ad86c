import t from 'tap'
import type { ClassClient } from '../../../lib/client/index.ts'

/** Never called: it compiles, and each wrong line would not without its mark. */
export async function typed (client: ClassClient): Promise<string[]> {
  const { changed } = await client.sessions.send('group:leader_ready', { sessionId: 's', groupId: 'g', ready: true })
  const isBoolean: boolean = changed
  // @ts-expect-error ready must be a boolean
  await client.sessions.send('group:leader_ready', { sessionId: 's', groupId: 'g', ready: 'yes' })
  // @ts-expect-error no such event
  await client.sessions.send('group:nonsense', {})
  client.guidance.on('teacher:alert', prompt => prompt.message.length)
  // @ts-expect-error a prompt has no such field
  client.guidance.on('teacher:alert', prompt => prompt.nonsense)
  // @ts-expect-error an event of the other namespace
  client.sessions.on('teacher:alert', () => {})
  client.sessions.follow('session:join', 's', ({ snapshot }) => snapshot.groups)
  client.guidance.follow('session:guidance:subscribe', 's', ({ snapshot }) => snapshot.prompts)
  client.classroom.follow('joinSession', 'ABC234', ({ snapshot }) => snapshot.participants.map(one => one.status))
  client.classroom.on('messageReceived', ({ message }) => message.length)
  // @ts-expect-error a message has text
  await client.classroom.send('sendMessage', { sessionCode: 'ABC234' })
  // @ts-expect-error its answer has no snapshot
  client.sessions.follow('group:join', 's', () => {})
  // @ts-expect-error its answer has no snapshot
  client.sessions.follow('group:leave', 's', () => {})
  client.guidance.keep('analytics:subscribe', { sessionId: 's', metrics: ['attention'] })
  // @ts-expect-error no such metric
  client.guidance.keep('analytics:subscribe', { metrics: ['mood'] })
  return [String(isBoolean)]
}

t.test('wrong payloads do not compile; npm run types holds it', async t => {
  t.type(typed, 'function')
})
