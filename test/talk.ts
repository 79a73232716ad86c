import type { SliceInput } from '../index.ts'

const words = [
  'The leaf takes in light and water.', 'And it makes sugar from them.', 'So a plant needs light to make its food.',
  'Because the leaf is green, it takes in the light.'
]

/**
 * Six minutes of talk that ended just now: both groups speak, then red falls silent while blue goes on. Whatever else
 * is judged, that is a group that a teacher should look at.
 */
export function redFallsSilent (now = Date.now()): SliceInput[] {
  return Array.from({ length: 70 }, (_, i) => {
    const start = now - 360_000 + i * 5_000
    return {
      groupId: i % 2 === 1 && i < 16 ? 'red' : 'blue',
      speaker: ['Ada', 'Bo', 'Cem'][i % 3] as string,
      text: words[i % words.length] as string,
      startedAt: new Date(start).toISOString(),
      endedAt: new Date(start + 4_000).toISOString()
    }
  })
}
