import { once } from 'node:events'
import { createServer, type AddressInfo } from 'node:net'

/** The side of a measured process that is asked and told. */

export interface Started { url: string, control: number }
export interface Memory { rssBytes: number, heapBytes: number }

export type Answers = Record<string, (argument: never) => unknown>

/** What the launching process said. */
export function optionsOf<T> (): T { return JSON.parse(process.argv[2] ?? '{}') as T }

/** Tells the launching process that all stands. Each byte on the control connection is one `publish`. */
export async function serve (url: string, publish: () => void = () => {}, answers: Answers = {}): Promise<void> {
  const control = createServer(socket => {
    socket.setNoDelay(true)
    socket.on('data', bytes => { for (let i = 0; i < bytes.length; i++) publish() })
    socket.on('error', () => socket.destroy())
  }).listen(0, '127.0.0.1')
  await once(control, 'listening')
  const all: Answers = { cpu, memory, ...answers }
  process.on('message', ({ id, name, argument }: { id: number, name: string, argument: never }) => {
    Promise.resolve().then(() => all[name]?.(argument)).then(
      value => process.send?.({ id, value }), (error: unknown) => process.send?.({ id, error: String(error) })
    )
  })
  for (const end of ['SIGTERM', 'disconnect']) process.once(end, () => process.exit())
  process.send?.({ url, control: (control.address() as AddressInfo).port } satisfies Started)
}

/** CPU of this process so far: user and system (us). */
function cpu (): number {
  const { user, system } = process.cpuUsage()
  return user + system
}

/** What stays after a collection. */
function memory (): Memory {
  globalThis.gc?.()
  const { rss, heapUsed } = process.memoryUsage()
  return { rssBytes: rss, heapBytes: heapUsed }
}
