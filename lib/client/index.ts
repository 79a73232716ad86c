import type { io as Io, ManagerOptions, Socket, SocketOptions } from 'socket.io-client'
import type { classroom, guidance, sessions } from '../contract.ts'
import type { Contract } from '../core/contract.ts'
import { Channel } from './channel.ts'
import { healthOf, type Health } from './health.ts'

/** `fastify-classwaves/client`: the reconnect logic that nobody has to write again. Browser and Node. */

export interface ClientOptions {
  /** `io` of socket.io-client. */
  io: typeof Io
  /** Where the server is; in a browser the page's own origin unless said. */
  url?: string
  /** Hands over a valid token: at each connect, and before the one in use ends. */
  getToken: () => string | Promise<string>
  /** Options of socket.io-client, such as `path`. */
  socket?: Partial<ManagerOptions & SocketOptions>
  /** Events that may wait for a connection, for each namespace; 100 unless said. */
  queueLimit?: number
  /** How long an answer may take before the event is said again (ms); 10,000 unless said. */
  answerMs?: number
  /** After which time without a connection the health is `offline` (ms); 30,000 unless said. */
  offlineAfterMs?: number
}

export interface ClassClient {
  /** Connects to `/` when it is first used. */
  readonly classroom: Channel<typeof classroom>
  /** Connects to `/sessions` when it is first used. */
  readonly sessions: Channel<typeof sessions>
  /** Connects to `/guidance` when it is first used. */
  readonly guidance: Channel<typeof guidance>
  readonly health: Health
  /** Calls the listener now and at each change. Returns how to stop. */
  onHealth (listener: (health: Health) => void): () => void
  /** After `expired`: connects again with whatever `getToken` says now. */
  renew (): void
  close (): void
}

const delayMs = 500
/** Between one renewal of the token and the next: after one that went well, and after one that failed (ms). */
const pauseMs = 1_000
const retryMs = 5_000

export function createClient ({ io, url, getToken, socket: given = {}, queueLimit = 100, answerMs = 10_000, offlineAfterMs = 30_000 }: ClientOptions): ClassClient {
  const listeners = new Set<(health: Health) => void>()
  const channels = new Map<string, Channel<Contract>>()
  const timers = new Set<ReturnType<typeof setTimeout>>()
  const facts = { closed: false, network: true, awayForLong: false }
  let health: Health = 'offline'
  let away: ReturnType<typeof setTimeout> | undefined
  const refreshing = { busy: false, due: false }

  const auth = (give: (data: object) => void): void => {
    // Without a token the server refuses with the code that says so.
    Promise.resolve().then(getToken).then(token => give({ token }), () => give({}))
  }

  function open<C extends Contract> (name: string): Channel<C> {
    const there = channels.get(name)
    if (there) return there as unknown as Channel<C>
    const [first] = channels.values()
    const socket: Socket = first
      ? first.socket.io.socket(name, { auth })
      : io((url ?? '') + name, {
        transports: ['websocket', 'polling'], tryAllTransports: true, withCredentials: true, reconnectionDelay: delayMs, reconnectionDelayMax: 5_000, ...given, auth, forceNew: true, autoConnect: false
      })
    if (!first) {
      // One that was told when to come again goes back to its own pace once it is there.
      socket.io.on('open', () => { socket.io.reconnectionDelay(given.reconnectionDelay ?? delayMs) })
    }
    const channel = new Channel<C>(socket, {
      changed,
      refresh: () => { void refresh(channel as unknown as Channel<Contract>) },
      reconnect: (socket, ms) => later(ms, () => { if (!facts.closed && !socket.connected) socket.connect() }),
      draining: ms => { socket.io.reconnectionDelay(Math.max(1, ms)); changed() },
      queueLimit,
      answerMs
    })
    channels.set(name, channel as unknown as Channel<Contract>)
    if (!facts.closed) socket.connect()
    changed()
    return channel
  }

  /**
   * All namespaces say at once that the token ends; one new token renews them. Who gets another that ends soon is
   * warned again at once: that is looked at after a while.
   */
  async function refresh (channel: Channel<Contract>): Promise<void> {
    if (refreshing.busy) {
      refreshing.due = true
      return
    }
    Object.assign(refreshing, { busy: true, due: false })
    let wait = pauseMs
    try {
      await channel.send('auth:refresh', { token: await getToken() }, { ttlMs: 0 })
    } catch {
      // There is a minute left; after it the server ends the socket, and connecting asks for a token again.
      refreshing.due = true
      wait = retryMs
    }
    later(wait, () => {
      refreshing.busy = false
      if (refreshing.due && channel.facts.connected) void refresh(channel)
    })
  }

  function later (ms: number, run: () => void): void {
    const timer = setTimeout(() => { timers.delete(timer); run() }, ms)
    timers.add(timer)
  }

  function changed (): void {
    const all = [...channels.values()].map(channel => channel.facts)
    if (facts.closed || all.some(one => one.connected)) {
      clearTimeout(away)
      away = undefined
      facts.awayForLong = false
    } else away ??= setTimeout(() => { facts.awayForLong = true; changed() }, offlineAfterMs)
    // The namespaces come and go in one turn; what lies between is nobody's business.
    queueMicrotask(() => {
      const next = now()
      if (next === health) return
      health = next
      for (const listener of listeners) listener(health)
    })
  }

  function now (): Health { return healthOf({ ...facts, channels: [...channels.values()].map(channel => channel.facts) }) }

  const network = watchNetwork(online => {
    facts.network = online
    changed()
  })

  return {
    get classroom () { return open<typeof classroom>('/') },
    get sessions () { return open<typeof sessions>('/sessions') },
    get guidance () { return open<typeof guidance>('/guidance') },
    get health () { return now() },
    onHealth (listener) {
      health = now()
      listeners.add(listener)
      listener(health)
      return () => { listeners.delete(listener) }
    },
    renew () {
      for (const { facts, socket } of channels.values()) {
        facts.expired = false
        if (!facts.connected) socket.connect()
      }
      changed()
    },
    close () {
      facts.closed = true
      network()
      for (const timer of timers) clearTimeout(timer)
      for (const channel of channels.values()) channel.close()
      changed()
    }
  }
}

/** A browser knows when its network has gone; Node does not say. */
function watchNetwork (tell: (online: boolean) => void): () => void {
  const page = globalThis as { addEventListener?: (event: string, listener: () => void) => void, removeEventListener?: (event: string, listener: () => void) => void }
  const online = (): void => tell(true)
  const offline = (): void => tell(false)
  page.addEventListener?.('online', online)
  page.addEventListener?.('offline', offline)
  return () => {
    page.removeEventListener?.('online', online)
    page.removeEventListener?.('offline', offline)
  }
}

export { heat } from '../guidance/heat.ts'
export { ClientError, type ClientCode } from './failure.ts'
export { healths, type Health } from './health.ts'
export type { Channel, Followed, State } from './channel.ts'
