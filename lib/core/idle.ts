import type { IncomingMessage, Server, ServerResponse } from 'node:http'
import type { Socket } from 'node:net'

export interface Bound {
  /** What has not ended so long after the beginning is cut (ms). */
  cutMs?: number
  /** Hears how many connections were cut, if any. */
  onCut?: (connections: number) => void
}

/**
 * Ends the connections of an HTTP server that have nothing under way. Node's own close waits for some of them, for ever
 * or for as long as keep-alive lasts: one that has not said a word yet, one that stopped in the middle of a request,
 * one whose answer went out after the close began. A request that is under way may end, but not take for ever.
 *
 * To be called before Socket.IO takes the server: it keeps its own requests from those who were there, and its polls,
 * which may stall, are not to be waited for either.
 *
 * @returns what begins it: from then on a connection ends with its last answer
 */
export function endIdle (server: Server, { cutMs = 10_000, onCut }: Bound = {}): () => void {
  /** How many requests each connection waits for. */
  const connections = new Map<Socket, number>()
  let ending = false

  function count (socket: Socket, by: number): void {
    const waits = connections.get(socket)
    if (waits === undefined) return
    connections.set(socket, waits + by)
    if (ending && waits + by === 0) socket.destroySoon()
  }

  // Under TLS a request names the socket that decrypts, which is another one than was accepted.
  server.on('setSecureContext' in server ? 'secureConnection' : 'connection', (socket: Socket) => {
    if (ending) return socket.destroy()
    connections.set(socket, 0)
    socket.once('close', () => connections.delete(socket))
  })
  server.on('request', (request: IncomingMessage, response: ServerResponse) => {
    count(request.socket, 1)
    response.once('close', () => count(request.socket, -1))
  })
  server.on('upgrade', (request: IncomingMessage) => { connections.delete(request.socket) })

  return () => {
    ending = true
    for (const [socket, waits] of connections) if (waits === 0) socket.destroy()
    setTimeout(() => {
      if (connections.size > 0) onCut?.(connections.size)
      for (const socket of connections.keys()) socket.destroy()
    }, cutMs).unref()
  }
}
