import type { GroupContext } from '../analyzer.ts'
import type { Driver } from '../schema.ts'
import type { Quote } from './evidence.ts'
import type { Features } from './features.ts'
import { balance, dominant } from './floor.ts'
import type { Channel, Signal } from './signals.ts'

/** Why, in the talk's own words and in one plain sentence. */

const fresh = 240_000
const channelOf: Record<Signal, Channel> = { offreal: 'topic', social: 'topic', confusion: 'confusion', dominance: 'floor', stall: 'pace' }

export function evidenceOf (signal: Signal, features: Features): Quote[] {
  const channel = channelOf[signal]
  if (channel === 'topic' || channel === 'confusion') return features.quotes[channel].filter((one) => features.now - one.at < fresh)
  if (channel === 'pace') return features.quotes.tail
  const who = dominant(features.floor)?.id
  return features.quotes.tail.filter((one) => one.words[0] === who)
}

export function sentenceOf (top: Driver | undefined, features: Features, context: GroupContext): string {
  if (features.turns === 0) return 'Nothing was said yet.'
  if (!top || top.contribution < 20) return 'The talk looks on track.'
  const signal = top.signal as Signal
  const since = duration(features.now - features.since[channelOf[signal]])
  const quotes = evidenceOf(signal, features)
  const said = quotes.at(-1)?.text
  const heard = said ? `, for example “${said}”` : ''
  switch (signal) {
    case 'offreal': return `For ${since} the talk has drifted from the task to other things${heard}.`
    case 'social': return `For ${since} the talk has been social chat rather than the task${heard}.`
    case 'confusion': return `For ${since} the group has been asking for help or saying that they do not understand${heard}.`
    case 'stall': return `The talk has nearly dried up for ${since}; the last words were “${said ?? ''}”.`
    case 'dominance': {
      const { maxShare } = balance(features.floor, context.members.length)
      return `For ${since} one member has held the floor with ${Math.round(maxShare * 100)} % of the words.`
    }
  }
}

function duration (ms: number): string {
  const seconds = Math.max(5, Math.round(ms / 5000) * 5)
  return seconds < 90 ? `${seconds} seconds` : `${Math.round(seconds / 60)} minutes`
}
