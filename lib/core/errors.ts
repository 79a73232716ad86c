/**
 * Every error that a user of the package can meet, in one table: the same code travels in a REST body,
 * in `connect_error.data`, in an acknowledgement and in an `error` event.
 */
export const errorTable = {
  AUTH_FAILED: { status: 401, message: 'The token is missing or not valid: it needs sub, role and exp, and a type must be access.' },
  AUTH_EXPIRED: { status: 401, message: 'The token has expired.' },
  FORBIDDEN: { status: 403, message: 'Your role may not do this.' },
  NOT_IN_SESSION: { status: 403, message: 'Join the session first.' },
  SESSION_NOT_FOUND: { status: 404, message: 'There is no such session.' },
  GROUP_NOT_FOUND: { status: 404, message: 'There is no such group in this session.' },
  PROMPT_NOT_FOUND: { status: 404, message: 'There is no such prompt.' },
  MESSAGE_NOT_FOUND: { status: 404, message: 'There is no such message.' },
  INVALID_PAYLOAD: { status: 400, message: 'The payload does not have the declared shape.' },
  INVALID_TRANSITION: { status: 409, message: 'The session cannot go from its present status to the requested one.' },
  GROUPS_NOT_READY: { status: 409, message: 'Not every group is ready.' },
  UNSUPPORTED_OPERATION: { status: 400, message: 'This operation does not exist here.' },
  PAYLOAD_TOO_LARGE: { status: 413, message: 'The payload is too large.' },
  RATE_LIMITED: { status: 429, message: 'Too many requests; wait before you try again.' },
  IDEMPOTENCY_MISMATCH: { status: 422, message: 'This Idempotency-Key was used before with another request body.' },
  UNAVAILABLE: { status: 503, message: 'The store cannot be reached at the moment; try again.' },
  INTERNAL: { status: 500, message: 'Something failed on our side.' },
  SESSION_PAUSED: { status: 409, message: 'The session is paused.' },
  SESSION_ENDING: { status: 409, message: 'The session is ending.' },
  SESSION_NOT_ACTIVE: { status: 409, message: 'The session is not active.' },
  BACKPRESSURE_HINT: { status: 429, message: 'Audio arrives faster than it can be taken; slow down.' },
  SLOW_CONSUMER: { status: 503, message: 'This connection reads too slowly; reconnect and resume.' }
} as const satisfies Record<string, { status: number, message: string }>

export type ErrorCode = keyof typeof errorTable

export const errorCodes = Object.keys(errorTable) as ErrorCode[]

/** What travels to a client: never a stack, a path or another user's id. */
export interface WireError {
  code: ErrorCode
  message: string
  details?: Record<string, unknown>
}

/** An error that its caller may read. Anything else that is thrown reaches callers as `INTERNAL`. */
export class ClasswavesError extends Error {
  readonly code: ErrorCode
  readonly statusCode: number
  readonly details?: Record<string, unknown>

  constructor (code: ErrorCode, message?: string, details?: Record<string, unknown>) {
    super(message ?? errorTable[code].message)
    this.name = 'ClasswavesError'
    this.code = code
    this.statusCode = errorTable[code].status
    if (details !== undefined) this.details = details
  }

  toWire (): WireError {
    return { code: this.code, message: this.message, ...(this.details && { details: this.details }) }
  }
}

/** The wire form of whatever was thrown; unknown errors are hidden behind `INTERNAL`. */
export function toWireError (thrown: unknown): WireError {
  if (thrown instanceof ClasswavesError) return thrown.toWire()
  return { code: 'INTERNAL', message: errorTable.INTERNAL.message }
}
