import type { GroupContext, Tier1Metrics, Window } from '../analyzer.ts'
import { assess } from './assess.ts'
import { fold, start } from './features.ts'

/** Tier1 of a window is what the features said when it closed. A window without an assessment is read from scratch. */
export function tier1 (window: Omit<Window, 'assessment'> & Partial<Pick<Window, 'assessment'>>, context: GroupContext): Tier1Metrics {
  if (window.assessment) return window.assessment.metrics
  const features = start()
  for (const utterance of window.utterances) fold(features, utterance, context)
  return assess(features, window.end, context).metrics
}

/** One plain sentence about a window. */
export function summary (metrics: Tier1Metrics): string {
  if (metrics.confidence < 0.3) return 'Too little talk to judge yet.'
  const parts = [
    metrics.offTopicHeat >= 0.5 ? 'off the task' : metrics.onTrackScore >= 0.6 ? 'on the task' : 'loosely on the task',
    metrics.confusionRisk >= 0.5 ? 'with signs of confusion' : '',
    metrics.energyLevel <= 0.25 ? 'quieter than usual' : metrics.energyLevel >= 0.75 ? 'livelier than usual' : ''
  ].filter((part) => part !== '')
  return `The talk is ${parts.join(', ')}.`
}
