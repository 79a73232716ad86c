import { setTimeout as pause } from 'node:timers/promises'
import type { Socket } from 'socket.io'
import { replyMeta } from './context.ts'
import { within } from './deadline.ts'

type Connection = Socket['conn']

/** Connections are told and closed one after the other, this far apart at most (ms). */
const stepMs = 10
/** How long a connection gets to send what is on its way to it (ms). */
const flushMs = 500
/** A client that was told reconnects somewhere in this time (ms), so that not all come at once. */
const retry = { from: 100, to: 1_000 }

export interface Farewell {
  now: () => number
  /** Those to close, also such as came to no namespace; none when they are the host's to close. */
  connections?: readonly Connection[]
  /** Hears what a listener of the host has thrown. */
  onError: (error: unknown) => void
}

/**
 * Sends everybody away, spread over at most `windowMs`, so that the servers that stay are not run over. Transports are
 * closed, not sockets: a stock client reconnects by itself only after a transport close. Both let listeners of the host
 * run; one that throws meanwhile keeps nobody else from being sent away.
 */
export async function drain (sockets: readonly Socket[], windowMs: number, { now, connections, onError }: Farewell): Promise<void> {
  const told = new Map<Connection, Socket[]>()
  for (const socket of sockets) told.set(socket.conn, [...told.get(socket.conn) ?? [], socket])
  const closed: Promise<void>[] = []
  const close = (connection: Connection): void => {
    if (connection.readyState === 'closed') return
    closed.push(new Promise(resolve => connection.once('close', () => resolve())))
    attempt(() => connection.close(), onError)
  }
  for (const connection of connections ?? []) if (!told.has(connection)) close(connection)

  const step = Math.min(stepMs, windowMs / Math.max(1, told.size))
  const started = performance.now()
  let turn = 0
  for (const [connection, theirs] of told) {
    const ahead = turn++ * step - (performance.now() - started)
    if (ahead > 1) await pause(ahead)
    const retryAfterMs = Math.round(retry.from + Math.random() * (retry.to - retry.from))
    for (const socket of theirs) attempt(() => socket.emit('server:draining', { retryAfterMs }, replyMeta(socket.id, now())), onError)
    if (connections) close(connection)
  }
  await within(flushMs, Promise.all(closed), () => [])
}

/** Closes at once what is still there, so that the engine has nothing left to close. */
export function cut (connections: readonly Connection[], onError: (error: unknown) => void): void {
  for (const connection of connections) attempt(() => connection.close(true), onError)
}

function attempt (work: () => unknown, onError: (error: unknown) => void): void {
  try {
    work()
  } catch (error) {
    onError(error)
  }
}
