import { Socket } from 'engine.io-client'
import { within } from '../lib/core/deadline.ts'
import { patienceMs } from './client.ts'
import type { Owner } from './redis.ts'

/**
 * A connection without a Socket.IO client on it, for frames that a client library would not send. Text is in
 * Socket.IO's own form: `0/sessions,{"token":"..."}` connects, `2/sessions,7["name",{}]` asks, `3/sessions,7[...]` answers.
 */
export interface Raw {
  send (...frames: (string | Uint8Array)[]): void
  /** The oldest frame that fits and was not asked for yet. */
  next (pattern: RegExp): Promise<string>
  readonly frames: string[]
  /** Resolves when the server, or we, closed the connection. */
  closed (): Promise<string>
  close (): void
}

export async function raw (t: Owner, url: string): Promise<Raw> {
  const socket = new Socket(url, { path: '/socket.io/', transports: ['websocket'] })
  t.teardown(() => socket.close())
  const frames: string[] = []
  const read = new Set<number>()
  const wake = new Set<() => void>()
  const closed = new Promise<string>(resolve => socket.on('close', reason => resolve(reason)))
  socket.on('message', (data: unknown) => {
    frames.push(typeof data === 'string' ? data : '(bytes)')
    for (const one of wake) one()
  })
  await new Promise<void>((resolve, reject) => socket.on('open', resolve).on('error', reject))

  return {
    frames,
    send (...all) { for (const frame of all) socket.send(frame) },
    async next (pattern) {
      return await new Promise((resolve, reject) => {
        const look = (): void => {
          const index = frames.findIndex((frame, i) => pattern.test(frame) && !read.has(i))
          if (index < 0) return
          read.add(index)
          finish(() => resolve(frames[index] as string))
        }
        const giveUp = (): void => finish(() => reject(new Error(`nothing like ${String(pattern)} in ${JSON.stringify(frames).slice(-500)}`)))
        const timer = setTimeout(giveUp, patienceMs)
        const finish = (settle: () => void): void => { clearTimeout(timer); wake.delete(look); settle() }
        wake.add(look)
        look()
        void closed.then(giveUp)
      })
    },
    closed: () => within(patienceMs, closed, () => { throw new Error('the connection stays open') }),
    close () { socket.close() }
  }
}

/** The same, connected to a namespace. */
export async function rawSocket (t: Owner, url: string, namespace: string, token: string): Promise<Raw> {
  const connection = await raw(t, url)
  connection.send(`0${namespace},${JSON.stringify({ token })}`)
  await connection.next(new RegExp(`^0${namespace},`))
  return connection
}
