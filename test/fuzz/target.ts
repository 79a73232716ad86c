import { readdirSync } from 'node:fs'
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import Fastify from 'fastify'
import classwaves, { type ClasswavesOptions } from '../../index.ts'
import { secret, wayOfTests } from '../app.ts'

/**
 * The server that is attacked, in a process of its own: nothing here catches what nobody caught. Asked for anything, it
 * says how it is; told to close, it closes.
 */

/** How the process is, at one moment. */
export interface State {
  pid: number
  /** Packets that the engine took, and requests, since the start. */
  frames: number
  requests: number
  /** In use after a collection (bytes), and open files and sockets. */
  heap: number
  rss: number
  files: number
  connections: number
  sockets: number
  rooms: number
  /** What was logged as an error of ours. */
  errors: string[]
}

setFlagsFromString('--expose-gc')
const collect = runInNewContext('gc') as () => void

const errors: string[] = []
let frames = 0
let requests = 0
const app = Fastify({ logger: { level: 'error', stream: { write: line => { if (errors.length < 5) errors.push(line) } } } })
app.addHook('onRequest', async () => { requests++ })
await app.register(classwaves, { jwt: { secret }, ...wayOfTests, ...JSON.parse(process.argv[2] ?? '{}') as ClasswavesOptions, sessions: { transcriber: () => {} } })
const engine = app.io.engine as unknown as { clientsCount: number, on (event: 'connection', listener: (connection: { on (event: 'packet', listener: () => void): void }) => void): void }
engine.on('connection', connection => connection.on('packet', () => { frames++ }))

function state (): State {
  collect()
  const { heapUsed, rss } = process.memoryUsage()
  const namespaces = ['/', '/sessions', '/guidance'].map(name => app.io.of(name))
  const sum = (count: (namespace: typeof namespaces[number]) => number): number => namespaces.reduce((all, one) => all + count(one), 0)
  return {
    pid: process.pid,
    frames,
    requests,
    heap: heapUsed,
    rss,
    files: readdirSync('/proc/self/fd').length,
    connections: engine.clientsCount,
    sockets: sum(({ sockets }) => sockets.size),
    rooms: sum(({ adapter }) => adapter.rooms.size),
    errors
  }
}

process.on('message', order => {
  if (order === 'close') void app.close().then(() => process.disconnect())
  else process.send?.(state())
})
process.send?.(await app.listen({ port: 0, host: '127.0.0.1' }))
