import { setTimeout as pause } from 'node:timers/promises'
import t from 'tap'
import { createRedisLive, type LiveEvent } from '../../../lib/core/live.ts'
import { startRedis } from '../../redis.ts'

/** Newest-wins events between processes: what leaves together, and what does not wait. */

const event = (text: string): LiveEvent => ({ namespace: '/guidance', rooms: ['session:s'], event: 'news', payload: { text }, meta: { id: text, room: 'session:s', at: '' }, thing: text })

t.test('events that follow each other share a message, and are heard by the others in order', async t => {
  const server = await startRedis(t)
  const [one, other, ears] = [server.client(), server.client(), server.client()]
  const [oneHears, otherHears] = [server.client(), server.client()]
  await Promise.all([one, other, ears, oneHears, otherHears].map(async client => await client.ping()))
  const messages: string[][] = []
  ears.on('message', (_channel: string, message: string) => { messages.push((JSON.parse(message) as { events: LiveEvent[] }).events.map(({ thing }) => thing)) })
  await ears.subscribe('classwaves:live')

  const heard: Record<'one' | 'other', string[]> = { one: [], other: [] }
  const onFailure = (error: unknown): void => { t.fail(String(error)) }
  const here = createRedisLive({ redis: one, subscription: oneHears, onFailure })
  const there = createRedisLive({ redis: other, subscription: otherHears, onFailure })
  here.listen(({ thing }) => heard.one.push(thing))
  there.listen(({ thing }) => heard.other.push(thing))
  while ((await one.pubsub('NUMSUB', 'classwaves:live'))[1] !== 3) await pause(5)
  const said = async (last: string): Promise<void> => { while (!messages.flat().includes(last) || !heard.other.includes(last)) await pause(1) }

  here.send(event('a'))
  here.send(event('b'))
  const turns = Array.from({ length: 20 }, (_, i) => `turn ${i}`)
  const begun = performance.now()
  for (const text of turns) {
    await new Promise(setImmediate)
    here.send(event(text))
  }
  const tookMs = performance.now() - begun
  await said('turn 19')
  t.same(messages[0], ['a', 'b'], 'those of a turn leave at once')
  t.same(messages.flat(), ['a', 'b', ...turns])
  // One in two milliseconds, of which a timer may be early by one; a busy machine takes longer over the turns.
  t.ok(messages.length <= 3 + tookMs, `those of the turns that follow share ${messages.length - 1} messages, in ${tookMs} ms`)

  const before = messages.length
  here.send(event('f'))
  here.flush()
  await one.publish('classwaves:live', '{"sender":"x","events":[]}')
  while (messages.length < before + 2) await pause(1)
  t.same(messages.slice(before), [['f'], []], 'what is sent next does not overtake what was flushed')

  there.send(event('g'))
  while (heard.one.length === 0) await pause(1)
  t.same(heard, { one: ['g'], other: ['a', 'b', ...turns, 'f'] }, 'nobody hears themselves')
})

t.test('what is no message of ours is said, and nobody hears of it', async t => {
  const server = await startRedis(t)
  const [redis, subscription] = [server.client(), server.client()]
  await Promise.all([redis, subscription].map(async client => await client.ping()))
  const [heard, failures]: [string[], unknown[]] = [[], []]
  createRedisLive({ redis, subscription, onFailure: error => failures.push(error) }).listen(({ thing }) => heard.push(thing))
  while ((await redis.pubsub('NUMSUB', 'classwaves:live'))[1] !== 1) await pause(5)
  const events = [
    ...['connect', 'connect_error', 'disconnect', 'disconnecting', 'newListener', 'removeListener', 7, undefined].map(name => ({ ...event('x'), event: name })),
    { ...event('x'), meta: null }, { ...event('x'), rooms: [7] }, { ...event('x'), namespace: 7 }, { ...event('x'), thing: {} }, null, 7
  ]
  const strange = ['', 'x', 'null', '{"sender":"x"}', '{"events":[]}', ...events.map(one => JSON.stringify({ sender: 'x', events: [event('a'), one] }))]
  for (const message of strange) await redis.publish('classwaves:live', message)
  await redis.publish('classwaves:live', JSON.stringify({ sender: 'x', events: [event('last')] }))
  while (!heard.includes('last')) await pause(1)
  t.same(heard, ['last'])
  t.equal(failures.length, strange.length, 'each once')
})
