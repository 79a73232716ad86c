/**
 * Judges a recorded history of events: every acknowledged one is seen by every reader of its room exactly once, all
 * readers see one order, and it is the order in which each sender spoke. Nothing is missing without a word.
 */

/**
 * What was sent, each sender's in its order. One without an acknowledgement may be seen or not. One that is `due` must be
 * seen whatever the reader is told of its room. Readers that it is `goneFor` need not see it. `at`: when it was acknowledged.
 */
export interface Said { room: string, id: string, by: string, acknowledged: boolean, due?: boolean, at?: number, goneFor?: readonly string[] }

/** An event as a reader saw it, with its place. */
export interface Seen { room: string, id: string, epoch: string, offset: number }

/** A reader, in the order in which it saw things; `lost` is where it was told that events of a room are gone. */
export interface Reader { name: string, rooms: readonly string[], seen: readonly (Seen | { lost: string })[] }

export interface Verdict {
  /** Acknowledged events that a reader neither saw nor was told of. */
  lost: string[]
  twice: string[]
  /** Against the order of the places, of the sender, or of another reader. */
  disorder: string[]
  /** Seen and never sent there, or in a room that is not the reader's. */
  foreign: string[]
  /** Acknowledged and missed by a reader that was told so. */
  told: number
  /** How much was seen, by all readers together. */
  seen: number
}

/** What is wrong with it, each fault as a line; to be told that events are gone is no fault. */
export function faultsOf ({ lost, twice, disorder, foreign }: Verdict): string[] {
  return Object.entries({ lost, twice, disorder, foreign }).flatMap(([what, all]) => all.map(one => `${what}: ${one}`))
}

/** How late a server may be in reading what Redis has told it (ms). */
const lastMomentMs = 100

/**
 * Redis was killed and keeps nothing: its death resets the connections, and what it acknowledged last died with it for
 * the readers of each server that had not read it. As the class is gone as well there is no subscription that could say
 * so. Marks those events as gone for these readers, and returns how many they are. What it acknowledged a tenth of a
 * second before (`killedAt`, of `performance.now()`) must have been heard.
 */
export function excuse (said: readonly Said[], readers: readonly Reader[], room: string, killedAt: number): number {
  const gone = new Set<Said>()
  const talk = said.filter(one => one.room === room && one.acknowledged)
  for (const { name, seen } of readers.filter(reader => reader.rooms.includes(room))) {
    const heard = new Set(seen.map(one => 'id' in one && one.id))
    // Only what came last: with a hole before something that it heard a reader has lost an event.
    for (const one of talk.slice(talk.findLastIndex(({ id }) => heard.has(id)) + 1)) {
      if ((one.at ?? 0) < killedAt - lastMomentMs) continue
      gone.add(one)
      one.goneFor = [...one.goneFor ?? [], name]
    }
  }
  return gone.size
}

export function checkDelivery (said: readonly Said[], readers: readonly Reader[]): Verdict {
  const verdict: Verdict = { lost: [], twice: [], disorder: [], foreign: [], told: 0, seen: 0 }
  const order = new Map(said.map((one, index) => [`${one.room} ${one.id}`, { ...one, index }]))
  const places = new Map<string, string>()

  for (const { name, rooms, seen } of readers) {
    const had = new Set<string>()
    const told = new Set<string>()
    const last = new Map<string, Seen>()
    const spoken = new Map<string, number>()
    for (const one of seen) {
      if ('lost' in one) {
        told.add(one.lost)
        last.delete(one.lost)
        continue
      }
      verdict.seen++
      const { room, id, epoch, offset } = one
      const key = `${room} ${id}`
      const source = order.get(key)
      if (!source || !rooms.includes(room)) {
        verdict.foreign.push(`${name}: ${key}`)
        continue
      }
      if (had.has(key)) {
        verdict.twice.push(`${name}: ${key}`)
        continue
      }
      had.add(key)
      const before = last.get(room)
      if (before && (epoch === before.epoch ? offset <= before.offset : Number(epoch) < Number(before.epoch))) verdict.disorder.push(`${name}: ${key} after ${before.id}`)
      last.set(room, one)
      const line = `${room} ${source.by}`
      if (source.index < (spoken.get(line) ?? -1)) verdict.disorder.push(`${name}: ${key} was said before`)
      spoken.set(line, source.index)
      const place = `${epoch}-${offset}`
      if ((places.get(key) ?? place) !== place) verdict.disorder.push(`${name}: ${key} at ${place}, others ${String(places.get(key))}`)
      places.set(key, place)
    }
    for (const { room, id, acknowledged, due, goneFor } of said) {
      if (!acknowledged || !rooms.includes(room) || had.has(`${room} ${id}`) || goneFor?.includes(name)) continue
      if (told.has(room) && !due) verdict.told++
      else verdict.lost.push(`${name}: ${room} ${id}`)
    }
  }
  return verdict
}
