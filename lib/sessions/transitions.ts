import type { SessionStatus } from './schema.ts'

export type Move = 'start' | 'pause' | 'resume' | 'end' | 'finish'

/** The life of a session, as data: a move goes to one status and is allowed from these. Nothing leaves `ended`. */
export const transitions: Record<Move, { from: readonly SessionStatus[], to: SessionStatus }> = {
  start: { from: ['created', 'paused'], to: 'active' },
  pause: { from: ['active'], to: 'paused' },
  resume: { from: ['paused'], to: 'active' },
  end: { from: ['created', 'active', 'paused'], to: 'ending' },
  finish: { from: ['ending'], to: 'ended' }
}

export function allows (move: Move, status: SessionStatus): boolean {
  return transitions[move].from.includes(status)
}

/** The status that a session had at an earlier version: of all the ways through the table only the end is a choice. */
export function statusAt (version: number, status: SessionStatus, last: number): SessionStatus {
  if (version === last) return status
  if (version === 1) return 'created'
  if (version === last - 1 && status === 'ended') return 'ending'
  return version % 2 === 0 ? 'active' : 'paused'
}
