import type { Meta } from './contract.ts'

/**
 * Kept events. Each has one home room, and each home room has an epoch and offsets without holes, so a reader who
 * says where it was either gets all that it missed, in order, or learns that it was too long ago.
 */

/** Where a home room stands. A new epoch begins when the events of the one before can no longer be vouched for. */
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
   * `meta.id` is known is not appended again.
   * @throws ClasswavesError UNAVAILABLE; then nothing was delivered, or it was delivered once
   */
  append (event: Omit<Kept, 'meta'> & { meta: Meta }): Promise<Position>
  position (namespace: string, room: string): Promise<Position>
  /** At most `limit` events after `after`; `lost` says that there is no going on from there. */
  read (namespace: string, room: string, after: Position, limit: number): Promise<Page>
  /** At most `limit` events from the oldest that is there. */
  oldest (namespace: string, room: string, limit: number): Promise<Page>
  /**
   * Hears of every appended event of the cluster, in order of places within a room. `reconnected`: some may have been
   * missed since.
   */
  listen (hear: (event: Heard) => void, reconnected: () => void): void
  close (): Promise<void>
}

/** Events of a room that are kept, and how many ids are remembered against a second append. */
export const journalBounds = { events: 1000, ids: 128 } as const
