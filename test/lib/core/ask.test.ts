import t from 'tap'
import { ask, askDeadlineMs, watchRedis, type AskedClient } from '../../../lib/core/ask.ts'
import { useRedis } from '../../redis.ts'

const client = (status: string): AskedClient => ({
  status,
  evalsha: async () => 'asked',
  eval: async () => 'asked'
})

t.test('a ready client is asked', async t => {
  t.equal(await ask(() => client('ready'), redis => redis.evalsha('', 0)), 'asked')
})

t.test('a client that is not ready is not asked at all', async t => {
  for (const status of ['wait', 'connecting', 'connect', 'reconnecting', 'close', 'end']) {
    await t.rejects(ask(() => client(status), async () => t.fail('was asked')), { code: 'UNAVAILABLE', cause: { message: `Redis is not ready: ${status}` } })
  }
  await t.rejects(ask(() => undefined, async () => t.fail('was asked')), { code: 'UNAVAILABLE' })
})

t.test('the client of this moment is asked, not the first one', async t => {
  let current = client('end')
  const asked = () => ask(() => current, redis => redis.evalsha('', 0))
  await t.rejects(asked(), { code: 'UNAVAILABLE' })
  current = client('ready')
  t.equal(await asked(), 'asked')
})

t.test('a failure keeps its cause', async t => {
  const cause = new Error('READONLY')
  await t.rejects(ask(() => client('ready'), async () => { throw cause }), { code: 'UNAVAILABLE', statusCode: 503, cause })
})

t.test('a late answer is not waited for, and a late failure is nobody\'s unhandled rejection', async t => {
  const unhandled: unknown[] = []
  const listen = (reason: unknown): void => { unhandled.push(reason) }
  process.on('unhandledRejection', listen)
  t.teardown(() => process.off('unhandledRejection', listen))
  let fail = (_: Error): void => {}
  let late = 0
  const began = performance.now()
  await t.rejects(ask(() => client('ready'), () => new Promise<never>((_resolve, reject) => { fail = reject }), { onLate: () => late++ }), { code: 'UNAVAILABLE' })
  const took = performance.now() - began
  t.ok(took >= askDeadlineMs - 5 && took < askDeadlineMs + 10_000, `${took} ms`)
  t.equal(late, 1)
  fail(new Error('Connection is closed.'))
  await new Promise(resolve => setTimeout(resolve, 10))
  t.same(unhandled, [])
})

t.test('whoever watches a client hears of each question once', async t => {
  const heard: string[] = []
  const watched = client('ready')
  watchRedis(watched, { answered: ms => heard.push(ms < 10_000 ? 'answered' : `after ${ms} ms`), failed: why => heard.push(why) })
  const last = (): string[] => heard.splice(0)
  await ask(() => watched, async () => 'here')
  t.same(last(), ['answered'])
  await t.rejects(ask(() => watched, async () => { throw new Error('READONLY') }))
  t.same(last(), ['refused'])
  let fail = (_: Error): void => {}
  await t.rejects(ask(() => watched, () => new Promise<never>((_resolve, reject) => { fail = reject }), { deadlineMs: 5 }))
  fail(new Error('Connection is closed.'))
  await new Promise(setImmediate)
  t.same(last(), ['late'], 'and not of its failure after that')
  let come = (): void => {}
  await t.rejects(ask(() => watched, () => new Promise<void>(resolve => { come = resolve }), { deadlineMs: 5 }))
  come()
  await new Promise(setImmediate)
  t.same(last(), ['late', 'answered'], 'its time counts')
  const away = client('end')
  watchRedis(away, { answered: () => heard.push('answered'), failed: why => heard.push(why) })
  await t.rejects(ask(() => away, async () => 'here'))
  t.same(last(), ['away'])
})

t.test('an answer that came while the process was busy is not late', async t => {
  const redis = (await useRedis(t)).client()
  await redis.ping()
  const answer = ask(() => redis, () => redis.ping())
  const until = performance.now() + askDeadlineMs + 100
  while (performance.now() < until);
  t.equal(await answer, 'PONG')
})
