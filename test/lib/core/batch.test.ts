import t from 'tap'
import { runner, batching } from '../../../lib/core/batch.ts'
import { runnerOnce } from '../../../lib/core/once.ts'
import type { ScriptClient } from '../../../lib/core/script.ts'
import { useRedis } from '../../redis.ts'

/** Scripts that are asked often, together in one command. */

const source = `if ARGV[2] == 'bad' then return redis.error_reply('INVALID question') end
if ARGV[2] == 'broken' then return redis.call('NOSUCH') end
local function add (more) return redis.call('INCRBY', KEYS[1], more) end
local sum = add(ARGV[1])
redis.call('RPUSH', KEYS[2], ARGV[2])
return { ARGV[2], tostring(sum) }`

t.test('what is asked in one turn goes together, each with its own answer, in order', async t => {
  const redis = (await useRedis(t)).client()
  const commands: number[] = []
  const client: ScriptClient = {
    evalsha: async (...words) => { commands.push(words.length); return await redis.evalsha(...words) },
    eval: async (...words) => await redis.eval(...words)
  }
  const run = batching(source, 2, 2, runner)
  const ask = async (key: string, by: number, word: string): Promise<unknown> =>
    await run(client, [key, 'list'], [String(by), word]).catch((error: Error) => error.message.replace(/ script: .*| user_script.*/, ''))

  t.same(await ask('a', 1, 'alone'), ['alone', '1'])
  t.same(commands.length, 1)
  const answers = await Promise.all([ask('a', 1, 'w1'), ask('b', 5, 'bad'), ask('a', 2, 'w2'), ask('b', 1, 'broken'), ask('b', 7, 'w3')])
  t.same(commands.length, 2, 'five questions, one command')
  t.same([answers[0], answers[2], answers[4]], [['w1', '2'], ['w2', '4'], ['w3', '7']])
  t.equal(answers[1], 'INVALID question', 'a refusal is that of one alone')
  t.match(answers[3], /Unknown Redis command/)
  t.same(await redis.lrange('list', 0, -1), ['alone', 'w1', 'w2', 'w3'])

  await redis.script('FLUSH')
  const many = await Promise.all(Array.from({ length: 200 }, async (_, i) => await ask('c', 1, `n${i}`)))
  t.same(many, Array.from({ length: 200 }, (_, i) => [`n${i}`, String(i + 1)]), 'also past the size of a batch, and when Redis has forgotten the text')
  t.same(commands.length, 2 + 13)

  const cluster = { ...client, isCluster: true }
  await Promise.all(Array.from({ length: 3 }, async () => await run(cluster, ['d', 'list'], ['1', 'x'])))
  t.same(commands.length, 2 + 13 + 3, 'in a cluster each goes alone')
})

t.test('what is left over of many goes behind the others, whatever Redis knows of the script', async t => {
  const redis = (await useRedis(t)).client()
  const run = batching(source, 2, 2, runner)
  await run(redis, ['e', 'order'], ['1', 'alone']) // the text for one is known, that for many is not
  await Promise.all(Array.from({ length: 17 }, async (_, i) => await run(redis, ['e', 'order'], ['1', `n${i}`])))
  t.same(await redis.lrange('order', 0, -1), ['alone', ...Array.from({ length: 17 }, (_, i) => `n${i}`)])
})

t.test('a command that is sent again because its answer was lost is answered as before, one question or many', async t => {
  const redis = (await useRedis(t)).client()
  let commands = 0
  const twice: ScriptClient = {
    async evalsha (...words) {
      commands++
      await redis.evalsha(...words)
      return await redis.evalsha(...words)
    },
    eval: async (...words) => await redis.eval(...words)
  }
  const run = batching(source, 2, 2, runnerOnce)
  const ask = async (word: string): Promise<unknown> => await run(twice, ['f', 'once'], ['1', word]).catch((error: Error) => error.message.split(' ')[0])
  await Promise.all([ask('first'), ask('second')])
  await ask('third')
  commands = 0
  t.same(await ask('alone'), ['alone', '4'])
  t.same(await Promise.all(['a', 'bad', 'b'].map(ask)), [['a', '5'], 'INVALID', ['b', '6']])
  t.equal(commands, 2)
  t.same(await redis.lrange('once', 0, -1), ['first', 'second', 'third', 'alone', 'a', 'b'])
  const kept = await redis.keys('core:answer:*')
  t.equal(kept.length, 4, 'all answers of a command are kept together')
  for (const name of kept) t.ok(await redis.pttl(name) <= 10_000)
})

t.test('a connection that breaks fails all that waits, and holds nobody', async t => {
  const redis = (await useRedis(t)).client({ retryStrategy: () => null, enableOfflineQueue: false })
  await new Promise(resolve => redis.once('ready', resolve))
  const run = batching(source, 2, 2, runner)
  redis.disconnect()
  const settled = await Promise.allSettled(Array.from({ length: 3 }, async () => await run(redis, ['a', 'list'], ['1', 'x'])))
  t.ok(settled.every(({ status }) => status === 'rejected'))
})
