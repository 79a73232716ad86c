import type { Meta } from '../core/contract.ts'
import type { Positions, Recovery } from '../core/recovery.ts'

/** The events of one session in one namespace: each once, in order, without a hole, over any number of connections. */

export interface Arrived { event: string, payload: unknown, meta: Meta }
type Placed = Arrived & { meta: Required<Pick<Meta, 'epoch' | 'offset'>> & Meta }

/** An accepted subscription. */
export type Answered = Recovery & { snapshot: unknown }

export interface FollowingDependencies {
  /** Asks the server, again from the places that are given. */
  ask: (since: Positions | undefined) => Promise<Answered>
  deliver: (arrived: Arrived) => void
  /** A snapshot that stands for everything up to here. `lost`: rooms of which events are missing. */
  state: (answer: Answered) => void
  /** Told whenever it becomes complete or incomplete. */
  changed: () => void
  /** The server will not have it; it is not asked again. */
  refused: (error: unknown) => void
  /** How long to wait before asking again (ms); undefined when that would not help. */
  retry: (error: unknown, attempt: number) => number | undefined
}

export class Following {
  /** A session by its id, or a class by its code. */
  readonly name: string
  readonly #use: FollowingDependencies
  #places: Positions | undefined
  /** Rooms that began anew: what they had before is lost, which is said with the next answer. */
  readonly #forgotten = new Set<string>()
  /** Came while the server was being asked, or after a hole. */
  #held: Placed[] = []
  /** An answer to an older question than the last is not taken. */
  #turn = 0
  #attempt = 0
  #timer: ReturnType<typeof setTimeout> | undefined
  complete = false

  constructor (name: string, use: FollowingDependencies) {
    this.name = name
    this.#use = use
  }

  /** Whether an event is of this session: ids have no colon, and what is said in a class says its code. */
  owns ({ meta, payload }: Arrived): boolean {
    return meta.room.split(':').includes(this.name) || (payload as { sessionCode?: unknown } | undefined)?.sessionCode === this.name
  }

  /** Asks for what was missed; at the start and after every reconnect. */
  start (): void {
    clearTimeout(this.#timer)
    this.#attempt = 0
    this.#set(false)
    void this.#ask(++this.#turn)
  }

  /** The connection has gone: what it was about to answer will not come. */
  pause (): void {
    clearTimeout(this.#timer)
    this.#turn++
    this.#set(false)
  }

  take (arrived: Arrived): void {
    if (arrived.meta.epoch === undefined || arrived.meta.offset === undefined) return this.#use.deliver(arrived)
    this.#held.push(arrived as Placed)
    if (!this.complete) return
    this.#drain(() => true)
    if (this.#held.length > 0) this.#again(0)
  }

  async #ask (turn: number): Promise<void> {
    try {
      const answer = await this.#use.ask(this.#places)
      if (turn === this.#turn) this.#settle(answer)
    } catch (error) {
      if (turn !== this.#turn) return
      const wait = this.#use.retry(error, this.#attempt++)
      if (wait !== undefined) return this.#wait(wait)
      // Nobody will say any more what is missing before it, so it goes out as it came.
      for (const one of this.#held.splice(0)) if (this.#isNext(one) !== false) this.#hand(one)
      this.#use.refused(error)
    }
  }

  #settle (answer: Answered): void {
    const { positions } = answer
    const before = ({ meta: { room, epoch, offset } }: Placed): boolean => epoch !== positions[room]?.epoch || offset <= positions[room].offset
    // What the snapshot holds already goes out first, what came after it goes out after it.
    if (this.#places) this.#drain(before)
    const known = this.#places
    // All of another epoch came after what we have: Redis has restarted, and it is read from its beginning too.
    const restarted = known ? answer.lost.filter(room => room in known && known[room]?.epoch !== positions[room]?.epoch) : []
    if (restarted.length > 0) {
      for (const room of restarted) this.#forgotten.add(room)
      this.#places = { ...known, ...Object.fromEntries(restarted.map(room => [room, { epoch: positions[room]?.epoch as string, offset: 0 }])) }
      return this.#again(0)
    }
    // A room that came into being while we were away is read from its beginning.
    const fresh = known ? answer.lost.filter(room => !(room in known)) : []
    const lost = [...new Set([...this.#forgotten, ...answer.lost.filter(room => !fresh.includes(room))])]
    this.#forgotten.clear()
    this.#places = { ...known }
    for (const [room, place] of Object.entries(positions)) {
      if (fresh.includes(room)) this.#places[room] = { epoch: place.epoch, offset: 0 }
      else if (answer.lost.includes(room) || !known?.[room]) this.#places[room] = place
    }
    this.#use.state({ ...answer, lost, recovered: lost.length === 0 })
    this.#drain(() => true)
    if (fresh.length > 0 || this.#held.length > 0) return this.#again(this.#attempt++ === 0 ? 0 : 250)
    this.#attempt = 0
    this.#set(true)
  }

  /** Hands on what is next, drops what is known, keeps the rest; until nothing moves. */
  #drain (may: (one: Placed) => boolean): void {
    for (let moved = true; moved;) {
      moved = false
      const waiting = this.#held
      this.#held = []
      for (const one of waiting) {
        const isNext = may(one) ? this.#isNext(one) : undefined
        if (isNext === undefined) this.#held.push(one)
        else moved = true
        if (isNext) this.#hand(one)
      }
    }
  }

  #hand (one: Placed): void {
    const { room, epoch, offset } = one.meta
    this.#places = { ...this.#places, [room]: { epoch, offset } }
    this.#use.deliver(one)
  }

  /** True: the next. False: had already. Undefined: something before it is missing. */
  #isNext ({ meta: { room, epoch, offset } }: Placed): boolean | undefined {
    const place = this.#places?.[room]
    // A group that was made later: its talk is wanted from its beginning.
    if (!place) {
      if (offset > 1) this.#places = { ...this.#places, [room]: { epoch, offset: 0 } }
      return offset === 1 || undefined
    }
    if (place.epoch !== epoch) return undefined
    if (offset <= place.offset) return false
    return offset === place.offset + 1 || undefined
  }

  #again (ms: number): void {
    this.#set(false)
    this.#wait(ms)
  }

  #wait (ms: number): void {
    const turn = ++this.#turn
    this.#timer = setTimeout(() => { void this.#ask(turn) }, ms)
  }

  #set (complete: boolean): void {
    this.complete = complete
    this.#use.changed()
  }
}
