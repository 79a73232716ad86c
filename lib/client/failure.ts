import type { ErrorCode } from '../core/errors.ts'

/** Besides the codes of the server: the queue is full, the time to live is over, nobody is connected, the client was closed. */
export type ClientCode = ErrorCode | 'QUEUE_FULL' | 'TOO_LATE' | 'NOT_CONNECTED' | 'CLOSED'

/** Why an event was not accepted. */
export class ClientError extends Error {
  override readonly name = 'ClientError'
  readonly code: ClientCode
  readonly details: Record<string, unknown>

  constructor (code: ClientCode, message: string, details: Record<string, unknown> = {}) {
    super(message)
    this.code = code
    this.details = details
  }
}

/** Failures that pass; how long to wait before the same is said again (ms). Undefined: the answer will not change. */
export function retryAfter (thrown: unknown, attempt: number): number | undefined {
  const error = thrown instanceof ClientError ? thrown : undefined
  if (error && !['RATE_LIMITED', 'UNAVAILABLE', 'INTERNAL'].includes(error.code)) return undefined
  const asked = error?.details.retryAfterMs
  return Math.max(typeof asked === 'number' ? asked : 0, Math.min(5_000, 100 * 2 ** Math.min(attempt, 6)))
}
