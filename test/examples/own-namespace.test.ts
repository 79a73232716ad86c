import { io, type Socket } from 'socket.io-client'
import t, { type Test } from 'tap'
import { run } from './run.ts'

async function connect (t: Test, url: string, token: string): Promise<Socket> {
  const socket = io(url, { auth: { token }, transports: ['websocket'], forceNew: true, reconnection: false })
  t.teardown(() => socket.close())
  await new Promise((resolve, reject) => { socket.once('connect', () => resolve(undefined)).once('connect_error', reject) })
  return socket
}

t.test('a namespace of the host\'s own has the same door', async t => {
  const running = run(t, 'examples/own-namespace.ts', [], { PORT: '0' })
  const [, url = '', teacherToken = '', studentToken = ''] = await running.says(/^(http:\S+\/hands)\nTeacher (\S+)\nStudent (\S+)\n/)

  const refusal: unknown = await connect(t, url, 'nobody').catch((error: unknown) => error)
  t.match(refusal, { data: { code: 'AUTH_FAILED' } })
  const teacher = await connect(t, url, teacherToken)
  const student = await connect(t, url, studentToken)
  t.match(await student.emitWithAck('desk:open', { classId: '7b' }), { ok: false, error: { code: 'FORBIDDEN' } })
  t.same(await teacher.emitWithAck('desk:open', { classId: '7b' }), { ok: true })

  const seen = new Promise<unknown[]>(resolve => { teacher.once('hand:raised', (...args: unknown[]) => resolve(args)) })
  t.same(await student.emitWithAck('hand:raise', { classId: '7b', about: 'the second line' }), { ok: true, waiting: 1 })
  t.match(await seen, [
    { classId: '7b', userId: 'student-1', about: 'the second line', at: /^\d{4}-.*Z$/ },
    { id: String, room: 'desk:7b', at: String }
  ])
  t.match(await student.emitWithAck('hand:raise', { classId: '7b', loud: true }), { ok: false, error: { code: 'INVALID_PAYLOAD', message: /loud|additional/ } })
  t.match(await student.emitWithAck('hand:raise', { classId: '7b' }), { ok: false, error: { code: 'RATE_LIMITED' } })
  t.match(await student.emitWithAck('hand:wave', {}), { ok: false, error: { code: 'UNSUPPORTED_OPERATION' } })

  running.child.kill('SIGTERM')
  t.equal(await running.ended, 0)
})
