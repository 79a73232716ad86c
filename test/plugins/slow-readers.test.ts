import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { Server, type Socket } from 'socket.io'
import t, { type Test } from 'tap'
import type { guidance as contract } from '../../lib/contract.ts'
import { build, onBoth, token, type App } from '../app.ts'
import { client, patienceMs, type Client } from '../client.ts'
import { figure, percentile, tier } from '../faults/tier.ts'

/** Readers that stop to read: their TCP connection is paused, so what is sent to them waits in the server. */

const mebibyte = 1024 * 1024
const text = 'word '.repeat(4_000)

interface Pausable { pause (): void, resume (): void }
const wireOf = ({ socket }: { socket: Client['socket'] }): Pausable => (socket.io.engine.transport as unknown as { ws: Pausable }).ws

/** What waits in the engine for one socket. */
function waitingFor ({ conn }: Socket): number {
  const { writeBuffer } = conn as unknown as { writeBuffer: { data?: string }[] }
  return writeBuffer.reduce((sum, { data }) => sum + (data?.length ?? 0), 0)
}

const serverSide = (app: App, namespace: string, { socket }: { socket: Client['socket'] }): Socket => app.app.io.of(namespace).sockets.get(socket.id as string) as Socket
const tick = async (ms = 0): Promise<void> => await new Promise(resolve => setTimeout(resolve, ms))

async function until (condition: () => boolean, what: string): Promise<void> {
  for (const end = Date.now() + patienceMs; !condition(); await tick(1)) if (Date.now() > end) throw new Error(`${what} did not come about`)
}

const slowCount = async (app: App): Promise<number> => {
  const { body } = await app.call<string>('GET', '//metrics', undefined, token({ role: 'admin' }))
  return Number(/^classwaves_connection_faults_total\{what="slow"\} (\d+)/m.exec(body)?.[1] ?? 0)
}

/** A class whose talk is heard by one that stops to read and by three that go on. */
async function scene (t: Test, options: object) {
  const app = await build(t, options)
  const teacher = token({ sub: 'teacher-1' })
  const { sessionId } = await app.session(teacher)
  const room = `session:${sessionId}:group:red`
  const readers = await Promise.all(Array.from({ length: 4 }, async () => await app.connect('/sessions', teacher)))
  for (const reader of readers) await reader.ok('session:join', { sessionId })
  const [paused, ...others] = readers as [typeof readers[0], ...typeof readers]
  let said = 0
  const say = async (): Promise<void> => {
    const place = { sessionId, groupId: 'red' }
    await app.app.classwaves.emit.sessions?.to(place).emit('transcription:group:new', { ...place, id: `slice-${++said}`, text, timestamp: new Date().toISOString() })
  }
  const heard = (one: typeof paused): number[] => one.records.filter(({ meta }) => meta.room === room).map(({ meta }) => meta.offset as number)
  const position = (one: typeof paused): { epoch: string, offset: number } => {
    const { meta } = one.records.findLast(({ meta }) => meta.room === room) as { meta: { epoch: string, offset: number } }
    return { epoch: meta.epoch, offset: meta.offset }
  }
  return { app, teacher, sessionId, room, paused, others, say, heard, position, said: () => said }
}

onBoth(t, 'a reader that stops is closed past the limit, comes back and has missed nothing', async (t, options) => {
  const { app, teacher, sessionId, room, paused, others, say, heard, position, said } = await scene(t, options)
  const server = serverSide(app, '/sessions', paused)
  let details: unknown
  paused.socket.on('disconnect', (_reason, description) => { details = description })
  await say()
  await until(() => heard(paused).length === 1, 'the first word')
  const before = position(paused)
  wireOf(paused).pause()

  let most = 0
  while (server.connected && said() < 900) {
    await say()
    most = Math.max(most, waitingFor(server))
    await tick() // the others read meanwhile, as they would in life
  }
  t.notOk(server.connected, 'the server let go of it')
  t.ok(most > mebibyte / 4 && most < 2.5 * mebibyte, `${Math.round(most / 1024)} KiB waited at most`)
  t.equal(await slowCount(app), 1)
  for (let i = 0; i < 20; i++) await say()

  wireOf(paused).resume()
  t.equal(await paused.end(), 'transport close', 'after which a stock client comes back by itself')
  t.match(details, { context: { code: 4008, reason: 'SLOW_CONSUMER' } })
  const first = heard(paused)
  t.ok(first.length < said(), 'it did not get all of it')

  const back = await app.connect('/sessions', teacher)
  const { recovered, lost } = await back.ok('session:join', { sessionId, since: { [room]: position(paused), [`session:${sessionId}`]: before } })
  t.notOk(lost.includes(room), 'what was said is still there')
  t.ok(recovered || lost.length > 0)
  const every = Array.from({ length: said() }, (_, i) => i + 1)
  await until(() => heard(back).length + first.length >= said(), 'the rest')
  t.same([...first, ...heard(back)], every, 'each once, in order, without a hole')
  t.equal(back.gone, undefined, 'catching up is not too much for a reader that reads')
  for (const other of others) {
    await until(() => heard(other).length >= said(), 'all of it')
    t.same(heard(other), every, 'the others lost nothing')
    t.equal(other.gone, undefined)
  }
})

t.test('a reader that lags gets the newest of each thing once it has caught up', async t => {
  const { app, teacher, sessionId, paused, others, say, heard, said } = await scene(t, { limits: { guidanceSocketsPerUser: 4 } })
  const guidance = await Promise.all([paused, ...others].map(async one => await one.also<typeof contract>('/guidance', { token: teacher })))
  for (const one of guidance) await one.ok('analytics:subscribe', { sessionId })
  const [mine, ...theirs] = guidance as [typeof guidance[0], ...typeof guidance]
  const scores = (one: typeof mine): unknown[] => one.received('guidance:analytics').map(({ metrics }) => [metrics.groupId, 'attentionScore' in metrics && metrics.attentionScore])
  const attend = async (groupId: string, attentionScore: number): Promise<void> => {
    await app.app.classwaves.emit.guidance?.to({ sessionId, groupId }).emit('guidance:analytics', {
      category: 'attention', sessionId, metrics: { groupId, attentionScore, onTrackScore: 1 }, timestamp: new Date().toISOString()
    })
  }

  const server = serverSide(app, '/sessions', paused)
  wireOf(paused).pause()
  while (waitingFor(server) < mebibyte / 4) {
    await say()
    await tick()
  }
  const waited = waitingFor(server)
  for (let score = 1; score <= 100; score++) for (const groupId of ['red', 'blue']) await attend(groupId, score)
  for (const one of theirs) {
    await until(() => scores(one).length >= 200, 'all scores')
    t.equal(scores(one).length, 200, 'who reads gets each')
  }
  t.equal(waitingFor(server), waited, 'nothing was added to what waits')
  wireOf(paused).resume()
  await until(() => heard(paused).length === said() && scores(mine).length >= 2, 'what was held back')
  await attend('red', 7)
  await until(() => scores(mine).length >= 3, 'what came after')
  t.same(scores(mine), [['red', 100], ['blue', 100], ['red', 7]], 'the newest of each, once')
  t.equal(await slowCount(app), 0, 'nobody was closed')
})

t.test('the others are not kept waiting', async t => {
  const time = async (stalls: boolean): Promise<number> => {
    const { paused, others, say, heard, said } = await scene(t, {})
    const times: number[] = []
    if (stalls) wireOf(paused).pause()
    for (let i = 0; i < 200; i++) {
      const began = performance.now()
      await say()
      for (const other of others) await until(() => heard(other).length >= said(), 'a word')
      times.push(performance.now() - began)
    }
    for (const other of others) t.equal(heard(other).length, 200)
    if (stalls) wireOf(paused).resume()
    return times.sort((a, b) => a - b)[Math.floor(times.length * 0.99)] as number
  }
  const rounds: [control: number, stalled: number][] = []
  while (rounds.length < tier(1, 5)) rounds.push([await time(false), await time(true)])
  const [control, stalled] = [percentile(rounds.map(([one]) => one), 0.5), percentile(rounds.map(([, one]) => one), 0.5)]
  figure(t, {
    what: 'slow readers: p99 to the last of three others',
    reach: 'within twice the control',
    got: `${stalled.toFixed(1)} ms, control ${control.toFixed(1)} ms (medians of ${rounds.length})`
  }, stalled <= 2 * control)
})

t.test('control: a stock server keeps all of it for a reader that stops', async t => {
  const http = createServer().listen(0, '127.0.0.1')
  const io = new Server(http)
  t.teardown(() => io.close())
  await new Promise(resolve => http.once('listening', resolve))
  const paused = await client(`http://127.0.0.1:${(http.address() as AddressInfo).port}`, '/', {}).ready()
  t.teardown(() => paused.close())
  wireOf(paused).pause()
  for (let i = 0; i < 900; i++) {
    io.emit('transcription:group:new', { text })
    if (i % 10 === 0) await tick()
  }
  await tick(300)
  const [server] = [...io.of('/').sockets.values()]
  t.ok(server?.connected, 'it is not let go')
  t.ok(waitingFor(server as Socket) > 8 * mebibyte, `${Math.round(waitingFor(server as Socket) / mebibyte)} MiB wait, and more would`)
  wireOf(paused).resume()
})
