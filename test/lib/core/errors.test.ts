import t from 'tap'
import { ClasswavesError, errorCodes, errorTable, toWireError, type ErrorCode } from '../../../lib/core/errors.ts'

/** Written by hand: what clients were promised. */
const promised: Record<ErrorCode, number> = {
  AUTH_FAILED: 401,
  AUTH_EXPIRED: 401,
  FORBIDDEN: 403,
  NOT_IN_SESSION: 403,
  SESSION_NOT_FOUND: 404,
  GROUP_NOT_FOUND: 404,
  PROMPT_NOT_FOUND: 404,
  MESSAGE_NOT_FOUND: 404,
  INVALID_PAYLOAD: 400,
  INVALID_TRANSITION: 409,
  GROUPS_NOT_READY: 409,
  UNSUPPORTED_OPERATION: 400,
  PAYLOAD_TOO_LARGE: 413,
  RATE_LIMITED: 429,
  IDEMPOTENCY_MISMATCH: 422,
  UNAVAILABLE: 503,
  INTERNAL: 500,
  SESSION_PAUSED: 409,
  SESSION_ENDING: 409,
  SESSION_NOT_ACTIVE: 409,
  BACKPRESSURE_HINT: 429,
  SLOW_CONSUMER: 503
}

t.test('each code has the status that was promised, and a sentence', async t => {
  t.same(Object.fromEntries(errorCodes.map(code => [code, errorTable[code].status])), promised)
  for (const code of errorCodes) t.match(errorTable[code].message, /^[A-Z].*\.$/, code)
})

t.test('an error takes status and sentence from the table, unless it says its own', async t => {
  const plain = new ClasswavesError('SESSION_NOT_FOUND')
  t.ok(plain instanceof Error)
  t.match(plain, { name: 'ClasswavesError', code: 'SESSION_NOT_FOUND', statusCode: 404, message: errorTable.SESSION_NOT_FOUND.message })
  const own = new ClasswavesError('INVALID_TRANSITION', 'It has ended.', { from: 'ended', to: 'active' })
  t.match(own, { statusCode: 409, message: 'It has ended.', details: { from: 'ended', to: 'active' } })
})

t.test('only code, message and details travel', async t => {
  t.same(new ClasswavesError('FORBIDDEN').toWire(), { code: 'FORBIDDEN', message: errorTable.FORBIDDEN.message })
  t.same(toWireError(new ClasswavesError('RATE_LIMITED', 'Wait.', { retryAfterMs: 5 })), {
    code: 'RATE_LIMITED', message: 'Wait.', details: { retryAfterMs: 5 }
  })
})

t.test('whatever else is thrown tells nothing of itself', async t => {
  const hidden = { code: 'INTERNAL', message: errorTable.INTERNAL.message }
  const lookalike = Object.assign(new Error('at /srv/secret.ts'), { code: 'FORBIDDEN', toWire: () => ({ code: 'FORBIDDEN' }) })
  for (const thrown of [new Error('password=1'), lookalike, 'text', null, undefined, { code: 'AUTH_FAILED' }]) t.same(toWireError(thrown), hidden)
})
