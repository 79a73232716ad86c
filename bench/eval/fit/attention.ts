import { statisticsAt } from '../../../lib/guidance/embedded/assess.ts'
import type { Weights } from '../../../lib/guidance/embedded/model.ts'
import { channels, type Channel } from '../../../lib/guidance/embedded/signals.ts'
import type { Session } from '../data.ts'
import { hours, replay } from '../replay.ts'

/**
 * What a statistic is worth. On talk into which nothing was put, each channel may alarm so often an hour: together less
 * than once at 70 and less than four times at 40, with a margin, because other classes are never quite like these.
 */
const share: Record<Channel, number> = { topic: 0.24, confusion: 0.03, floor: 0.08, pace: 0.03 }

/**
 * 40 points stand near 70: what adds up runs through the rest within a turn or two, so a lower step would call more often
 * without a cause, four times an hour and more where talk is lively, and hardly earlier.
 */
const watch = 0.92

/** How much each kind of talk has to say on a channel's rate; meetings have no true clock. */
const voice: Record<string, Record<Channel, number>> = {
  justhink: { topic: 0.35, confusion: 0.35, floor: 0.45, pace: 0.5 },
  delidata: { topic: 0.35, confusion: 0.35, floor: 0.45, pace: 0.5 },
  ami: { topic: 0.3, confusion: 0.3, floor: 0.1, pace: 0 }
}

export function fitAttention (control: readonly Session[], of: (group: string, text: string) => Weights): Weights['attention'] {
  const series = control.map((session) => {
    const ticks: Record<Channel, number[]> = { topic: [], confusion: [], floor: [], pace: [] }
    replay(session, (text) => of(session.group, text), (features, at) => {
      const sums = statisticsAt(features, at, of(session.group, ''))
      for (const channel of channels) ticks[channel].push(sums[channel])
    })
    return { source: session.source, ticks }
  })
  const length = new Map<string, number>()
  for (const source of Object.keys(voice)) length.set(source, hours(control.filter((one) => one.source === source)))
  const rate = (channel: Channel, level: number): number => {
    let sum = 0; let voices = 0
    for (const [source, weights] of Object.entries(voice)) {
      const time = length.get(source) ?? 0
      if (time === 0 || weights[channel] === 0) continue
      const alarms = series.reduce((count, one) => one.source === source ? count + crossings(one.ticks[channel], level) : count, 0)
      sum += weights[channel] * alarms / time
      voices += weights[channel]
    }
    return voices === 0 ? 0 : sum / voices
  }
  const levelFor = (channel: Channel, target: number): number => {
    let low = 0; let high = 150
    for (let i = 0; i < 24; i++) {
      const middle = (low + high) / 2
      if (rate(channel, middle) > target) low = middle
      else high = middle
    }
    return high
  }
  const caps = capsOf(of('', ''))
  return Object.fromEntries(channels.map((channel) => {
    const at70 = levelFor(channel, share[channel])
    return [channel, [round(watch * at70), round(at70), round(Math.max(caps[channel], 1.5 * at70))]]
  })) as unknown as Weights['attention']
}

/** A statistic at its cap is worth 100. */
function capsOf (weights: Weights): Record<Channel, number> {
  return { topic: weights.topic.cap, confusion: weights.confusion.cap, floor: weights.floor.cap, pace: weights.pace.cap }
}

function crossings (ticks: readonly number[], level: number): number {
  let on = false; let count = 0
  for (const value of ticks) {
    if (!on && value >= level) { on = true; count++ } else if (on && value < 0.75 * level) on = false
  }
  return count
}

const round = (x: number): number => Math.round(x * 100) / 100
