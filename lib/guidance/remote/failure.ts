/**
 * Why there is no answer. Messages are fixed sentences: nothing that was said, sent or configured can be in one, so a
 * failure may be logged by whoever meets it.
 */
const sentences = {
  ANALYZER_BUSY: 'Too many windows wait for the endpoint.',
  ANALYZER_OPEN: 'The endpoint failed too often lately and is not asked for a while.',
  ANALYZER_ABORTED: 'Nobody waits for the answer any more.',
  ANALYZER_TIMEOUT: 'The endpoint did not answer in time.',
  ANALYZER_NETWORK: 'The endpoint could not be reached, or the connection broke.',
  ANALYZER_REDIRECT: 'The endpoint points elsewhere; the talk is sent nowhere but to the address that was configured.',
  ANALYZER_STATUS: 'The endpoint refused the request.',
  ANALYZER_TYPE: 'The answer is not declared as JSON.',
  ANALYZER_SIZE: 'The answer is larger than allowed.',
  ANALYZER_JSON: 'The answer is not JSON.',
  ANALYZER_SHAPE: 'The answer does not fit the schema.'
} as const

export class RemoteFailure extends Error {
  override readonly name = 'RemoteFailure'
  /** One of the above, with the HTTP status or the system's error code behind it where there is one. */
  readonly code: string
  /** How long the endpoint asked to be left alone. */
  readonly retryAfterMs: number | undefined

  constructor (code: keyof typeof sentences, { detail, retryAfterMs }: { detail?: string, retryAfterMs?: number } = {}) {
    super(sentences[code])
    this.code = detail !== undefined && /^[A-Z0-9_]{1,24}$/.test(detail) ? `${code}_${detail}` : code
    this.retryAfterMs = retryAfterMs
  }
}
