import type { IncomingMessage, Server } from 'node:http'
import type { Duplex } from 'node:stream'

type Upgrade = (request: IncomingMessage, socket: Duplex, head: Buffer) => void

/**
 * Lets several owners of upgrades live on one HTTP server. Node tells each listener of every upgrade, and each takes
 * what it does not know for a mistake: @fastify/websocket answers Socket.IO's handshake with 404, and Socket.IO ends
 * foreign ones after a second. Here the others no longer see what is ours, and what nobody wants gets a 404.
 *
 * @param isOurs says whether a request is for Socket.IO, whose listener is there already
 */
export function shareUpgrades (server: Server, isOurs: (request: IncomingMessage) => boolean): void {
  const ours = new Set<unknown>(server.listeners('upgrade'))
  const others = new Set<unknown>()

  function hide (listener: Upgrade): void {
    server.off('upgrade', listener)
    // `listener` lets its owner take it off by its own name.
    const guarded = Object.assign<Upgrade, { listener: Upgrade }>((request, socket, head) => {
      if (!isOurs(request)) listener.call(server, request, socket, head)
    }, { listener })
    others.add(guarded)
    server.on('upgrade', guarded)
  }

  server.on('newListener', (event, listener) => {
    if (event !== 'upgrade' || ours.has(listener) || others.has(listener)) return
    process.nextTick(() => {
      if (server.listeners('upgrade').includes(listener)) hide(listener as Upgrade)
    })
  })
  server.on('removeListener', (event, listener) => {
    if (event !== 'upgrade') return
    for (const guarded of others) if (guarded === listener || (guarded as { listener: unknown }).listener === listener) others.delete(guarded)
  })
  const unknown: Upgrade = (request, socket) => {
    if (!isOurs(request) && others.size === 0) socket.end('HTTP/1.1 404 Not Found\r\nConnection: close\r\nContent-Length: 0\r\n\r\n')
  }
  ours.add(unknown)
  server.on('upgrade', unknown)
}
