import { round } from './numbers.ts'

/**
 * The words of a group's own talk. A turn is absorbed only some turns later and only if it was on the task, so that a
 * burst of something else cannot vouch for itself.
 */
export interface HistoryState {
  /** Stems of the group's own talk, oldest first, and how often. */
  history: Record<string, number>
  total: number
  /** Bytes that the history takes. */
  bytes: number
  /** Turns that wait to be absorbed, oldest first: stems with a blank between, and their heat. */
  waiting: [string, number][]
}

export const historyStart = (): HistoryState => ({ history: {}, total: 0, bytes: 0, waiting: [] })

/** Bytes of JSON that a history may take. */
const historyBytes = 3100
const waitingTurns = 12
const stemsPerTurn = 14
const waitingBytes = 76

/** How often a stem was said. "constructor" is a word too. */
export function timesIn (state: HistoryState, one: string): number {
  return Object.hasOwn(state.history, one) ? state.history[one] ?? 0 : 0
}

/** Adds a turn's stems to the waiting line and moves the oldest one into the history. */
export function absorb (state: HistoryState, content: readonly string[], heat: number): void {
  state.waiting.push([within(content.slice(0, stemsPerTurn), waitingBytes), round(heat)])
  if (state.waiting.length <= waitingTurns) return
  const [stems, heatThen] = state.waiting.shift()!
  // The filter knows more by now: what looked on task then may have been the start of a burst.
  const weight = 1 - Math.max(heatThen, Math.min(heat, 0.5))
  if (weight < 0.3 || stems === '') return
  for (const one of stems.split(' ')) {
    const times = timesIn(state, one)
    if (times === 0) state.bytes += room(one)
    state.history[one] = Math.min(times + 1, 99)
    state.total++
  }
  if (state.bytes > historyBytes) forget(state)
}

/** As many whole words as fit. */
function within (words: readonly string[], bytes: number): string {
  let line = ''
  for (const word of words) {
    if (Buffer.byteLength(line) + Buffer.byteLength(word) + 1 > bytes) break
    line += line === '' ? word : ` ${word}`
  }
  return line
}

/** Drops the rarest stems, the oldest first, until a fifth of the room is free: rarely, so that a turn stays cheap. */
function forget (state: HistoryState): void {
  for (let rare = 1; state.bytes > historyBytes * 0.8 && rare < 100; rare++) {
    for (const [one, times] of Object.entries(state.history)) {
      if (state.bytes <= historyBytes * 0.8) break
      if (times > rare) continue
      state.bytes -= room(one)
      state.total -= times
      delete state.history[one]
    }
  }
}

/** In JSON: quotes, colon, count, comma. */
function room (one: string): number {
  return Buffer.byteLength(one) + 6
}
