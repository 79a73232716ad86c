import type { GroupContext, Tier1Metrics, Window } from '../analyzer.ts'
import { assess } from './assess.ts'
import { fold, start } from './features.ts'
import { round } from './numbers.ts'
import { words } from './words.ts'

/** Tier1 of a window is what the features said when it closed. A window without an assessment is read from scratch. */
export function tier1 (window: Omit<Window, 'assessment'> & Partial<Pick<Window, 'assessment'>>, context: GroupContext): Tier1Metrics {
  if (window.assessment) return window.assessment.metrics
  const features = start()
  for (const utterance of window.utterances) fold(features, utterance, context)
  return assess(features, window.end, context).metrics
}

/** How much was said in a window: words a second. */
export function paceOf ({ start, end, utterances }: Pick<Window, 'start' | 'end' | 'utterances'>): number {
  const count = utterances.reduce((sum, one) => sum + words(one.text).tokens.length, 0)
  return round(count / Math.max((end - start) / 1000, 1))
}

/** So many standard deviations from the group's other windows are worth a word. */
const unusual = 1.5

/**
 * One plain sentence about a window.
 * @param paceScore how far the pace of the window is from the group's usual one, in standard deviations
 */
export function summary (metrics: Tier1Metrics, paceScore: number): string {
  if (metrics.confidence < 0.3) return 'Too little talk to judge yet.'
  const parts = [
    metrics.offTopicHeat >= 0.5 ? 'off the task' : metrics.onTrackScore >= 0.6 ? 'on the task' : 'loosely on the task',
    metrics.confusionRisk >= 0.5 ? 'with signs of confusion' : '',
    paceScore <= -unusual ? 'quieter than usual' : paceScore >= unusual ? 'livelier than usual' : ''
  ].filter((part) => part !== '')
  return `The talk is ${parts.join(', ')}.`
}
