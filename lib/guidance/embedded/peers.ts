import type { Features } from './features.ts'
import { round } from './numbers.ts'

/** What one group tells the others of its session: how much it talks. */
export interface Peer { rate: number, seconds: number }

/** The session's other groups, for a group too young to have a usual pace of its own. */
export interface Peers { rate: number, groups: number }

export function peerOf (features: Features, at: number): Peer {
  const seconds = Math.max(0, at - features.first) / 1000
  return { rate: round(features.pace.words / Math.max(seconds, 1)), seconds: round(seconds) }
}

/** The median rate of groups that have talked for a minute; none, when there is none. */
export function peersOf (others: readonly Peer[]): Peers | undefined {
  const rates = others.filter((one) => one.seconds >= 60 && one.rate > 0).map((one) => one.rate).sort((a, b) => a - b)
  const middle = rates[Math.floor(rates.length / 2)]
  return middle === undefined ? undefined : { rate: middle, groups: rates.length }
}
