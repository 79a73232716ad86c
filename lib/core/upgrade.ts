import type { IncomingMessage, Server } from 'node:http'
import type { Socket } from 'node:net'
import type { Duplex } from 'node:stream'
import { setTimeout as pause } from 'node:timers/promises'

type Upgrade = (request: IncomingMessage, socket: Duplex, head: Buffer) => void

export interface Upgrades {
  /**
   * Waits a little for what is ours to end, then cuts it, and what nobody has answered: the HTTP server's close would
   * wait for all of them. What another owner has taken is theirs to end; it is cut when they have not, a while after.
   */
  end (): Promise<void>
}

/** How long what is ours may take to say goodbye, and how often that is looked at (ms). */
const goodbyeMs = 500
const lookMs = 10
/** How long the others may take to say goodbye to what is theirs (ms). */
const theirGoodbyeMs = 2_000
/** An upgrade that nobody has answered by then is not going to be (ms); slow checks of the host have finished. */
const unansweredMs = 30_000

/**
 * Lets several owners of upgrades live on one HTTP server. Node tells each listener of every upgrade, and each takes
 * what it does not know for a mistake: @fastify/websocket answers Socket.IO's handshake with 404, and Socket.IO ends
 * foreign ones after a second. Here the others no longer see what is ours, and what nobody wants gets a 404.
 *
 * @param isOurs says whether a request is for Socket.IO, whose listener is there already
 * @param before the listeners that were there before Socket.IO's
 */
export function shareUpgrades (server: Server, isOurs: (request: IncomingMessage) => boolean, before: readonly unknown[]): Upgrades {
  const own = new Set<unknown>(server.listeners('upgrade').filter(listener => !before.includes(listener)))
  const others = new Set<unknown>()
  const ours = new Set<Duplex>()
  /** What went to the others, and how much had been written to it before. */
  const foreign = new Map<Socket, number>()

  function hide (listener: Upgrade): void {
    server.off('upgrade', listener)
    others.add(listener)
    const guarded: Upgrade = (request, socket, head) => {
      if (!isOurs(request)) listener.call(server, request, socket, head)
    }
    // `listener` is how Node knows a listener by the name of another, so that its owner can take it off.
    server.on('upgrade', Object.assign(guarded, { listener }))
  }

  const watch: Upgrade = (request, socket) => {
    // Nobody listens for errors until somebody takes the socket, and a reset in between would end the process.
    socket.on('error', () => socket.destroy())
    if (isOurs(request)) {
      ours.add(socket)
      socket.once('close', () => ours.delete(socket))
    } else if (others.size === 0) {
      socket.end('HTTP/1.1 404 Not Found\r\nConnection: close\r\nContent-Length: 0\r\n\r\n')
    } else if ('bytesWritten' in socket) expectAnswer(socket as Socket)
  }

  function expectAnswer (socket: Socket): void {
    foreign.set(socket, socket.bytesWritten)
    const timer = setTimeout(() => cutUnanswered(socket), unansweredMs).unref()
    socket.once('close', () => {
      clearTimeout(timer)
      foreign.delete(socket)
    })
  }

  function cutUnanswered (socket: Socket): void {
    if (socket.bytesWritten === foreign.get(socket)) socket.destroy()
  }

  own.add(watch)
  server.prependListener('upgrade', watch)
  for (const listener of before) hide(listener as Upgrade)

  server.on('newListener', (event, listener) => {
    if (event !== 'upgrade' || own.has(listener) || others.has(listener)) return
    process.nextTick(() => {
      if (server.listeners('upgrade').includes(listener)) hide(listener as Upgrade)
    })
  })
  server.on('removeListener', (event, listener) => {
    if (event === 'upgrade') others.delete(listener)
  })

  return {
    async end () {
      const deadline = performance.now() + goodbyeMs
      while (ours.size > 0 && performance.now() < deadline) await pause(lookMs)
      for (const socket of ours) socket.destroy()
      for (const socket of foreign.keys()) cutUnanswered(socket)
      setTimeout(() => { for (const socket of foreign.keys()) socket.destroy() }, theirGoodbyeMs).unref()
    }
  }
}
