import type { Test } from 'tap'
import { build, token, type App } from './app.ts'
import type { Client } from './client.ts'
import { rawSocket, type Raw } from './raw.ts'

/**
 * What a client may send that nobody should, and what must come of it: the sender was told, or lost that one
 * connection; the session is as it was; another client of the same process is served and heard nothing; the process
 * knows of no fault.
 */

const faults: unknown[] = []
process.on('uncaughtException', error => faults.push(error))
process.on('unhandledRejection', error => faults.push(error))

export const deep = (levels: number): string => '['.repeat(levels) + ']'.repeat(levels)
export const mebibyte = 1024 * 1024

export interface Scene { app: App, sessionId: string, teacher: string, bystander: Client, hostile: Client, wire: Raw, before: unknown }

/** A class with a bystander in it, and an attacker on a stock client and on a bare wire. */
export async function scene (t: Test, options: object = {}): Promise<Scene> {
  const app = await build(t, { ...options, sessions: { transcriber: () => {} } })
  const teacher = token({ sub: 'teacher-1' })
  const { sessionId } = await app.session(teacher, { groups: [{ groupId: 'red', name: 'Red', memberIds: ['student-1', 'student-2'] }] })
  const bystander = await app.connect('/sessions', token({ sub: 'student-2', role: 'student' }))
  const hostile = await app.connect('/sessions', token({ sub: 'student-1', role: 'student' }))
  const wire = await rawSocket(t, app.url, '/sessions', token({ sub: 'student-1', role: 'student' }))
  for (const socket of [bystander, hostile]) await socket.raw('session:join', { sessionId })
  wire.send(`2/sessions,999["session:join",{"sessionId":"${sessionId}"}]`)
  await wire.next(/^3\/sessions,999\[\{"ok":true/)
  await bystander.flush()
  bystander.records.length = 0
  const { body: before } = await app.call('GET', `/sessions/${sessionId}`, undefined, teacher)
  return { app, sessionId, teacher, bystander, hostile, wire, before }
}

export async function unharmed (t: Test, { app, before, bystander, sessionId, teacher }: Scene): Promise<void> {
  t.equal(await bystander.code('audio:stream:ack', { sessionId, groupId: 'red' }), 'ok', 'another client is served')
  t.same(bystander.names().filter(name => name !== 'presence:updated'), [], 'and heard nothing')
  t.same((await app.call('GET', `/sessions/${sessionId}`, undefined, teacher)).body, before, 'the session is as it was')
  t.same(app.warnings(), [], 'nothing went wrong on our side')
  t.same(faults, [], 'and nothing escaped')
}
