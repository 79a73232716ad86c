import type { Meta } from './contract.ts'

/**
 * Kept events. Each has one home room, and each home room has an epoch and offsets without holes, so a reader who
 * says where it was either gets all that it missed, in order, or learns that it was too long ago.
 */

/**
 * Where a home room stands. A new epoch begins when the events of the one before can no longer be vouched for: when
 * Redis has restarted, with its data or without. A room keeps its epoch as long as somebody appends or asks; its events
 * go when nothing was appended for as long as a session lives.
 */
export interface Position { epoch: string, offset: number }

/** An event as it was sent, with its place. */
export interface Kept {
  namespace: string
  /** The home room first. */
  rooms: readonly string[]
  event: string
  payload: unknown
  meta: Meta & Position
}

/** An appended event as each process hears of it; only those who have a reader for it open it. */
export interface Heard {
  namespace: string
  rooms: readonly string[]
  position: Position
  open (): Kept
}

export interface Page {
  /** In order, without a hole, after the position that was asked for. */
  events: Kept[]
  /** Where the room stands by now. */
  position: Position
  /** The events after the position are not all there: another epoch, or so many that the oldest fell out. */
  lost: boolean
}

export interface Journal {
  /**
   * Gives the event its place and has it delivered on every process, in the order of the places. An event whose
   * `meta.id` is among those of the kept events is not appended again; of a series (`name#number`) none is that comes
   * after its number or a higher one, however long ago, also in an earlier epoch.
   * @throws ClasswavesError UNAVAILABLE; then nothing was delivered, or it was delivered once
   */
  append (event: Omit<Kept, 'meta'> & { meta: Meta }): Promise<Position>
  position (namespace: string, room: string): Promise<Position>
  /** At most `limit` events after `after`; `lost` says that there is no going on from there. */
  read (namespace: string, room: string, after: Position, limit: number): Promise<Page>
  /** At most `limit` events from the oldest that is there; `limit` is 1 at least. */
  oldest (namespace: string, room: string, limit: number): Promise<Page>
  /**
   * Hears of every appended event of the cluster, in order of places within a room. `reconnected`: some may have been
   * missed since.
   */
  listen (hear: (event: Heard) => void, reconnected: () => void): void
  close (): Promise<void>
}

/** Told of what a delivery reads from the journal, for the counters. */
export interface DeliveryWatch {
  /** A reader said where it was, and got so many events. */
  replayed (namespace: string, recovered: boolean, events: number): void
  /** The wire lost so many events, which the journal had. */
  filled (namespace: string, events: number): void
}

/** Events of a room that are kept, with their ids. */
export const journalBounds = { events: 1000 } as const

/** An id that counts: for news of which the second telling may come long after the first, as that of a status does. */
export function seriesOf (id: string): { name: string, number: number } | undefined {
  const [, name, number] = /^(.+)#(\d+)$/.exec(id) ?? []
  return name === undefined ? undefined : { name, number: Number(number) }
}
