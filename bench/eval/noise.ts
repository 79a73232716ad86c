import type { Session, Turn } from './data.ts'
import { random } from './random.ts'

/**
 * Recognition errors as classrooms have them (Southwell et al. 2022: mostly deletions): of a rate of .4, seven tenths
 * delete a word and three tenths put another in its place, drawn from `pool`, talk at large. No punctuation survives.
 */
export function noisy (session: Session, rate: number, pool: readonly string[]): Session {
  const next = random(`noise ${session.id}`)
  const spoil = (turn: Turn): Turn => {
    const kept: string[] = []
    for (const word of turn.text.split(/\s+/)) {
      const luck = next()
      if (luck < 0.7 * rate) continue
      kept.push((luck < rate ? pool[Math.floor(next() * pool.length)]! : word).toLowerCase().replace(/[^\p{L}\p{N}' ]/gu, ''))
    }
    return { ...turn, text: kept.join(' ').trim() }
  }
  return { ...session, turns: session.turns.map(spoil) }
}

/** Words of all talk in a set of sessions, as often as they occur, in every tenth turn. */
export function talkAtLarge (sessions: readonly Session[]): string[] {
  return sessions.flatMap((one) => one.turns).filter((_, i) => i % 10 === 0).flatMap((turn) => turn.text.split(/\s+/)).filter((word) => /\w/.test(word))
}
