import t from 'tap'
import { gateKeys, createRedisGates } from '../../../lib/guidance/gates-redis.ts'
import { gateNames } from '../../../lib/guidance/gates.ts'
import { gatesLaw, newGroup, settingsOf } from '../../conformance/gates.ts'
import { askAll, follows } from '../../conformance/gates-asked.ts'
import { gatesRefuse } from '../../conformance/gates-hostile.ts'
import { startCluster, startRedis, useRedis } from '../../redis.ts'

const shared = (await useRedis(t)).client()
await shared.ping()
const settings = settingsOf()

gatesLaw(t, changed => createRedisGates(settingsOf(changed), shared, { onUnavailable: (gate, cause) => t.fail(`${gate}: ${cause.message}`) }))
gatesRefuse(t, changed => createRedisGates(settingsOf(changed), shared))

t.test('every key lives as long as it is declared to, and a refusal does not renew it', async t => {
  const group = newGroup()
  await askAll(createRedisGates(settings, shared), group)
  const lives = {
    [gateKeys.energy(group)]: 3600,
    [gateKeys.attention(group)]: 3600,
    [gateKeys.acks(group)]: 3600,
    [gateKeys.cooldown(group)]: 7200,
    [gateKeys.hashes(group)]: 7200,
    [gateKeys.templateStats({ templateKey: group.sessionId })]: 30 * 24 * 3600,
    [gateKeys.tier2(group)]: 3600,
    [gateKeys.tier2Shift(group)]: 600
  }
  for (const [name, seconds] of Object.entries(lives)) {
    const ttl = await shared.pttl(name)
    t.ok(ttl > (seconds - 30) * 1000 && ttl <= seconds * 1000, `${name}: ${ttl}`)
    await shared.pexpire(name, 50_000)
  }
  const gates = createRedisGates(settings, shared)
  const late = Date.now() - 60_000
  await gates.attention({ ...group, score: 50 })
  await gates.promptPressure(group)
  await gates.cooldown(group)
  await gates.dedupe({ ...group, category: 'redirection', message: 'Why?' })
  await gates.dedupe({ ...group, category: 'redirection', message: 'How?', peek: true })
  await gates.promptStats({ templateKey: group.sessionId })
  await gates.tier2Snapshot({ ...group, snapshot: { learningSignals: 2 }, at: late })
  await gates.tier2Shift(group)
  for (const name of Object.keys(lives)) t.ok(await shared.pttl(name) <= 50_000, `${name} was not renewed`)
})

t.test('a key of a foreign type is left alone and the policy decides', async t => {
  const group = newGroup()
  const names = [...(['energy', 'attention', 'acks', 'cooldown', 'hashes', 'tier2', 'tier2Shift'] as const).map(name => gateKeys[name](group)),
    gateKeys.templateStats({ templateKey: group.sessionId })]
  for (const name of names) await shared.rpush(name, 'foreign')
  const missed: string[] = []
  follows(t, await askAll(createRedisGates(settings, shared, {
    onUnavailable (gate, cause) {
      missed.push(gate)
      t.match(cause.message, /^WRONGTYPE/)
    }
  }), group))
  t.same([...new Set(missed)], gateNames, 'each one counted')
  for (const name of names) t.same(await shared.lrange(name, 0, -1), ['foreign'])
})

t.test('without a client that is ready the policy decides at once', async t => {
  const closed = shared.duplicate({ lazyConnect: true })
  for (const client of [closed, () => null, () => undefined]) {
    const missed: string[] = []
    const started = performance.now()
    follows(t, await askAll(createRedisGates(settings, client, { onUnavailable: gate => missed.push(gate) })))
    t.ok(performance.now() - started < 2_000)
    t.same(missed, gateNames)
  }
})

t.test('a silent Redis holds nobody longer than 250 ms, and late replies harm nobody', async t => {
  const redis = (await startRedis(t)).client()
  await redis.ping()
  const missed: string[] = []
  const gates = createRedisGates(settings, redis, { onUnavailable: (_, cause) => missed.push(cause.message) })
  await redis.call('CLIENT', 'PAUSE', '4000', 'ALL')
  const started = performance.now()
  t.match(await gates.attention({ ...newGroup(), score: 1 }), { allowed: false, reason: 'unavailable' })
  const first = performance.now() - started
  t.ok(first >= 240 && first < 3_500, `waited ${first} ms`)
  follows(t, await askAll(gates))
  t.ok(performance.now() - started - first < 2_000, 'the questions behind the one that waits are not even sent')
  t.same([missed.length, missed[1]], [10, 'Redis is silent'])
  await redis.ping()
  t.match(await gates.attention({ ...newGroup(), score: 1 }), { allowed: true }, 'asked again once the late reply has come')
})

t.test('a process that was busy when it asked has not waited for Redis', async t => {
  const askWhileBusy = async (tries: number): Promise<unknown> => {
    await shared.call('CLIENT', 'PAUSE', '420', 'ALL')
    const asked = createRedisGates(settings, shared).attention({ ...newGroup(), score: 1 })
    for (const end = performance.now() + 400; performance.now() < end;);
    const decision = await asked
    if (decision.allowed || tries === 1) return decision
    // This time Redis may have been the one that was busy.
    await shared.ping()
    return await askWhileBusy(tries - 1)
  }
  t.match(await askWhileBusy(3), { allowed: true })
})

t.test('what the twin granted is told to Redis before it is asked again', async t => {
  let ready = false
  const gates = createRedisGates(settings, () => ready ? shared : null)
  const group = newGroup()
  t.match(await gates.cooldown(group), { allowed: true, fallback: true })
  t.match(await gates.dedupe({ ...group, category: 'c', message: 'm' }), { allowed: true, fallback: true })
  ready = true
  const elsewhere = createRedisGates(settings, shared)
  const answer = await gates.cooldown(group)
  t.match(answer, { allowed: false, reason: 'cooling' })
  t.notOk(answer.fallback)
  t.match(await elsewhere.dedupe({ ...group, category: 'c', message: 'm' }), { allowed: false }, 'so other processes know as well')
})

t.test('a grant by Redis holds after Redis has gone', async t => {
  let ready = true
  const gates = createRedisGates(settings, () => ready ? shared : null)
  const group = newGroup()
  t.match(await gates.cooldown(group), { allowed: true })
  t.match(await gates.dedupe({ ...group, category: 'c', message: 'm' }), { allowed: true })
  ready = false
  t.match(await gates.cooldown(group), { allowed: false, reason: 'cooling', fallback: true })
  t.match(await gates.dedupe({ ...group, category: 'c', message: 'm' }), { allowed: false, fallback: true })
})

t.test('on a cluster the keys of a session share a slot', async t => {
  const { node, cluster } = await startCluster(t)
  const group = newGroup()
  const missed: string[] = []
  const gates = createRedisGates(settings, cluster, { onUnavailable: (gate, cause) => missed.push(`${gate}: ${cause.message}`) })
  await askAll(gates, group)
  t.match(await gates.cooldown(group), { allowed: false, reason: 'cooling' })
  t.same(missed, [])
  const admin = node.client()
  const names = (await admin.keys('*')).sort()
  t.ok(names.includes(`guidance:attention:last:{${group.sessionId}}:g1`))
  const slots = await Promise.all(names.filter(name => name.startsWith('guidance:') && name.includes('{')).map(name => admin.cluster('KEYSLOT', name)))
  t.equal(slots.length, 7)
  t.equal(new Set(slots).size, 1)
})
