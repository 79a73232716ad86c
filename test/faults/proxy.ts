import { once } from 'node:events'
import { connect, createServer, type AddressInfo, type Socket } from 'node:net'
import type { Owner } from '../redis.ts'

/**
 * A path through the network that can go wrong as real ones do: late, silent, cut, or cut after the request has gone
 * through. It never drops bytes of a stream that goes on, because no network does: TCP repeats what is lost, and a test
 * that left a gap would find faults that nobody can have.
 */
export interface Proxy {
  readonly port: number
  /** Connections that are open now, and how many there ever were. */
  readonly open: number
  readonly opened: number
  /** From now on each direction is this much later (ms). */
  delay (ms: number): void
  /** Nothing passes in either direction, also on new connections, until `heal`. Nothing is lost. */
  stall (): void
  /** Ends `delay`, `stall` and `refuse`, and resets the connections whose replies were lost. */
  heal (): void
  /** Resets (RST) what is open. */
  reset (): void
  /** Resets what is open, and each new connection at once. */
  refuse (): void
  /** Requests go through and their replies do not, on what is open now; what was lost stays lost, so only a reset can follow. */
  loseReplies (): void
}

export async function startProxy (t: Owner, target: number): Promise<Proxy> {
  const paths = new Set<Path>()
  const state = { delay: 0, stalled: false, refusing: false }
  let opened = 0
  const server = createServer({ allowHalfOpen: true, pauseOnConnect: true }, near => {
    opened++
    if (state.refusing) return near.resetAndDestroy()
    const path = new Path(near, connect({ port: target, host: '127.0.0.1', allowHalfOpen: true }), state)
    paths.add(path)
    path.gone.then(() => paths.delete(path))
  }).listen(0, '127.0.0.1')
  await once(server, 'listening')
  t.teardown(() => {
    for (const path of paths) path.reset()
    server.close()
  })

  const look = (): void => { for (const path of paths) path.look() }
  const reset = (): void => { for (const path of paths) path.reset() }
  return {
    port: (server.address() as AddressInfo).port,
    get open () { return paths.size },
    get opened () { return opened },
    delay (ms) { state.delay = ms },
    stall () {
      state.stalled = true
      look()
    },
    heal () {
      Object.assign(state, { delay: 0, stalled: false, refusing: false })
      for (const path of paths) if (path.losing) path.reset()
      look()
    },
    reset,
    refuse () {
      state.refusing = true
      reset()
    },
    loseReplies () { for (const path of paths) path.losing = true }
  }
}

interface Conditions { readonly delay: number, readonly stalled: boolean }

/** One connection: two sockets and what is on its way between them. */
class Path {
  losing = false
  readonly gone: Promise<void>
  readonly #ends: readonly [Socket, Socket]
  readonly #ways: readonly Way[]

  constructor (near: Socket, far: Socket, conditions: Conditions) {
    this.#ends = [near, far]
    this.#ways = [new Way(near, far, conditions, () => false), new Way(far, near, conditions, () => this.losing)]
    this.gone = Promise.all(this.#ends.map(async end => await new Promise<void>(resolve => end.once('close', () => resolve())))).then(() => {})
    for (const [end, other] of [[near, far], [far, near]] as const) {
      // A side that breaks takes the other with it, in the same way.
      end.on('error', () => cut(other))
    }
  }

  look (): void { for (const way of this.#ways) way.look() }
  reset (): void { for (const end of this.#ends) cut(end) }
}

/**
 * Resets one end. After its last word it can only be closed: libuv refuses to reset what is shutting down, and Node keeps
 * the handle then and waits for it for ever when the process exits.
 */
function cut (end: Socket): void {
  if (end.writableEnded) end.destroy()
  else end.resetAndDestroy()
}

/** One direction. A queue keeps the order whatever becomes of the delay. */
class Way {
  readonly #from: Socket
  readonly #to: Socket
  readonly #conditions: Conditions
  readonly #isLost: () => boolean
  readonly #queue: { due: number, bytes: Buffer | null }[] = []
  #timer: NodeJS.Timeout | undefined
  #full = false

  constructor (from: Socket, to: Socket, conditions: Conditions, isLost: () => boolean) {
    this.#from = from
    this.#to = to
    this.#conditions = conditions
    this.#isLost = isLost
    from.on('data', bytes => this.#take(bytes))
    from.on('end', () => this.#take(null))
    to.on('close', () => clearTimeout(this.#timer))
    to.on('drain', () => {
      this.#full = false
      this.look()
    })
    this.look()
  }

  #take (bytes: Buffer | null): void {
    this.#queue.push({ due: Math.max(performance.now() + this.#conditions.delay, this.#queue.at(-1)?.due ?? 0), bytes })
    this.look()
  }

  /** Hands on what is due, and says when to look again. */
  look (): void {
    clearTimeout(this.#timer)
    if (this.#conditions.stalled || this.#full) {
      this.#from.pause()
      return
    }
    this.#from.resume()
    for (let next = this.#queue[0]; next && !this.#full; next = this.#queue[0]) {
      const wait = next.due - performance.now()
      if (wait > 0) {
        this.#timer = setTimeout(() => this.look(), wait)
        return
      }
      this.#queue.shift()
      if (next.bytes === null) this.#to.end()
      else if (!this.#isLost()) this.#full = !this.#to.write(next.bytes)
    }
  }
}
