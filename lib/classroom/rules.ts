import { teachers, type Role } from '../core/access.ts'
import type { ChatMode } from './schema.ts'

/** Who may say what to whom. */

export type Rank = 'student' | 'teacher'

/** What becomes of a message, by the mode of the class. A direct message does not wait for approval; its log is kept. */
export function verdictOf (mode: ChatMode, rank: Rank, direct: boolean): 'published' | 'held' | 'refused' {
  if (mode === 'off') return 'refused'
  if (direct || rank === 'teacher' || mode === 'open') return 'published'
  return mode === 'moderated' ? 'held' : 'refused'
}

export function rankOf (role: string): Rank {
  return (teachers as readonly string[]).includes(role) ? 'teacher' : 'student'
}

/** Who may write to whom alone: the sender's rank, then the receiver's. */
export const directPairs = ['student-teacher', 'teacher-student', 'teacher-teacher', 'student-student'] as const
export type DirectPair = typeof directPairs[number]

export function mayWriteTo (allowed: readonly DirectPair[], from: Role, to: Rank): boolean {
  return allowed.includes(`${rankOf(from)}-${to}`)
}
