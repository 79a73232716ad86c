import { readFile } from 'node:fs/promises'
import { io, type Socket } from 'socket.io-client'
import t, { type Test } from 'tap'
import { run } from './run.ts'

async function connect (t: Test, link: string, origin?: string): Promise<Socket> {
  const url = new URL(link)
  const socket = io(url.origin, {
    auth: { token: new URLSearchParams(url.hash.slice(1)).get('token') }, transports: ['websocket'], forceNew: true, reconnection: false, ...(origin && { extraHeaders: { origin } })
  })
  t.teardown(() => socket.close())
  await new Promise((resolve, reject) => { socket.once('connect', () => resolve(undefined)).once('connect_error', reject) })
  return socket
}

t.test('a class that chats, and the page to do it with', async t => {
  const running = run(t, 'examples/classroom.ts', [], { PORT: '0' })
  const [, code = '', teacherLink = '', pupilLink = ''] = await running.says(/^Code {4}(\w+)\nTeacher (\S+)\nPupil {3}(\S+)\n/)
  const page = await fetch(teacherLink.split('#')[0] as string)
  t.match(page.headers.get('content-type'), 'text/html')
  t.equal(await page.text(), await readFile(new URL('../../examples/websocket-client.html', import.meta.url), 'utf8'))
  const script = await fetch(new URL('/socket.io.js', teacherLink))
  t.match(await script.text(), 'Socket.IO')

  const [teacher, pupil] = await Promise.all([connect(t, teacherLink), connect(t, pupilLink, 'null')])
  await teacher.emitWithAck('joinSession', code)
  const joined = new Promise(resolve => { pupil.once('sessionJoined', resolve) })
  pupil.emit('joinSession', code)
  t.match(await joined, { sessionCode: code, participants: [{ userId: 'teacher-1' }, { userId: 'pupil-1' }] })
  const heard = new Promise(resolve => { teacher.once('messageReceived', resolve) })
  pupil.emit('sendMessage', { sessionCode: code, message: 'Hello class!' })
  t.match(await heard, { userId: 'pupil-1', message: 'Hello class!' })
  await t.rejects(connect(t, pupilLink, 'https://elsewhere.example'), 'pages of others stay out')
  running.child.kill('SIGTERM')
  t.equal(await running.ended, 0)
})
