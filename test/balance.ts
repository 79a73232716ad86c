import { once } from 'node:events'
import { connect, createServer, type AddressInfo, type Socket } from 'node:net'
import type { Owner } from './redis.ts'

/** One address in front of several servers, as a proxy would be: each connection goes to the next that answers. */
export async function balance (t: Owner): Promise<{ url: string, to: (...urls: string[]) => void, drop: () => void }> {
  let ports: number[] = []
  let turn = 0
  const sockets = new Set<Socket>()
  const server = createServer(client => {
    sockets.add(client.on('error', () => {}).on('close', () => sockets.delete(client)))
    const candidates = ports.map((_, i) => ports[(turn + i) % ports.length] as number)
    turn++
    const attempt = (): void => {
      const port = candidates.shift()
      if (port === undefined) { client.destroy(); return }
      const upstream = connect(port, '127.0.0.1')
      upstream.once('error', attempt)
      upstream.once('connect', () => {
        upstream.off('error', attempt)
        upstream.on('error', () => client.destroy()).on('close', () => client.destroy())
        client.on('close', () => upstream.destroy())
        client.pipe(upstream).pipe(client)
      })
    }
    attempt()
  }).listen(0, '127.0.0.1')
  await once(server, 'listening')
  const drop = (): void => { for (const socket of sockets) socket.destroy() }
  t.teardown(() => { drop(); server.close() })
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    to: (...urls) => { ports = urls.map(url => Number(new URL(url).port)) },
    drop
  }
}
