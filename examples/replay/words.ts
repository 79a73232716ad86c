import type { Driver } from '../../lib/contract.ts'

/** What a teacher calls the signals and the sides of talk. A name without a row here is shown as it is, spelled out. */
const phrases: Readonly<Record<string, string>> = {
  offreal: 'off-task talk',
  social: 'off-task chat about life',
  confusion: 'signs of confusion',
  dominance: 'one voice holds the floor',
  stall: 'the talk dries up',
  argumentationQuality: 'the quality of arguments',
  collaborationPatterns: 'how they work together',
  learningSignals: 'signs of learning',
  groupEmotionalArc: 'engagement'
}

const most = 2

/** The strongest reasons, in words: `off-task talk (61 points), signs of confusion (12)`. */
export function reasons (why: readonly Driver[] | undefined): string {
  const strong = (why ?? []).filter(driver => driver.contribution >= 0.5)
    .sort((a, b) => b.contribution - a.contribution)
    .slice(0, most)
  return strong.map(({ signal, contribution }, index) => `${phrase(signal)} (${Math.round(contribution)}${index === 0 ? ' points' : ''})`).join(', ')
}

/** A signal or a side of talk in words. */
export function phrase (signal: string): string {
  return phrases[signal] ?? signal.replace(/([a-z0-9])([A-Z])/g, '$1 $2').replace(/[_-]+/g, ' ').toLowerCase()
}
