import type { Tier2Insights } from '../schema.ts'
import { clamp, round } from './numbers.ts'

/**
 * Has a dimension of tier2 changed for good? A two-sided CUSUM (Page 1954) on steps that are measured in robust
 * deviations: a slow drift adds up, one odd reading is clipped. What was found stays `pending` until it is `announced`,
 * so that a throttled shift is not lost.
 */
export const dimensions = ['argumentationQuality', 'collaborationPatterns', 'learningSignals', 'groupEmotionalArc'] as const
export type Dimension = typeof dimensions[number]
export type Snapshot = Record<Dimension, number>

export interface Shift { metric: Dimension, previous: number, current: number, delta: number, threshold: number, since: number }

interface Track { count: number, level: number, spread: number, up: number, down: number, since: number }

export interface ShiftState { v: 1, at: number, tracks: Record<Dimension, Track>, pending: Shift[] }

const slack = 0.5
const limit = 6
const warmUp = 3
/** Spread of a dimension between two readings of an ordinary group. */
const usual = 0.07
const leastDelta = 0.12

const fresh = (): Track => ({ count: 0, level: 0, spread: usual, up: 0, down: 0, since: 0 })

export function shiftStart (): ShiftState {
  return { v: 1, at: 0, tracks: { argumentationQuality: fresh(), collaborationPatterns: fresh(), learningSignals: fresh(), groupEmotionalArc: fresh() }, pending: [] }
}

/** One number a dimension. */
export function snapshotOf (insights: Tier2Insights): Snapshot {
  const mean = (...values: number[]): number => round(values.reduce((sum, one) => sum + one, 0) / values.length)
  const { collaborationPatterns: c, learningSignals: l } = insights
  return {
    argumentationQuality: insights.argumentationQuality.score,
    collaborationPatterns: mean(c.turnTaking, c.buildingOnIdeas, c.conflictResolution, c.inclusivity),
    learningSignals: mean(l.conceptualGrowth, l.questionQuality, l.metacognition, l.knowledgeApplication),
    groupEmotionalArc: insights.groupEmotionalArc.averageEngagement
  }
}

/** Pure: returns the next state and all shifts that wait to be announced, new ones included. A late snapshot changes nothing. */
export function detect (state: ShiftState, snapshot: Snapshot, at: number): { state: ShiftState, shifts: Shift[] } {
  if (!Number.isFinite(at) || at <= state.at) return { state, shifts: state.pending }
  const tracks = { ...state.tracks }
  const pending = new Map(state.pending.map((one) => [one.metric, one]))
  for (const metric of dimensions) {
    const value = snapshot[metric]
    if (!Number.isFinite(value)) continue
    const track = { ...tracks[metric] }
    const earlier = pending.get(metric)
    if (earlier) {
      // Still unannounced: it tells of the newest value, or is gone when the change is.
      const delta = round(value - earlier.previous)
      if (Math.abs(delta) < leastDelta / 2 || Math.sign(delta) !== Math.sign(earlier.delta)) pending.delete(metric)
      else pending.set(metric, { ...earlier, current: value, delta })
    }
    if (track.count < warmUp) {
      track.count++
      track.level = round(track.level + (value - track.level) / track.count)
      track.since = at
    } else {
      const step = clamp((value - track.level) / track.spread, -3, 3)
      if (track.up === 0 && track.down === 0) track.since = at
      track.up = round(Math.max(0, track.up + step - slack))
      track.down = round(Math.max(0, track.down - step - slack))
      const delta = round(value - track.level)
      if (Math.max(track.up, track.down) > limit && Math.abs(delta) >= leastDelta) {
        const threshold = round((track.up > track.down ? 1 : -1) * Math.max(leastDelta, slack * track.spread))
        pending.set(metric, { metric, previous: track.level, current: value, delta, threshold, since: track.since })
        Object.assign(track, { count: 1, level: value, up: 0, down: 0 })
      } else {
        // The spread learns from absolute steps, clipped, so that it stays the spread of ordinary readings.
        track.spread = round(clamp(0.9 * track.spread + 0.1 * 1.25 * Math.min(Math.abs(value - track.level), 3 * track.spread), 0.03, 0.3))
        if (track.up === 0 && track.down === 0) track.level = round(track.level + 0.1 * (value - track.level))
      }
    }
    tracks[metric] = track
  }
  const next: ShiftState = { v: 1, at, tracks, pending: [...pending.values()] }
  return { state: next, shifts: next.pending }
}

/** These shifts reached the teacher. */
export function announced (state: ShiftState, metrics: readonly Dimension[]): ShiftState {
  return { ...state, pending: state.pending.filter((one) => !metrics.includes(one.metric)) }
}
