import { randomBytes } from 'node:crypto'
import type { IncomingMessage } from 'node:http'

/**
 * Whose a polling connection is. Its id stands in URLs, so it ends up in logs and histories, and alone it must open
 * nothing. It counts only from the address that opened it, and only with what its user showed first: the cookie that is
 * given at the handshake, or an `Authorization` header. A stock client that shows neither may poll for as long as it takes
 * to go over to WebSocket.
 */

const cookieName = 'classwaves_poll'
const cookie = new RegExp(`(?:^|;) *${cookieName}=([\\w-]{20})(?:;|$)`)
/** How long a connection may poll while nobody has shown whose it is (ms). */
export const unclaimedMs = 10_000

interface Claim { address: string, shown: string | undefined, opened: number }

export interface PollOwnersDependencies {
  addressOf: (request: IncomingMessage) => string
  /** The path below which the cookie is sent back. */
  path: string
  /** In ms, of a clock that never goes back; `performance.now` unless said. */
  now?: () => number
}

/** Why a request is refused: it comes from elsewhere, shows nothing or somebody else's, or came to show nothing for too long. */
export type Foreign = 'address' | 'owner' | 'unclaimed'

export class PollOwners {
  readonly #claims = new Map<string, Claim>()
  readonly #addressOf: PollOwnersDependencies['addressOf']
  readonly #path: string
  readonly #now: () => number

  constructor ({ addressOf, path, now = () => performance.now() }: PollOwnersDependencies) {
    this.#addressOf = addressOf
    this.#path = path
    this.#now = now
  }

  /** The `Set-Cookie` for a handshake whose sender has nothing to show yet. */
  greeting (request: IncomingMessage): string | undefined {
    if (shownBy(request) !== undefined) return undefined
    // Pages of another site get it back over TLS only; browsers keep it apart for each site that embeds it.
    const scope = isSecure(request) ? 'SameSite=None; Secure; Partitioned' : 'SameSite=Lax'
    return `${cookieName}=${randomBytes(15).toString('base64url')}; Path=${this.#path}; HttpOnly; ${scope}`
  }

  opened (id: string, request: IncomingMessage): void {
    this.#claims.set(id, { address: this.#addressOf(request), shown: shownBy(request), opened: this.#now() })
  }

  closed (id: string): void { this.#claims.delete(id) }

  /** What is wrong with a request for an open connection; the first that shows something is its owner's. */
  fault (id: string, request: IncomingMessage): Foreign | undefined {
    const claim = this.#claims.get(id)
    if (claim === undefined) return undefined // the engine knows what to say of ids that are none
    if (claim.address !== this.#addressOf(request)) return 'address'
    const shown = shownBy(request)
    if (claim.shown === undefined && this.#now() - claim.opened > unclaimedMs) return 'unclaimed'
    claim.shown ??= shown
    return claim.shown === shown ? undefined : 'owner'
  }
}

function shownBy ({ headers }: IncomingMessage): string | undefined {
  return cookie.exec(headers.cookie ?? '')?.[1] ?? headers.authorization
}

function isSecure ({ socket, headers }: IncomingMessage): boolean {
  return 'encrypted' in socket || headers['x-forwarded-proto'] === 'https'
}
