import t from 'tap'
import { gateScripts } from '../../../lib/guidance/gates-redis.ts'
import { useRedis } from '../../redis.ts'

const redis = (await useRedis(t)).client()

/** A fair value for each argument of the scripts. */
const fair: Record<string, string> = {
  sample: '5',
  id: 'slice-1',
  ttlSeconds: '3600',
  score: '50',
  minScoreDelta: '5',
  minTimeDeltaMs: '30000',
  at: '1700000000000',
  halfLifeMs: '300000',
  cooldownMs: '90000',
  fingerprint: 'a'.repeat(40),
  peek: '0',
  outcome: '1',
  snapshot: '{"learningSignals":0.5}',
  throttleMs: '600000'
}

const notNumbers = [
  'nan', 'NaN', '-nan', 'inf', '-inf', 'Infinity', '1e400', '-1e400', '9'.repeat(300), '0x10', '0b11', ' 5', '5 ', '5\n', '1_0', 'abc', '--5', '\0'
]
const hostile: Record<string, string[]> = {
  id: ['a|b', 'a b', 'ä', '\0', 'x'.repeat(65)],
  snapshot: [...notNumbers, '{}x', '"text"', '{"a":NaN}', '{"a":1e400}', '{"a":null}', '{"a":[1]}', '[1]', '{"a":0.5', `{"a":"${'x'.repeat(9000)}"}`]
}
/** Empty asks for the time of Redis, or to read. */
const mayBeEmpty = new Set(['at', 'snapshot', 'outcome', 'guidance_prompt_acks id'])

t.test('a script refuses by itself what is no number, before any write', async t => {
  for (const { file, args, source } of gateScripts) {
    const name = `hostile:${file}`
    const call = (changed: Record<string, string>) => redis.eval(source, 1, name, ...args.map(label => ({ ...fair, ...changed })[label] as string))
    await call({})
    await redis.expire(name, 50)
    const before = await redis.dumpBuffer(name)
    for (const label of args) {
      const empty = mayBeEmpty.has(label) || mayBeEmpty.has(`${file} ${label}`) ? [] : ['']
      for (const bad of [...hostile[label] ?? notNumbers, ...empty]) {
        await t.rejects(call({ [label]: bad }), { message: /^INVALID / }, `${file} ${label} ${JSON.stringify(bad).slice(0, 40)}`)
      }
    }
    await t.rejects(redis.eval(source, 1, name), { message: /^INVALID / }, `${file} without arguments`)
    t.same(await redis.dumpBuffer(name), before, `${file} wrote nothing`)
    t.ok(await redis.ttl(name) <= 50, `${file} renewed nothing`)
  }
})

t.test('stored values that are no numbers are replaced, not kept for ever', async t => {
  const [welford, attention, acks, cooldown, , stats, , shift] = gateScripts
  await redis.hset('bad:stats', { mean: 'nan', variance: 'nan', count: '5' })
  t.same(await redis.eval(welford.source, 1, 'bad:stats', '4', 'a', '60'), ['updated', '4', '0', '1', '0'])
  await redis.hset('bad:attention', { score: 'nan', timestamp: '9e15' })
  t.same(await redis.eval(attention.source, 1, 'bad:attention', '4', '5', '1000', '60', '1000'), ['first', '', '', '0'])
  await redis.hset('bad:acks', { count: 'inf', timestamp: '1000' })
  t.same(await redis.eval(acks.source, 1, 'bad:acks', 'a', '1000', '60', '1000'), ['counted', '1'])
  await redis.hset('bad:template', { success_sum: 'nan', weight_sum: '1', observation_count: '1', last_update: '1' })
  t.same(await redis.eval(stats.source, 1, 'bad:template', '1', 'a', '1000', '60', '1000'), ['updated', '1', '1', '1', '1', '1000'])
  for (const { source } of [cooldown, shift]) {
    await redis.set('bad:time', 'soon')
    t.same(await redis.eval(source, 1, 'bad:time', '1000', '60', '1000'), ['first', '', '0'])
  }
})

t.test('numbers travel with every digit', async t => {
  const [welford] = gateScripts
  await redis.eval(welford.source, 1, 'digits', '0.1', 'a', '60')
  const [, mean] = await redis.eval(welford.source, 1, 'digits', '0.2', 'b', '60') as string[]
  t.equal(Number(mean), 0.1 + (0.2 - 0.1) / 2)
  t.equal(await redis.hget('digits', 'mean'), mean)
})
