import { once } from 'node:events'
import { createServer, type AddressInfo } from 'node:net'
import { setTimeout as pause } from 'node:timers/promises'
import t from 'tap'
import { answerLifeMs, runnerOnce } from '../../../lib/core/once.ts'
import { connect, quiet, readyWithin, subscriber } from '../../../lib/core/redis.ts'
import { patienceMs } from '../../client.ts'
import { startProxy } from '../../faults/proxy.ts'
import { startRedis, useRedis } from '../../redis.ts'

/** The client that the package makes for a URL. */

t.test('what is asked in one turn leaves in one write, and is answered in order', async t => {
  const { url } = await useRedis(t)
  const redis = connect(url)
  t.teardown(() => redis.disconnect())
  t.ok(await readyWithin(redis, patienceMs))
  const { _handle: handle } = redis.stream as unknown as { _handle: Record<string, (...args: unknown[]) => unknown> }
  let writes = 0
  for (const name of ['writev', 'writeBuffer', 'writeUtf8String', 'writeLatin1String']) {
    const write = handle[name] as (...args: unknown[]) => unknown
    handle[name] = (...args) => { writes++; return write.apply(handle, args) }
  }
  const answers = Array.from({ length: 20 }, async (_, i) => i % 5 === 4 ? await redis.getBuffer('count') : await redis.incr('count'))
  t.equal(writes, 0, 'not before the turn has ended')
  t.same((await Promise.all(answers)).map(Number), [1, 2, 3, 4, 4, 5, 6, 7, 8, 8, 9, 10, 11, 12, 12, 13, 14, 15, 16, 16])
  t.equal(writes, 1)

  const set = redis.set('before', 'it')
  const published = redis.publish('news', 'of it')
  t.equal(writes, 2, 'a publish is not held back, nor what was asked before it')
  await Promise.all([set, published])
  t.equal(writes, 2)

  const much = Array.from({ length: 20 }, async (_, i) => await redis.set(`key ${i}`, 'x'.repeat(200)))
  t.ok(writes > 2, 'what is much does not wait for the end of the turn')
  t.same(await Promise.all(much), Array.from({ length: 20 }, () => 'OK'))
  t.ok(writes < 10, `but leaves in few writes: ${writes - 2}`)
})

t.test('while Redis is away a command fails at once, and the way back is short', async t => {
  const server = await startRedis(t)
  const redis = quiet(connect(server.url))
  t.teardown(() => redis.disconnect())
  t.ok(await readyWithin(redis, patienceMs))
  await server.kill()
  while (redis.status === 'ready') await new Promise(resolve => setTimeout(resolve, 5))
  // A queue would keep it for as long as Redis is away.
  const answer = await Promise.race([redis.get('it').catch((error: unknown) => error), new Promise(resolve => setTimeout(resolve, patienceMs, 'kept'))])
  t.match(answer, { message: "Stream isn't writeable and enableOfflineQueue options is false" })
  await server.restart()
  t.ok(await readyWithin(redis, patienceMs))

  const hearing = quiet(subscriber(redis))
  t.teardown(() => hearing.disconnect())
  for (const [name, client] of Object.entries({ commands: redis, subscription: hearing as typeof redis })) {
    const pauses = Array.from({ length: 2_000 }, (_, i) => Number(client.options.retryStrategy?.(i + 1)))
    t.ok(pauses.every(ms => ms >= 50 && ms < 270), `${name}: from ${Math.min(...pauses)} to ${Math.max(...pauses)} ms`)
  }
})

t.test('what was asked before the connection broke is sent again while its answer is kept, and never after', async t => {
  const server = await startRedis(t)
  const proxy = await startProxy(t, server.port)
  const redis = quiet(connect(`redis://127.0.0.1:${proxy.port}/1`)) // a database to choose after each new connection
  t.teardown(() => redis.disconnect())
  t.ok(await readyWithin(redis, patienceMs))
  const admin = server.client({ db: 1 })
  const add = runnerOnce("return redis.call('INCR', KEYS[1])")
  await add(redis, ['known'], []) // so that Redis knows the script

  /** Redis does all of it, and no answer comes. */
  const askInVain = async (name: string): Promise<{ counts: Promise<unknown[]>, pipeline: Promise<unknown> }> => {
    proxy.loseReplies()
    const told = async (asked: Promise<unknown>): Promise<unknown> => await asked.catch((error: Error) => error.message)
    const counts = Promise.all(Array.from({ length: 5 }, async () => await told(add(redis, [name], []))))
    const pipeline = redis.pipeline().set(`${name}-word`, 'a').append(`${name}-word`, 'b').get(`${name}-word`).exec()
    while (await admin.get(name) !== '5' || await admin.get(`${name}-word`) !== 'ab') await pause(5)
    return { counts, pipeline }
  }

  const soon = await askInVain('soon')
  proxy.heal()
  t.same(await soon.counts, [1, 2, 3, 4, 5], 'control: each gets its answer')
  t.same(await soon.pipeline, [[null, 'OK'], [null, 2], [null, 'ab']])
  t.equal(await admin.get('soon'), '5')

  const late = await askInVain('late')
  proxy.refuse()
  await pause(answerLifeMs * 0.6)
  t.equal(await admin.del(await admin.keys('core:answer:*late*')), 5, 'as if they had come to their end')
  await admin.del('late-word')
  proxy.heal()
  const why = 'The connection was away for too long to send the command again'
  t.same(await late.counts, Array.from({ length: 5 }, () => why))
  t.match(await late.pipeline, [1, 2, 3].map(() => [{ message: why }]))
  t.equal(await admin.get('late'), '5', 'counted once')
  t.equal(await admin.exists('late-word'), 0)
  t.ok(await readyWithin(redis, patienceMs))
  t.same(await Promise.all([add(redis, ['late'], []), redis.get('soon-word')]), [6, 'ab'], 'what is asked now gets its own answers')
})

t.test('what was asked before the goodbye is still done', async t => {
  const shared = await useRedis(t)
  const redis = connect(shared.url)
  t.ok(await readyWithin(redis, patienceMs))
  const answer = redis.set('last', 'word')
  redis.quit().catch(() => {})
  t.equal(await answer, 'OK')
  t.equal(await shared.client().get('last'), 'word')
})

t.test('a Redis that still reads its data is asked again soon, by both connections', async t => {
  let loading = true
  const asked: number[] = []
  // As Redis answers after a restart with much data.
  const server = createServer(socket => {
    socket.on('error', () => {}).on('data', bytes => {
      const text = String(bytes).toLowerCase()
      const infos = text.split('\r\ninfo\r\n').length - 1
      const info = `loading:${Number(loading)}\r\nloading_eta_seconds:7\r\n`
      for (let i = 0; i < infos; i++) {
        asked.push(performance.now())
        socket.write(`$${info.length}\r\n${info}\r\n`)
      }
      for (let i = (text.match(/(?:^|\r\n)\*\d+\r\n/g) ?? []).length - infos; i > 0; i--) socket.write('+OK\r\n')
    })
  }).listen(0, '127.0.0.1')
  t.teardown(() => server.close())
  await once(server, 'listening')
  const redis = quiet(connect(`redis://127.0.0.1:${(server.address() as AddressInfo).port}`))
  const hearing = quiet(subscriber(redis))
  t.teardown(() => { for (const one of [redis, hearing]) one.disconnect() })
  while (asked.length < 6) await new Promise(resolve => setTimeout(resolve, 5))
  loading = false
  const began = performance.now()
  t.same(await Promise.all([readyWithin(redis, patienceMs), readyWithin(hearing, patienceMs)]), [true, true])
  t.ok(performance.now() - began < 4_000, 'long before it said that it would be done')
})
