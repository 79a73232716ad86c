import { connects, emits, events, fanout, gates, memory, memoryGates, presence, redisBenchmark, transitions } from './measures.ts'

/** What is promised, and how it is measured. A ratio is ours against the reference of the same repeat. */

export interface Row {
  name: string
  what: string
  reference: string
  /** What the figures are: their unit, and how many digits say enough. */
  unit: string
  digits: number
  compare: 'ratio' | 'difference' | 'alone'
  reach: { most: number } | { least: number }
  ours: (redis: string) => Promise<number>
  theirs?: (redis: string) => Promise<number>
}

const socketIo = 'Socket.IO 4.8'
const perDelivery = { unit: 'us CPU', digits: 2, compare: 'ratio' } as const

const inOneProcess = (name: string, what: string, readers: number, outstanding: number, most: number): Row => ({
  ...perDelivery,
  name: `${name}-${readers}`,
  what: `a delivered message, ${what}, ${readers.toLocaleString('en')} in the room`,
  reference: socketIo,
  reach: { most },
  ours: async () => await fanout('classwaves', { readers, outstanding }),
  theirs: async () => await fanout('socket-io', { readers, outstanding })
})

const acrossTwo = (readers: number): Row => ({
  ...perDelivery,
  name: `redis-${readers}`,
  what: `a delivered message, saturated, over Redis to ${readers} on another process; both processes`,
  reference: `${socketIo} with @socket.io/redis-adapter`,
  reach: { most: 0.2 },
  ours: async redis => await fanout('classwaves', { readers, outstanding: 16, redis }),
  theirs: async redis => await fanout('socket-io', { readers, outstanding: 16, redis })
})

const acknowledged = (name: string, what: string, atOnce: number, most: number): Row => ({
  ...perDelivery,
  name,
  what: `an event, checked, role-tested, limited and acknowledged, ${what}`,
  reference: `${socketIo}, a handler that checks nothing`,
  reach: { most },
  ours: async () => await events('classwaves', atOnce),
  theirs: async () => await events('socket-io', atOnce)
})

const deciding = (name: string, reference: string, text: 'source' | 'sent'): Row => ({
  name,
  what: 'decisions of `fastify.guidance.gates.attention`, 64 at a time',
  reference,
  unit: '/s',
  digits: 0,
  compare: 'ratio',
  reach: { least: 0.7 },
  ours: async redis => await gates(redis),
  theirs: async redis => await redisBenchmark(redis, text, 200_000)
})

const keeping = (name: string, what: string, atOnce: number): Row => ({
  name,
  what: `what keeping an event costs its publisher, ${what}`,
  reference: 'the same event, not kept',
  unit: 'us CPU',
  digits: 1,
  compare: 'difference',
  reach: { most: 60 },
  ours: async redis => await emits(redis, 'bench:kept', atOnce),
  theirs: async redis => await emits(redis, 'bench:news', atOnce)
})

const growth = (name: string, what: string, outstanding: number): Row => ({
  ...perDelivery,
  name,
  what: `a delivered message, ${what}, in a room of 3,000`,
  reference: 'the same in a room of 100',
  reach: { most: 1.15 },
  ours: async () => await fanout('classwaves', { readers: 3_000, outstanding }),
  theirs: async () => await fanout('classwaves', { readers: 100, outstanding })
})

const acrossEight = (name: string, what: string, unit: string, cost: (redis: string, processes: number) => Promise<number>): Row => ({
  name,
  what: `${what}; a class of 32 who sit on eight processes in turn`,
  reference: 'the same, all on one process',
  unit,
  digits: 1,
  compare: 'ratio',
  reach: { most: 1.15 },
  ours: async redis => await cost(redis, 8),
  theirs: async redis => await cost(redis, 1)
})

export const rows: readonly Row[] = [
  inOneProcess('paced', 'one broadcast at a time', 1_000, 1, 0.75),
  inOneProcess('paced', 'one broadcast at a time', 3_000, 1, 0.75),
  inOneProcess('saturated', 'sixteen broadcasts on their way', 30, 16, 0.15),
  inOneProcess('saturated', 'sixteen broadcasts on their way', 100, 16, 0.15),
  inOneProcess('saturated', 'sixteen broadcasts on their way', 1_000, 16, 0.15),
  acrossTwo(30),
  acrossTwo(1_000),
  acknowledged('event', 'one at a time', 1, 1.1),
  acknowledged('event-burst', 'eight at a time', 8, 0.7),
  deciding('gates', 'redis-benchmark, the script as a client has to send it, with the record of its answer; pipeline of 16', 'sent'),
  deciding('gates-plain', 'redis-benchmark, the script alone, pipeline of 16', 'source'),
  {
    name: 'gates-memory',
    what: 'the same without Redis',
    reference: '',
    unit: '/CPU s',
    digits: 0,
    compare: 'alone',
    reach: { least: 1_000_000 },
    ours: async () => await memoryGates()
  },
  {
    name: 'rest',
    what: 'transitions over REST: token, schema, compare-and-set in Redis, announcement',
    reference: 'Fastify 5, a POST with as large an answer',
    unit: '/CPU s',
    digits: 0,
    compare: 'ratio',
    reach: { least: 0.55 },
    ours: async redis => await transitions(redis, 'classwaves'),
    theirs: async redis => await transitions(redis, 'fastify')
  },
  {
    name: 'connects',
    what: 'connects with a token and three rooms',
    reference: `${socketIo} with the same`,
    unit: '/CPU s',
    digits: 0,
    compare: 'ratio',
    reach: { least: 0.95 },
    ours: async () => await connects('classwaves'),
    theirs: async () => await connects('socket-io')
  },
  {
    name: 'memory',
    what: 'memory of an open connection',
    reference: socketIo,
    unit: 'bytes',
    digits: 0,
    compare: 'ratio',
    reach: { most: 1.1 },
    ours: async () => await memory('classwaves'),
    theirs: async () => await memory('socket-io')
  },
  keeping('kept', 'one at a time', 1),
  keeping('kept-burst', 'sixteen at a time', 16),
  growth('growth-paced', 'one broadcast at a time', 1),
  growth('growth-saturated', 'sixteen broadcasts on their way', 16),
  acrossEight('growth-presence', 'a count and a list of who is present, CPU of the process that is asked', 'us CPU', async (redis, processes) => (await presence(redis, processes, 'reads')).micros),
  acrossEight('growth-presence-moves', 'a pupil leaves and joins again, CPU of all processes, each of which is told of it', 'us CPU', async (redis, processes) => (await presence(redis, processes, 'moves')).micros),
  acrossEight('growth-presence-redis', 'a pupil leaves and joins again, commands of Redis', 'commands', async (redis, processes) => (await presence(redis, processes, 'moves')).commands)
]
