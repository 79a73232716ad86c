import type { User } from '../core/access.ts'
import type { Emit } from '../core/emit.ts'
import { rooms, type classroom as contract } from './contract.ts'
import type { ChatMode, HistoryPage, Person } from './schema.ts'
import type { Lane, PageOf } from './store.ts'

/** `fastify.classroom`: who is present and what is said, for routes and the host. Who may ask is asked before. */
export interface Classroom {
  /** Everybody who is present, on whatever process. */
  people (sessionId: string): Promise<{ people: Person[], count: number }>
  /** How many are present; it costs the same for any number. */
  count (sessionId: string): Promise<number>
  history (sessionId: string, lane: Lane, page: Partial<PageOf>): Promise<HistoryPage>
  mode (sessionId: string): Promise<ChatMode>
  setMode (sessionId: string, mode: ChatMode): Promise<{ mode: ChatMode, changed: boolean }>
}

/** What the area offers to routes and to the plugins of other areas. */
export interface ClassroomArea {
  classroom: Classroom
  emit: Emit<typeof contract>
  /** The home rooms of kept events that a user may hear. */
  homeRooms: (session: { sessionId: string }, user: User) => Promise<{ namespace: string, room: string }[]>
}

export function homeRoomsOf (sessionId: string, { userId }: User, manages: boolean): { namespace: string, room: string }[] {
  return [rooms.session({ sessionId }), rooms.user({ sessionId, readerId: userId }), ...(manages ? [rooms.teacher({ sessionId })] : [])]
    .map(room => ({ namespace: '/', room }))
}
