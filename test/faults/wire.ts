import { io } from 'socket.io-client'
import type { Meta } from '../../lib/core/contract.ts'
import type { Positions } from '../../lib/core/recovery.ts'
import type { Owner } from '../redis.ts'

/**
 * A pupil on a stock client that drops nothing: what the server sends. Over one connection, on which it subscribes once,
 * no place of a room comes twice. What is missing or late the pupils of the client SDK find.
 */

export interface Wire {
  /** What came twice over one connection, each as a line. */
  readonly twice: readonly string[]
  /** How many kept events came. */
  readonly heard: number
  /** Begins a new record; of the connection it still knows what came. */
  forget (): void
}

export async function listen (t: Owner, { url, name, token, sessionId }: { url: string, name: string, token: string, sessionId: string }): Promise<Wire> {
  const twice: string[] = []
  const positions: Positions = {}
  const had = new Set<string>()
  let heard = 0
  const socket = io(`${url}/sessions`, { auth: { token }, transports: ['websocket'], forceNew: true, reconnectionDelay: 200, reconnectionDelayMax: 1_000 })
  t.teardown(() => socket.disconnect())
  socket.onAny((_event: string, _payload: unknown, { room, epoch, offset }: Meta) => {
    if (epoch === undefined || offset === undefined) return
    heard++
    const place = `${name}, on the wire: ${room} ${epoch}-${offset}`
    if (had.has(place)) twice.push(place)
    had.add(place)
    positions[room] = { epoch, offset }
  })
  await new Promise<void>((resolve, reject) => {
    let tries = 5
    const join = (): void => {
      const since = Object.keys(positions).length > 0 && { since: positions }
      // While Redis is away, or has lost the session, it hears nothing more; that is judged elsewhere.
      socket.emit('session:join', { sessionId, ...since }, ({ ok }: { ok: boolean }) => {
        if (ok) resolve()
        else if (--tries > 0) join()
        else reject(new Error('session:join was refused'))
      })
    }
    socket.on('connect', () => {
      had.clear()
      tries = 5
      join()
    })
  })
  return {
    twice,
    get heard () { return heard },
    forget () {
      twice.length = 0
      heard = 0
    }
  }
}
