import type { Bucket } from '../core/limit.ts'
import { ClasswavesError } from '../core/errors.ts'
import type { User } from '../core/access.ts'

/** A socket in a class. */
export interface Member {
  readonly sessionId: string
  readonly code: string
  readonly user: User
  /** The id of the socket. */
  readonly seat: string
  /** May lead the class; asked when the socket joined. */
  readonly manages: boolean
  /** What the socket may send. */
  readonly bytes: Bucket
}

/** Which sockets of this process joined which classes, by the code that they use. */
export class Members {
  readonly #bySeat = new Map<string, Map<string, Member>>()

  add (member: Member): void {
    const own = this.#bySeat.get(member.seat) ?? new Map<string, Member>()
    this.#bySeat.set(member.seat, own.set(member.code, member))
  }

  find (seat: string, code: string): Member | undefined { return this.#bySeat.get(seat)?.get(code) }

  /** @throws ClasswavesError NOT_IN_SESSION */
  get (seat: string, code: string): Member {
    const member = this.find(seat, code)
    if (!member) throw new ClasswavesError('NOT_IN_SESSION')
    return member
  }

  remove ({ seat, code }: Member): void {
    const own = this.#bySeat.get(seat)
    own?.delete(code)
    if (own?.size === 0) this.#bySeat.delete(seat)
  }

  /** Everything that a socket had joined; it is forgotten. */
  take (seat: string): Member[] {
    const all = [...this.#bySeat.get(seat)?.values() ?? []]
    this.#bySeat.delete(seat)
    return all
  }
}
