import { within } from './deadline.ts'
import { ClasswavesError } from './errors.ts'

/** No call holds its caller longer than this. */
const deadlineMs = 1000

/** Redis' answers that mean "not now" rather than "never so". */
const passing = /^(LOADING|BUSY|OOM|READONLY|MASTERDOWN|CLUSTERDOWN|TRYAGAIN|NOREPLICAS|MISCONF|UNBLOCKED)\b/

/**
 * Does `work` with the client that there is now, or rejects with `UNAVAILABLE`: at once when the client is not
 * connected, since its queue would hold the call until long after the caller has gone; else after the deadline.
 */
export async function reach<C extends { readonly status: string }, T> (clientOf: () => C, work: (client: C) => Promise<T>): Promise<T> {
  const client = clientOf()
  if (client.status !== 'ready') throw unavailable(`Redis is ${client.status}`)
  const answer = work(client).catch((error: unknown) => { throw isPassing(error) ? unavailable(error) : error })
  return await within(deadlineMs, answer, () => { throw unavailable(`Redis did not answer in ${deadlineMs} ms`) })
}

function unavailable (cause: unknown): ClasswavesError {
  return Object.assign(new ClasswavesError('UNAVAILABLE'), { cause })
}

/** A lost connection or a Redis that recovers, not a fault of ours: those keep their own stack. */
function isPassing (error: unknown): boolean {
  if (!(error instanceof Error) || error instanceof ClasswavesError || error instanceof TypeError || error instanceof SyntaxError) return false
  return error.name !== 'ReplyError' || passing.test(error.message)
}
