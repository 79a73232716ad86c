import type { Emit } from '../core/emit.ts'
import type { classroom as contract } from './contract.ts'
import type { Later } from './later.ts'
import type { Member } from './members.ts'

/** Who types. It is told at the start and at the end, is told again while it goes on, and ends by itself. */
export class Typing {
  readonly #emit: () => Emit<typeof contract>
  readonly #later: Later
  readonly #ms: number
  readonly #toldAt = new Map<string, number>()

  constructor (emit: () => Emit<typeof contract>, later: Later, ms: number) {
    this.#emit = emit
    this.#later = later
    this.#ms = ms
  }

  async say (member: Member, typing: boolean): Promise<void> {
    if (!typing) return await this.stop(member)
    const name = nameOf(member)
    const now = performance.now()
    this.#later.run(name, this.#ms, async () => await this.#end(member), true)
    // Readers let it end by themselves after its time; half of that is soon enough to say it again.
    if (now - (this.#toldAt.get(name) ?? -Infinity) < this.#ms / 2) return
    this.#toldAt.set(name, now)
    await this.#tell(member, true)
  }

  async stop (member: Member): Promise<void> {
    if (this.#later.cancel(nameOf(member))) await this.#end(member)
  }

  async #end (member: Member): Promise<void> {
    this.#toldAt.delete(nameOf(member))
    await this.#tell(member, false)
  }

  async #tell ({ sessionId, code, user: { userId } }: Member, typing: boolean): Promise<void> {
    await this.#emit().to({ sessionId }).emit('typingUpdated', { sessionCode: code, userId, typing, expiresInMs: this.#ms })
  }
}

const nameOf = ({ sessionId, seat }: Member): string => `typing ${sessionId} ${seat}`
