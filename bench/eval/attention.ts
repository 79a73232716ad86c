import { assess, type Reason } from '../../lib/guidance/embedded/assess.ts'
import { settle } from '../../lib/guidance/embedded/level.ts'
import type { Heat } from '../../lib/guidance/schema.ts'
import type { Chosen } from './chosen.ts'
import type { Data, Session } from './data.ts'
import { rows, type Measure, type Part } from './measure.ts'
import { hours, replay } from './replay.ts'
import { groupKey } from './seen.ts'
import { median } from './statistics.ts'

/** Does the score call the teacher in time, for the right reason, and only then? At the shipped thresholds, 70 and 40. */
interface Watched { session: Session, focus: { at: number, because: string }[], watch: number }

function watch (session: Session, chosen: Chosen): Watched {
  const focus: Watched['focus'] = []
  let heat: Heat | null = null; let watched = 0
  replay(session, (text) => chosen.turn(session.group, text), (features, at) => {
    const { score, drivers } = assess(features, at, session.context, undefined, chosen.group(session.group))
    const next = settle(heat, score)
    if (next === 'Focus Now' && heat !== 'Focus Now') focus.push({ at, because: (drivers[0] as Reason).signal })
    if (next !== 'Stable' && (heat === null || heat === 'Stable')) watched++
    heat = next
  })
  return { session, focus, watch: watched }
}

interface Control extends Part { hours: number, alarms: number }
interface Episode extends Part { delay: number | null, right: boolean }

const perHour = (of: readonly Control[]): number | null => {
  const time = of.reduce((sum, one) => sum + one.hours, 0)
  return time === 0 ? null : of.reduce((sum, one) => sum + one.alarms, 0) / time
}

export function attentionMeasures (data: Data, chosen: Chosen, progress: (line: string) => void): Measure[] {
  if (data.scenarios.length === 0) return []
  const seen = data.scenarios.some((one) => chosen.tainted(groupKey(one.group)))
  const watched = data.scenarios.map((one, i) => {
    if (i % 50 === 49) progress(`Replayed ${i + 1} of ${data.scenarios.length} scenarios ...`)
    return watch(one, chosen)
  })
  const control = watched.filter(({ session }) => session.kind === 'none')
  const parts = (count: (one: Watched) => number): Control[] => control.map((one) => ({ source: one.session.source, n: 1, hours: hours([one.session]), alarms: count(one) }))
  const found = [
    ...rows('false-alarms-per-group-hour-focus-now', parts((one) => one.focus.length), perHour, { goal: 1, better: 'lower' }, 'pool', seen),
    ...rows('false-alarms-per-group-hour-watch-next', parts((one) => one.watch), perHour, { goal: 4, better: 'lower' }, 'pool', seen)
  ]
  const all: Episode[] = []
  for (const { kind, label, goal, seconds } of kinds) {
    const episodes = watched.filter(({ session }) => session.kind === kind).flatMap(episodesOf)
    if (episodes.length === 0) continue
    all.push(...episodes)
    found.push(...rows(`episodes-found-percent-${label}`, episodes, share, { goal, better: 'higher' }, 'pool', seen))
    found.push(...rows(`median-time-to-focus-now-seconds-${label}`, episodes, delay, { goal: seconds, better: 'lower' }, 'pool', seen))
  }
  if (all.length > 0) found.push(...rows('top-driver-names-the-true-cause-percent', all, right, { goal: 85, better: 'higher' }, 'pool', seen))
  return found
}

const kinds = [
  { kind: 'offreal', label: 'off-task', goal: 97, seconds: 45 },
  { kind: 'social', label: 'social', goal: 99, seconds: 30 },
  { kind: 'confusion', label: 'confusion', goal: 60, seconds: null },
  { kind: 'dominance', label: 'dominance', goal: 50, seconds: null },
  { kind: 'stall', label: 'stall', goal: 60, seconds: null }
] as const

/** An episode is found by a call that comes while it lasts; a call from before is a false alarm, not a find. */
function episodesOf ({ session, focus }: Watched): Episode[] {
  return session.episodes.map(([from, to]) => {
    const call = focus.find(({ at }) => at >= from && at <= to)
    return { source: session.source, n: 1, delay: call ? (call.at - from) / 1000 : null, right: call?.because === session.kind }
  })
}

const share = (of: readonly Episode[]): number | null => of.length === 0 ? null : 100 * of.filter((one) => one.delay !== null).length / of.length
const delay = (of: readonly Episode[]): number | null => median(of.map((one) => one.delay).filter((one) => one !== null))
const right = (of: readonly Episode[]): number | null => {
  const hit = of.filter((one) => one.delay !== null)
  return hit.length === 0 ? null : 100 * hit.filter((one) => one.right).length / hit.length
}
