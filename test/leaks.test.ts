import { randomUUID } from 'node:crypto'
import t from 'tap'
import { build, token, type App } from './app.ts'
import { fork } from './fork.ts'
import { leaksIn, remember } from './leaks.ts'
import { useRedis, startRedis, type Owner } from './redis.ts'
import { sessionKeys } from '../lib/sessions/store-redis-scripts.ts'

const topic = 'Why "we" sleep at night, Zoë'

/** The ends of a test that is none, in their order; the last of them ends all that is left. */
function ending (): { owner: Owner, end: () => Promise<void> } {
  const ends: (() => unknown)[] = []
  return {
    owner: { teardown: end => ends.unshift(end) },
    async end () {
      const failed: unknown[] = []
      for (const one of ends.splice(0)) await Promise.resolve().then(one).catch((error: unknown) => failed.push(error))
      if (failed.length > 0) throw failed[0]
    }
  }
}

t.test('what was said, and tokens, are found in a text', async t => {
  const app = await build(t)
  const teacher = token()
  t.same((await app.call('POST', '/sessions', { topic }, teacher)).status, 201)
  t.same(leaksIn(JSON.stringify({ msg: `a token ${teacher}.` })), [teacher])
  t.same(leaksIn(JSON.stringify({ err: { message: topic } })), [topic])
  t.same(leaksIn(app.log()), [], 'and are in no log')
  t.match(app.log(), /incoming request/, 'which says all it can')
})

t.test('a test fails whose server', async t => {
  const ways: Record<string, { says: RegExp, does: (owner: Owner) => Promise<unknown> }> = {
    'logs a token': {
      says: /^its log holds eyJ/,
      does: async owner => { (await build(owner)).app.log.trace({ authorization: `Bearer ${token()}` }) }
    },
    'logs one in a process of its own': {
      says: /^the log of server.ts holds eyJ/,
      does: async owner => await (await fork(owner)).call('GET', `//health?token=${token()}`)
    },
    'shows one in its metrics': {
      says: /^what it measured holds eyJ/,
      does: async owner => await build(owner, {}, host => host.get('/metrics', () => token()))
    },
    'says one in an error': {
      says: /^GET \/\/wrong: the error holds eyJ/,
      does: async owner => {
        const app: App = await build(owner, {}, host => host.get('/wrong', (_, reply) => reply.code(400).send({ message: token() })))
        await app.call('GET', '//wrong')
      }
    },
    'says in an error of an event what was said': {
      says: /^echo: the error holds Why "we" sleep/,
      does: async owner => {
        const app = await build(owner)
        app.app.io.of('/host').on('connection', socket => socket.on('echo', (said: { text: string }, answer: (error: object) => void) => answer({ ok: false, error: { message: said.text } })))
        await (await app.connect('/host', token())).raw('echo', { text: topic })
      }
    },
    'says one in an error that nobody asked for': {
      says: /^error: the error holds eyJ/,
      does: async owner => {
        const app = await build(owner)
        app.app.io.of('/host').on('connection', socket => socket.emit('error', { code: 'INTERNAL', message: token() }))
        const { socket, records } = await app.connect('/host', token())
        while (records.length === 0) await new Promise(resolve => socket.once('error', resolve))
      }
    },
    'tells Redis a token': {
      says: /^Redis was told eyJ/,
      does: async owner => await (await startRedis(owner)).client().publish('classwaves', `x${token()}`)
    },
    'keeps words under a key that is not declared to hold them': {
      says: /^Redis was told in hset sessions:heat:.* what was said$/,
      does: async owner => {
        remember({ text: topic })
        await (await startRedis(owner)).client().hset('sessions:heat:s1', 'last', JSON.stringify({ topic }))
      }
    },
    'keeps them, through a script, after a restart': {
      says: /^Redis was told in set cache:\S+ what was said$/,
      does: async owner => {
        remember({ text: topic })
        const redis = await startRedis(owner)
        await redis.restart()
        await redis.client().eval('redis.call("set", KEYS[1], ARGV[1])', 1, `cache:${randomUUID()}`, topic)
      }
    }
  }
  for (const [what, { says, does }] of Object.entries(ways)) {
    const { owner, end } = ending()
    await t.rejects(async () => {
      try {
        await does(owner)
      } finally {
        await end()
      }
    }, { message: says }, what)
  }
})

t.test('control: where words belong they may be', async t => {
  const redis = (await useRedis(t)).client()
  remember({ text: topic })
  await redis.hset(sessionKeys.session({ sessionId: 's1' }), 'topic', topic)
  await redis.publish('classwaves', topic)
  await redis.eval('return ARGV[1]', 1, 'x', topic)
  t.equal(await redis.dbsize(), 1)
})
