import { io } from 'socket.io-client'
import t from 'tap'
import { createRest } from '../../examples/replay/rest.ts'
import type { Session } from '../../lib/contract.ts'
import { useRedis } from '../redis.ts'
import { run } from './run.ts'

t.test('a worker speaks into a class that is served by another process', async t => {
  const { url: REDIS_URL } = await useRedis(t)
  const server = run(t, 'examples/server.ts', [], { PORT: '0', REDIS_URL })
  const [, url = ''] = await server.says(/^REST +(http:\S+)\/api\/v1$/m)
  const [, token = ''] = await server.says(/^Teacher +(\S+)$/m)
  const { sessionId, groups: [group] } = await createRest(url, token).post<Session>('/sessions', { topic: 'x', groups: [{ name: 'a' }] })
  const groupId = group?.groupId ?? ''

  const socket = io(`${url}/sessions`, { auth: { token }, transports: ['websocket'], forceNew: true })
  t.teardown(() => socket.close())
  const heard: { text: string }[] = []
  const two = new Promise<void>(resolve => {
    socket.on('transcription:group:new', (slice: { text: string }) => { if (heard.push(slice) === 2) resolve() })
  })
  t.match(await socket.emitWithAck('session:guidance:subscribe', { sessionId }), { ok: true, backend: 'redis' })

  const worker = run(t, 'examples/worker.ts', [sessionId, groupId], { REDIS_URL })
  worker.child.stdin?.end('the roof has forty square metres\n\nso we need two barrels\n')
  t.equal(await worker.ended, 0)
  await two
  t.match(heard, [{ sessionId, groupId, text: 'the roof has forty square metres' }, { sessionId, groupId, text: 'so we need two barrels' }])

  server.child.kill('SIGTERM')
  t.equal(await server.ended, 0)
})

t.test('a worker that is told too little, or finds no Redis, says so', async t => {
  const lost = run(t, 'examples/worker.ts', ['s'], { REDIS_URL: 'redis://127.0.0.1:1' })
  t.equal(await lost.ended, 2)
  t.match(lost.stderr(), /^Usage: REDIS_URL=/)
  const alone = run(t, 'examples/worker.ts', ['s', 'g'], { REDIS_URL: 'redis://127.0.0.1:1' })
  alone.child.stdin?.end('hello\n')
  t.equal(await alone.ended, 1)
  t.match(alone.stderr(), /^The store cannot be reached at the moment; try again\.\n$/)
})
