import { randomUUID } from 'node:crypto'
import type { SliceInput } from '../../lib/contract.ts'
import type { ClassTalk } from './talk.ts'

export interface TimedSlice {
  /** Seconds since the class began. */
  end: number
  slice: SliceInput & { id: string }
}

/**
 * An identifier for every voice of a class, group by group: a pupil sits in one group only, while files call a
 * voice "A" in each of them, or "Project Manager".
 */
export function seat (talk: ClassTalk): ReadonlyMap<string, string>[] {
  const taken = new Set<string>()
  return talk.groups.map((group, index) => {
    const seats = new Map<string, string>()
    for (const name of [...group.members, ...group.utterances.flatMap(one => one.speaker ?? [])]) {
      if (seats.has(name)) continue
      const plain = name.replace(/[^A-Za-z0-9_.@-]+/g, '_').slice(0, 50) || 'voice'
      let id = taken.has(plain) ? `${plain}-${index + 1}` : plain
      for (let again = 2; taken.has(id); again++) id = `${plain}-${index + 1}-${again}`
      taken.add(id)
      seats.set(name, id)
    }
    return seats
  })
}

/**
 * The talk as a recogniser would hand it in, in the order in which it was heard to the end. Each slice has an id,
 * so that one sent again after an answer was lost is not heard twice.
 */
export function slicesOf (talk: ClassTalk, groupIds: readonly string[], seats: readonly ReadonlyMap<string, string>[], zero: number): TimedSlice[] {
  const run = randomUUID().slice(0, 8)
  return talk.groups
    .flatMap((group, index) => group.utterances.map(said => ({ said, index })))
    .sort((a, b) => a.said.end - b.said.end)
    .map(({ said, index }, position) => {
      const speaker = said.speaker === undefined ? undefined : seats[index]?.get(said.speaker)
      return {
        end: said.end,
        slice: {
          id: `${run}-${position}`,
          groupId: groupIds[index] as string,
          text: said.text,
          startedAt: new Date(zero + said.start * 1000).toISOString(),
          endedAt: new Date(zero + said.end * 1000).toISOString(),
          ...(speaker !== undefined && { speaker })
        }
      }
    })
}
