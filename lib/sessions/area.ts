import type { User } from '../core/access.ts'
import type { Emit } from '../core/emit.ts'
import type { sessions as contract, Summary } from './contract.ts'
import type { Guesses } from './guesses.ts'
import type { Rights } from './rights.ts'
import type { Session, Slice } from './schema.ts'
import type { Sessions } from './service.ts'

/** Where other areas meet this one; whoever joins them replaces a function here. */
export interface SessionsSeams {
  /** Told of talk, in order, and when it came in (ms since 1970); talk that is sent again, for the lack of an answer, comes again. */
  onSlices: (session: Session, slices: readonly Slice[], cameAt: number) => Promise<void>
  /** Told of each stored transition before it is announced; what fails in it is its own affair. */
  onTransition: (session: Session) => Promise<void>
  /** Makes the results of an ended session. */
  summarise: (session: Session) => Promise<Summary>
}

/** What the sessions area offers to routes and to the plugins of other areas. */
export interface SessionsArea {
  sessions: Sessions
  rights: Rights
  guesses: Guesses
  emit: Emit<typeof contract>
  seams: SessionsSeams
  /** The home rooms of kept events that a user may hear. */
  homeRooms: (session: Session, user: User) => { namespace: string, room: string }[]
}
