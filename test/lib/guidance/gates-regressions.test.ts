import t, { type Test } from 'tap'
import { Redis } from 'ioredis'
import { createMemoryGates } from '../../../lib/guidance/gates-memory.ts'
import { createRedisGates, gateKeys } from '../../../lib/guidance/gates-redis.ts'
import type { Gates } from '../../../lib/guidance/gates.ts'
import { newGroup, pause, settingsOf } from '../../conformance/gates.ts'
import { startRedis, type RedisServer } from '../../redis.ts'

/** Each test names a defect that a real system of this kind had, and fails where the defect is. */
const absent = (name: string, test: (t: Test) => Promise<void>) => t.test(`absent: ${name}`, test)

const settings = settingsOf()
const server = await startRedis(t)
const redis = server.client()
await redis.ping()

/** The defect must be absent from both backends. */
function both (name: string, test: (t: Test, gates: Gates) => Promise<void>): void {
  absent(`${name}, in Redis`, async t => await test(t, createRedisGates(settings, redis)))
  absent(`${name}, in memory`, async t => await test(t, createMemoryGates(settings)))
}

absent("the caller's clock decides", async t => {
  // A process whose clock runs 600 s ahead, or behind, must not lock a group for others or prompt it twice.
  for (const skew of [600_000, -600_000]) {
    const clock = Date.now
    Date.now = () => clock() + skew
    t.teardown(() => { Date.now = clock })
    const [skewed, group] = [createRedisGates(settings, redis), newGroup()]
    t.match(await skewed.cooldown(group), { allowed: true })
    t.match(await skewed.attention({ ...group, score: 50 }), { allowed: true })
    t.match(await skewed.tier2Shift(group), { allowed: true })
    Date.now = clock
    const { previousAt, remainingMs } = await createRedisGates(settings, redis).cooldown(group)
    t.ok(previousAt !== null && Math.abs(previousAt - Date.now()) < 5000, `stored ${previousAt}, now ${Date.now()}`)
    t.ok(remainingMs > 80_000 && remainingMs <= 90_000, `${remainingMs} ms remain`)
    t.match(await createRedisGates(settings, redis).attention({ ...group, score: 51 }), { reason: 'unchanged' })
  }
})

both('a time far in the future locks a group for ever', async (t, gates) => {
  const group = newGroup()
  await t.rejects(gates.cooldown({ ...group, at: 9e15 }), { code: 'INVALID_PAYLOAD' })
  t.match(await gates.cooldown({ ...group, at: 8e15 }), { allowed: true })
  const { remainingMs } = await gates.cooldown(group)
  t.ok(remainingMs <= 95_001, `${remainingMs} ms remain`)
})

both('one NaN poisons a baseline and a score', async (t, gates) => {
  const group = newGroup()
  for (const sample of [1, 2, 3]) await gates.energy({ ...group, sample })
  await t.rejects(gates.energy({ ...group, sample: NaN }), { code: 'INVALID_PAYLOAD' })
  const { count, zScore } = await gates.energy({ ...group, sample: 4 })
  t.same([count, Math.round(zScore * 100)], [4, 245])
  await gates.attention({ ...group, score: 10 })
  await t.rejects(gates.attention({ ...group, score: NaN }), { code: 'INVALID_PAYLOAD' })
  t.match(await gates.attention({ ...group, score: 90 }), { allowed: true, reason: 'score', previousScore: 10 })
})

absent('a baseline that a predecessor poisoned stays poisoned', async t => {
  const group = newGroup()
  await redis.hset(gateKeys.energy(group), { mean: 'nan', variance: 'nan', count: '5' })
  await redis.hset(gateKeys.attention(group), { score: 'nan', timestamp: '1' })
  const gates = createRedisGates(settings, redis)
  t.match(await gates.energy({ ...group, sample: 4 }), { reason: 'updated', mean: 4, count: 1 })
  t.match(await gates.attention({ ...group, score: 90 }), { allowed: true })
})

absent('a refusal extends the life of a key', async t => {
  const [gates, group] = [createRedisGates(settings, redis), newGroup()]
  const asks: [string, () => Promise<unknown>][] = [
    [gateKeys.attention(group), () => gates.attention({ ...group, score: 50 })],
    [gateKeys.cooldown(group), () => gates.cooldown(group)],
    [gateKeys.hashes(group), () => gates.dedupe({ ...group, category: 'c', message: 'm' })],
    [gateKeys.tier2Shift(group), () => gates.tier2Shift(group)]
  ]
  for (const [name, ask] of asks) {
    await ask()
    await redis.pexpire(name, 20_000)
    await ask()
    t.ok(await redis.pttl(name) <= 20_000, name)
  }
})

both('a prompt is burnt by dedupe during a cooldown', async (t, gates) => {
  const group = newGroup()
  const at = Date.now() - 600_000
  const prompt = { category: 'redirection', message: 'What was the question again?' }
  /** Looks, takes the slot, and only then remembers: the order in which prompts are to be sent. */
  const send = async (time: number): Promise<boolean> => {
    if (!(await gates.dedupe({ ...group, ...prompt, at: time, peek: true })).allowed) return false
    if (!(await gates.cooldown({ ...group, at: time })).allowed) return false
    return (await gates.dedupe({ ...group, ...prompt, at: time })).allowed
  }
  t.ok((await gates.cooldown({ ...group, at })).allowed, 'another prompt went out')
  t.notOk(await send(at + 30_000), 'held back by the cooldown')
  t.ok(await send(at + 90_000), 'not lost by that')
  t.notOk(await send(at + 180_000), 'and sent once')
})

both('acknowledgements are never counted', async (t, gates) => {
  const group = newGroup()
  const at = Date.now() - 600_000
  t.equal((await gates.promptPressure({ ...group, at })).pressure, 1)
  await gates.acknowledge({ ...group, at })
  const { reason, pressure, ackCount } = await gates.promptPressure({ ...group, at })
  t.same([reason, ackCount], ['acknowledged', 1])
  t.ok(Math.abs(pressure - 0.8) < 1e-12)
})

both('a late event rewinds time', async (t, gates) => {
  const group = newGroup()
  const at = Date.now() - 600_000
  await gates.attention({ ...group, score: 50, at })
  t.match(await gates.attention({ ...group, score: 90, at: at - 60_000 }), { allowed: false, reason: 'late', previousAt: at })
  t.match(await gates.attention({ ...group, score: 50, at: at + 1000 }), { allowed: false, reason: 'unchanged', previousScore: 50 })
  await gates.cooldown({ ...group, at })
  t.match(await gates.cooldown({ ...group, at: at - 100_000 }), { allowed: false, reason: 'late' })
  t.match(await gates.cooldown({ ...group, at: at + 1000 }), { allowed: false, previousAt: at })
  await gates.tier2Snapshot({ ...group, snapshot: { learningSignals: 1 }, at })
  t.match(await gates.tier2Snapshot({ ...group, snapshot: { learningSignals: 0 }, at: at - 1 }), { reason: 'late', previous: { learningSignals: 1 } })
  const templateKey = `t.${group.sessionId}`
  await gates.promptStats({ templateKey, outcome: 1, at })
  t.match(await gates.promptStats({ templateKey, outcome: 1, at: at - 60_000 }), { lastUpdate: at })
  const { weightSum } = await gates.promptStats({ templateKey, outcome: 1, at })
  t.ok(weightSum > 2.99 && weightSum <= 3, 'the same interval does not decay twice')
})

both('a retry counts twice', async (t, gates) => {
  const group = newGroup()
  for (const sample of [1, 2]) await gates.energy({ ...group, sample, id: `slice-${sample}` })
  t.match(await gates.energy({ ...group, sample: 2, id: 'slice-2' }), { reason: 'repeated', count: 2 })
  t.match(await gates.energy({ ...group, sample: 1, id: 'slice-1' }), { reason: 'repeated', count: 2 })
  await gates.acknowledge({ ...group, id: 'prompt-1' })
  t.match(await gates.acknowledge({ ...group, id: 'prompt-1' }), { reason: 'repeated' })
})

absent('a command that the client sends again after a lost connection counts twice', async t => {
  const [group, templateKey] = [newGroup(), newGroup().sessionId]
  const flaky = server.client()
  await flaky.ping()
  // The reply is lost: Redis has run the command, the client sends the very same one again.
  const twice = Object.assign(Object.create(flaky) as Redis, {
    async evalsha (...words: Parameters<Redis['evalsha']>) {
      await flaky.evalsha(...words).catch(() => {})
      return await flaky.evalsha(...words)
    }
  })
  const gates = createRedisGates(settings, twice)
  const plain = createRedisGates(settings, redis)
  await gates.energy({ ...group, sample: 5 })
  await gates.acknowledge(group)
  await gates.promptStats({ templateKey, outcome: 1 })
  t.equal((await plain.energy({ ...group, sample: 5 })).count, 2)
  t.equal(Math.round((await plain.promptPressure(group)).ackCount), 1)
  t.equal((await plain.promptStats({ templateKey })).observationCount, 1)
})

absent('gates stay bound to a client that has died', async t => {
  const own = await startRedis(t, { persistent: true })
  const client = own.client()
  await client.ping()
  const missed = new Set<string>()
  const gates = createRedisGates(settings, client, { onUnavailable: gate => missed.add(gate) })
  const group = newGroup()
  const asks: (() => Promise<{ allowed?: boolean, reason: string }>)[] = [
    () => gates.attention({ ...group, score: Math.random() * 100 }), () => gates.cooldown(group), () => gates.energy({ ...group, sample: 1 }),
    () => gates.promptPressure(group), () => gates.tier2Shift(group), () => gates.acknowledge(group)
  ]
  t.match(await gates.cooldown(group), { allowed: true })
  t.match(await gates.tier2Shift(group), { allowed: true })

  // A busy machine may be late with a timer; the defect held its callers for seconds.
  await own.kill()
  let slowest = 0
  let down = 0
  const until = performance.now() + 1500
  while (performance.now() < until) {
    for (const ask of asks) {
      const asked = performance.now()
      const { reason, allowed } = await ask()
      slowest = Math.max(slowest, performance.now() - asked)
      t.not(allowed, true, `${reason} holds while Redis is away`)
      down++
    }
    await pause(20)
  }
  t.ok(slowest < 5_000, `the slowest of ${down} waited ${Math.round(slowest)} ms`)
  t.same([...missed].sort(), ['acknowledge', 'attention', 'cooldown', 'energy', 'promptPressure', 'tier2Shift'], 'each is counted')

  await own.restart()
  await recovered(t, gates, own)
  t.match(await gates.cooldown(group), { allowed: false, reason: 'cooling' })
  t.match(await gates.tier2Shift(group), { allowed: false, reason: 'throttled' })
})

/** They work again by themselves, as soon as the client is connected again. */
async function recovered (t: Test, gates: Gates, server: RedisServer): Promise<void> {
  const started = performance.now()
  while ((await gates.attention({ ...newGroup(), score: 50 })).reason !== 'first') {
    if (performance.now() - started > 10_000) throw new Error(`no gate works on ${server.url} again`)
    await pause(20)
  }
  t.pass(`after ${Math.round(performance.now() - started)} ms`)
}

absent('gates stay bound to a client that was replaced', async t => {
  let client = server.client()
  await client.ping()
  const gates = createRedisGates(settings, () => client)
  t.match(await gates.attention({ ...newGroup(), score: 1 }), { allowed: true })
  client.disconnect()
  t.match(await gates.attention({ ...newGroup(), score: 1 }), { allowed: false, reason: 'unavailable' })
  client = server.client()
  await client.ping()
  t.match(await gates.attention({ ...newGroup(), score: 1 }), { allowed: true })
})

absent('scripts are lost with SCRIPT FLUSH', async t => {
  const gates = createRedisGates(settings, redis, { onUnavailable: (gate, cause) => t.fail(`${gate}: ${cause.message}`) })
  for (let n = 0; n < 50; n++) {
    const group = newGroup()
    const answers = await Promise.all([gates.cooldown(group), redis.script('FLUSH'), gates.cooldown(group), gates.cooldown(group)])
    t.equal(answers.filter(answer => typeof answer === 'object' && answer !== null && 'allowed' in answer && answer.allowed).length, 1)
  }
})
