import { once } from 'node:events'
import { connect, type Socket } from 'node:net'
import { within } from '../lib/core/deadline.ts'
import { patienceMs } from './client.ts'
import type { Owner } from './redis.ts'

/** A connection without any client on it: requests and frames byte by byte. */
export interface Bytes {
  readonly socket: Socket
  /** What came, once it fits. */
  until (pattern: RegExp): Promise<string>
  /** All that came, once the server has ended it. */
  closed (): Promise<string>
}

export async function bytes (t: Owner, url: string): Promise<Bytes> {
  const { hostname, port } = new URL(url)
  const socket = connect(Number(port), hostname)
  t.teardown(() => socket.destroy())
  await once(socket, 'connect')
  const came = { text: '' }
  const wake = new Set<() => void>()
  socket.setEncoding('latin1').on('data', (text: string) => {
    came.text += text
    for (const one of wake) one()
  })
  socket.on('error', () => {}) // a reset is one way to be closed
  const closed = new Promise<string>(resolve => socket.once('close', () => resolve(came.text)))
  return {
    socket,
    async until (pattern) {
      return await within(patienceMs, new Promise<string>(resolve => {
        const look = (): void => { if (pattern.test(came.text)) resolve(came.text) }
        wake.add(look)
        look()
      }), () => { throw new Error(`nothing like ${String(pattern)} in ${JSON.stringify(came.text.slice(-300))}`) })
    },
    closed: () => within(patienceMs, closed, () => { throw new Error('the connection stays open') })
  }
}

/** An HTTP request as text; headers may have any name, any value, and stand there twice. */
export function request (method: string, path: string, headers: readonly (readonly [string, string])[] = [], body = ''): string {
  const length = body === '' ? [] : [['content-length', String(Buffer.byteLength(body))] as const]
  return `${method} ${path} HTTP/1.1\r\n${[['host', 'localhost'] as const, ...length, ...headers].map(([name, value]) => `${name}:${value}\r\n`).join('')}\r\n${body}`
}

export const upgradeHeaders = [
  ['connection', 'Upgrade'], ['upgrade', 'websocket'], ['sec-websocket-version', '13'], ['sec-websocket-key', 'dGhlIHNhbXBsZSBub25jZQ==']
] as const

/** The request that makes a WebSocket of a connection. */
export function upgrade (headers: readonly (readonly [string, string])[] = [], path = '/socket.io/?EIO=4&transport=websocket'): string {
  return request('GET', path, [...upgradeHeaders, ...headers])
}

/** One WebSocket frame of a client (RFC 6455, 5.2), masked with zeros. `length` is what it says that it is long. */
export function frame (payload: string | Uint8Array, { first = 0x81, length = payload.length } = {}): Buffer {
  const head = length < 126 ? Buffer.from([first, 0x80 | length]) : Buffer.alloc(10)
  if (length >= 126) {
    head.set([first, 0xff])
    head.writeBigUInt64BE(BigInt(length), 2)
  }
  return Buffer.concat([head, Buffer.alloc(4), Buffer.from(payload)])
}
