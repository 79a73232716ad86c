import { RemoteFailure } from './failure.ts'

export interface Endpoint {
  url: URL
  headers: Record<string, string>
  /** Of the answer, in bytes. */
  maxAnswerBytes: number
  timeoutMs: number
}

/**
 * One exchange: JSON there, JSON back. Never asked again, never led elsewhere, over at the time-out at the latest, also
 * when the answer drips in byte by byte.
 * @throws RemoteFailure
 */
export async function post (endpoint: Endpoint, body: unknown, signal: AbortSignal): Promise<unknown> {
  const own = new AbortController()
  const late = AbortSignal.timeout(endpoint.timeoutMs)
  try {
    const response = await fetch(endpoint.url, {
      method: 'POST',
      headers: { ...endpoint.headers, 'content-type': 'application/json', accept: 'application/json' },
      body: JSON.stringify(body),
      redirect: 'manual',
      signal: AbortSignal.any([own.signal, late, signal])
    })
    refuse(response)
    return parse(await read(response, endpoint.maxAnswerBytes))
  } catch (error) {
    if (error instanceof RemoteFailure) throw error
    if (late.aborted || signal.aborted) throw new RemoteFailure('ANALYZER_TIMEOUT')
    throw new RemoteFailure('ANALYZER_NETWORK', systemCode(error))
  } finally {
    // An answer that was not read to its end would hold its connection.
    own.abort()
  }
}

function refuse ({ status, headers }: Response): void {
  if (status >= 300 && status < 400) throw new RemoteFailure('ANALYZER_REDIRECT')
  if (status < 200 || status >= 300) throw new RemoteFailure('ANALYZER_STATUS', { detail: String(status), ...retryAfter(status, headers.get('retry-after')) })
  if (!/^application\/(?:[\w.-]+\+)?json\s*(?:;|$)/i.test(headers.get('content-type') ?? '')) throw new RemoteFailure('ANALYZER_TYPE')
}

/** Seconds or a date (RFC 9110, 10.2.3). A 429 that does not say how long gets half a minute. */
function retryAfter (status: number, value: string | null): { retryAfterMs?: number } {
  if (status !== 429 && status !== 503) return {}
  const ms = value === null ? NaN : /^\s*\d{1,9}\s*$/.test(value) ? Number(value) * 1000 : Date.parse(value) - Date.now()
  if (Number.isFinite(ms)) return { retryAfterMs: Math.max(0, ms) }
  return status === 429 ? { retryAfterMs: 30_000 } : {}
}

async function read ({ body, headers }: Response, limit: number): Promise<string> {
  if (Number(headers.get('content-length')) > limit) throw new RemoteFailure('ANALYZER_SIZE')
  if (!body) throw new RemoteFailure('ANALYZER_JSON')
  const chunks: Uint8Array[] = []
  let size = 0
  for await (const chunk of body as AsyncIterable<Uint8Array>) {
    size += chunk.byteLength
    if (size > limit) throw new RemoteFailure('ANALYZER_SIZE')
    chunks.push(chunk)
  }
  return Buffer.concat(chunks).toString('utf8')
}

function parse (text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    // The parser's own error quotes the text.
    throw new RemoteFailure('ANALYZER_JSON')
  }
}

/** Such as ECONNREFUSED; the rest of a network error names addresses, or headers and what is in them. */
function systemCode (error: unknown): { detail?: string } {
  const { cause } = error as { cause?: { code?: unknown } }
  return typeof cause?.code === 'string' ? { detail: cause.code } : {}
}
