import type { Socket } from 'socket.io'
import type { User } from './access.ts'
import { replyMeta } from './context.ts'
import { ClasswavesError } from './errors.ts'

const minute = 60_000

/**
 * Watches over the end of a token: a warning one minute before, then the end. It looks at least once a minute, because a
 * clock may be set meanwhile. No timer keeps the process alive.
 */
export class Lifetime {
  #timer: NodeJS.Timeout | undefined
  readonly #on: { expiring: (expiresAt: string) => void, expired: () => void }
  readonly #now: () => number

  constructor (on: { expiring: (expiresAt: string) => void, expired: () => void }, now: () => number) {
    this.#on = on
    this.#now = now
  }

  /** Starts anew from the user's `exp`. */
  follow (user: User): void {
    this.stop()
    this.#wait(user.exp * 1000, false)
  }

  stop (): void { clearTimeout(this.#timer) }

  #wait (end: number, warned: boolean): void {
    const next = warned ? end : end - minute
    this.#timer = setTimeout(() => {
      if (this.#now() < next) this.#wait(end, warned)
      else if (warned) this.#on.expired()
      else {
        this.#on.expiring(new Date(end).toISOString())
        this.#wait(end, true)
      }
    }, Math.min(minute, Math.max(0, next - this.#now())))
    this.#timer.unref()
  }
}

/** The admitted sockets of each connection. */
const connections = new WeakMap<object, Set<Admitted>>()

/** A socket and the user whom its token names. It does not outlive the token. */
export class Admitted {
  static of (socket: Socket, user: User, now: () => number): Admitted { return new Admitted(socket, user, now) }

  user: User
  readonly socket: Socket
  readonly #lifetime: Lifetime

  constructor (socket: Socket, user: User, now: () => number) {
    this.socket = socket
    this.user = user
    this.#lifetime = new Lifetime({
      expiring: expiresAt => { socket.emit('auth:expiring', { expiresAt }, replyMeta(socket.id, now())) },
      expired: () => {
        socket.emit('error', { ...new ClasswavesError('AUTH_EXPIRED').toWire(), event: 'auth' }, replyMeta(socket.id, now()))
        socket.disconnect()
      }
    }, now)
    const siblings = connections.get(socket.client) ?? new Set()
    connections.set(socket.client, siblings.add(this))
    socket.once('disconnect', () => {
      this.#lifetime.stop()
      siblings.delete(this)
    })
    this.#lifetime.follow(user)
  }

  /**
   * A newer token renews every socket of this connection that the same user holds.
   * @throws ClasswavesError FORBIDDEN when the token is another user's, or says another role or session
   */
  renew (user: User): void {
    if (!isSame(this.user, user)) throw new ClasswavesError('FORBIDDEN', 'The new token must be of the same user, role and session.')
    for (const one of connections.get(this.socket.client) ?? []) {
      if (!isSame(one.user, user)) continue
      one.user = user
      one.#lifetime.follow(user)
    }
  }
}

function isSame (a: User, b: User): boolean {
  return a.userId === b.userId && a.role === b.role && a.sessionId === b.sessionId
}
