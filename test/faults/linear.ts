/**
 * Is a history of concurrent calls linearizable: is there an order of the calls, each at some moment between its begin
 * and its end, in which a plain model would give every answer that was given? The search is that of Wing and Gong, with
 * the memory of Lowe: a set of calls done and the state they led to is looked at once.
 *
 * J. M. Wing, C. Gong: Testing and verifying concurrent objects (1993); G. Lowe: Testing for linearizability (2017).
 */

export interface Call<C, A> {
  command: C
  /** What was answered; undefined when nobody knows: it happened once, at any time after its begin, or never. */
  answer: A | undefined
  began: number
  ended: number
  /** The number of another call that must have happened first, for a request that does two things. */
  after?: number
}

export interface Model<S, C, A> {
  begin: S
  /** The state after the command if it may give this answer (or any, when none is known), else undefined. */
  step (state: S, command: C, answer: A | undefined): S | undefined
  /** Equal states have equal keys. */
  key (state: S): string
}

/** A bound on the search (steps); a history that needs more is too long for a test. */
const patience = 2_000_000

/** The calls in an order that explains the history, or undefined when there is none. */
export function linearize<S, C, A> (model: Model<S, C, A>, history: readonly Call<C, A>[]): readonly Call<C, A>[] | undefined {
  const seen = new Set<string>()
  let steps = 0

  function search (state: S, done: ReadonlySet<number>, order: readonly number[]): readonly number[] | undefined {
    const open = history.flatMap((_, index) => done.has(index) ? [] : [index])
    // Calls that were never answered need not have happened.
    if (open.every(index => history[index]?.answer === undefined)) return order
    const position = `${[...done].sort((a, b) => a - b).join()} ${model.key(state)}`
    if (seen.has(position)) return undefined
    seen.add(position)
    if (++steps > patience) throw new Error('the history is too long to be judged')

    // Nothing may come before a call that had ended when it began.
    const firstEnd = Math.min(...open.map(index => endOf(history[index] as Call<C, A>)))
    for (const index of open) {
      const call = history[index] as Call<C, A>
      if (call.began > firstEnd || (call.after !== undefined && !done.has(call.after))) continue
      if (call.answer === undefined && open.some(other => standsFor(other, index, done))) continue
      const next = model.step(state, call.command, call.answer)
      if (next === undefined) continue
      // Nobody knows of it and it changes nothing: as well it never happened.
      if (call.answer === undefined && model.key(next) === model.key(state)) continue
      const found = search(next, new Set([...done, index]), [...order, index])
      if (found) return found
    }
    return undefined
  }

  /** Of calls alike without an answer the earliest may do whatever a later one may, so only that is tried. */
  function standsFor (earlier: number, later: number, done: ReadonlySet<number>): boolean {
    const [one, other] = [history[earlier], history[later]] as [Call<C, A>, Call<C, A>]
    if (one.answer !== undefined || one.command !== other.command || (one.after !== undefined && !done.has(one.after))) return false
    return one.began < other.began || (one.began === other.began && earlier < later)
  }

  return search(model.begin, new Set(), [])?.map(index => history[index] as Call<C, A>)
}

function endOf ({ answer, ended }: Call<unknown, unknown>): number { return answer === undefined ? Infinity : ended }
