import type { Driver } from '../../lib/contract.ts'

/** What a teacher calls the signals. A signal without a row here is shown by its own name, spelled out. */
const phrases: Readonly<Record<string, string>> = {
  offTopicHeat: 'off-task talk',
  confusionRisk: 'signs of confusion',
  silence: 'silence',
  topicalCohesion: 'talk that has lost the thread',
  conceptualDensity: 'few words of the subject',
  discussionMomentum: 'a discussion that fades',
  energyLevel: 'little energy',
  onTrackScore: 'off track',
  participation: 'uneven participation',
  dominance: 'one voice that takes most of the talk'
}

const most = 2

/** The strongest reasons, in words: `off-task talk (31 points), silence (12)`. */
export function reasons (why: readonly Driver[] | undefined): string {
  const strong = (why ?? []).filter(driver => driver.contribution >= 0.5)
    .sort((a, b) => b.contribution - a.contribution)
    .slice(0, most)
  return strong.map(({ signal, contribution }, index) => `${phrase(signal)} (${Math.round(contribution)}${index === 0 ? ' points' : ''})`).join(', ')
}

function phrase (signal: string): string {
  return phrases[signal] ?? signal.replace(/([a-z0-9])([A-Z])/g, '$1 $2').replace(/[_-]+/g, ' ').toLowerCase()
}
