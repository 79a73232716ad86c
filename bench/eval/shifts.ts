import { announced, detect, shiftStart, snapshotOf } from '../../lib/guidance/embedded/shift.ts'
import { tier2 } from '../../lib/guidance/embedded/tier2.ts'
import type { Chosen } from './chosen.ts'
import type { Data, Session } from './data.ts'
import { rows, type Measure, type Part } from './measure.ts'
import { hours, replay } from './replay.ts'
import { groupKey } from './seen.ts'

/** How often tier2 tells of a shift where nothing was put in: every 3 minutes a reading, at most one shift in 10 minutes a group. */
interface Reading extends Part { hours: number, shifts: number }

const everyMs = 180_000
const throttleMs = 600_000

function shiftsOf (session: Session, chosen: Chosen): number {
  let state = shiftStart(); let count = 0; let next: number | null = null; let told = -Infinity
  replay(session, (text) => chosen.turn(session.group, text), (features, at) => {
    next ??= at + everyMs
    if (at < next) return
    next += everyMs
    const found = detect(state, snapshotOf(tier2(features, at, session.context)), at)
    state = found.state
    if (found.shifts.length === 0 || at - told < throttleMs) return
    told = at
    count += found.shifts.length
    state = announced(state, found.shifts.map((one) => one.metric))
  })
  return count
}

export function shiftMeasures (data: Data, chosen: Chosen): Measure[] {
  const control = [...data.groups, ...data.meetings, ...(data.groups.length === 0 ? data.scenarios.filter((one) => one.kind === 'none') : [])]
  if (control.length === 0) return []
  const parts = control.map((session): Reading => ({ source: session.source, n: 1, hours: hours([session]), shifts: shiftsOf(session, chosen) }))
  const perHour = (of: readonly Reading[]): number | null => {
    const time = of.reduce((sum, one) => sum + one.hours, 0)
    return time === 0 ? null : of.reduce((sum, one) => sum + one.shifts, 0) / time
  }
  return rows('false-tier2-shifts-per-group-hour', parts, perHour, { goal: 0.5, better: 'lower' }, 'pool', control.some((one) => chosen.tainted(groupKey(one.group))))
}
