import { randomBytes } from 'node:crypto'
import type { IncomingMessage } from 'node:http'

/**
 * Whose a polling connection is. Its id stands in URLs, so it ends up in logs and histories, and alone it must open
 * nothing. It counts only from the address that opened it, and only with what its user had at the handshake: the cookie
 * that was given or sent there, or a token of the same user. A stock client that shows neither may poll for as long as
 * it takes to go over to WebSocket.
 */

const cookieName = 'classwaves_poll'
const cookie = new RegExp(`(?:^|;) *${cookieName}=([\\w-]{20})(?:;|$)`)
/** How long a connection may poll while nobody shows whose it is (ms). */
export const unclaimedMs = 10_000

interface Claim {
  address: string
  cookie: string
  userId: string | undefined
  opened: number
  /** Its owner has shown something; whoever shows nothing is not them. */
  claimed: boolean
}

export interface PollOwnersDependencies {
  addressOf: (request: IncomingMessage) => string
  /** Whose an `Authorization` header is; undefined for one that is not valid. */
  userOf: (authorization: string) => string | undefined
  /** The path below which the cookie is sent back. */
  path: string
  /** In ms, of a clock that never goes back; `performance.now` unless said. */
  now?: () => number
}

/** Why a request is refused: it comes from elsewhere, shows nothing or somebody else's, or came to show nothing for too long. */
export type Foreign = 'address' | 'owner' | 'unclaimed'

export class PollOwners {
  readonly #claims = new Map<string, Claim>()
  readonly #given = new WeakMap<IncomingMessage, string>()
  readonly #use: PollOwnersDependencies
  readonly #now: () => number

  constructor (dependencies: PollOwnersDependencies) {
    this.#use = dependencies
    this.#now = dependencies.now ?? (() => performance.now())
  }

  /** The `Set-Cookie` for a handshake whose sender has none yet. */
  greeting (request: IncomingMessage): string | undefined {
    if (cookieOf(request) !== undefined) return undefined
    // Pages of another site get it back over TLS only; browsers keep it apart for each site that embeds it.
    const scope = isSecure(request) ? 'SameSite=None; Secure; Partitioned' : 'SameSite=Lax'
    return `${cookieName}=${this.#cookieFor(request)}; Path=${this.#use.path}; HttpOnly; ${scope}`
  }

  /** @param request the handshake, greeted already or not yet */
  opened (id: string, request: IncomingMessage): void {
    this.#claims.set(id, {
      address: this.#use.addressOf(request), cookie: this.#cookieFor(request), userId: this.#userOf(request), opened: this.#now(), claimed: false
    })
  }

  closed (id: string): void { this.#claims.delete(id) }

  /** What is wrong with a request for an open connection. */
  fault (id: string, request: IncomingMessage): Foreign | undefined {
    const claim = this.#claims.get(id)
    if (claim === undefined) return undefined // the engine knows what to say of ids that are none
    if (claim.address !== this.#use.addressOf(request)) return 'address'
    const cookie = cookieOf(request)
    const isOwners = cookie === claim.cookie || (claim.userId !== undefined && claim.userId === this.#userOf(request))
    if (isOwners) claim.claimed = true
    else if (claim.claimed || cookie !== undefined) return 'owner'
    else if (this.#now() - claim.opened > unclaimedMs) return 'unclaimed'
    return undefined
  }

  #cookieFor (handshake: IncomingMessage): string {
    const value = cookieOf(handshake) ?? this.#given.get(handshake) ?? randomBytes(15).toString('base64url')
    this.#given.set(handshake, value)
    return value
  }

  #userOf ({ headers: { authorization } }: IncomingMessage): string | undefined {
    return authorization === undefined ? undefined : this.#use.userOf(authorization)
  }
}

function cookieOf ({ headers }: IncomingMessage): string | undefined {
  return cookie.exec(headers.cookie ?? '')?.[1]
}

function isSecure ({ socket, headers }: IncomingMessage): boolean {
  return 'encrypted' in socket || headers['x-forwarded-proto'] === 'https'
}
