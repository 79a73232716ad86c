import { setTimeout as pause } from 'node:timers/promises'
import type { Socket } from 'socket.io'
import { replyMeta } from './context.ts'

/** Connections are told and closed one after the other, this far apart at most (ms). */
const stepMs = 10
/** How long a connection gets to send what is on its way to it (ms). */
const flushMs = 500
/** A client that was told reconnects somewhere in this time (ms), so that not all come at once. */
const retry = { from: 100, to: 1_000 }

/**
 * Sends everybody away, spread over at most `windowMs`, so that the servers that stay are not run over. Transports are
 * closed, not sockets: a stock client reconnects by itself only after a transport close.
 */
export async function drain (sockets: readonly Socket[], windowMs: number, close: boolean): Promise<void> {
  const connections = new Map<Socket['conn'], Socket[]>()
  for (const socket of sockets) connections.set(socket.conn, [...connections.get(socket.conn) ?? [], socket])
  const step = Math.min(stepMs, windowMs / Math.max(1, connections.size))
  const started = performance.now()
  const closed: Promise<void>[] = []
  let told = 0
  for (const [connection, theirs] of connections) {
    const ahead = told++ * step - (performance.now() - started)
    if (ahead > 1) await pause(ahead)
    const retryAfterMs = Math.round(retry.from + Math.random() * (retry.to - retry.from))
    for (const socket of theirs) socket.emit('server:draining', { retryAfterMs }, replyMeta(socket.id))
    if (!close || connection.readyState === 'closed') continue
    closed.push(new Promise(resolve => connection.once('close', () => resolve())))
    connection.close()
  }
  await Promise.race([Promise.all(closed), pause(flushMs, undefined, { ref: false })])
}
