import { setTimeout as sleep } from 'node:timers/promises'
import { Complaint } from './talk.ts'

/** The REST side of a replay, as a worker would write it: it waits when told to, and comes back when a server is short of breath. */
export interface Rest {
  post<T> (path: string, body?: unknown): Promise<T>
  get<T> (path: string): Promise<T>
}

const attempts = 6
const longestWaitMs = 30_000

export function createRest (url: string, token: string): Rest {
  const call = async <T>(method: string, path: string, body?: unknown): Promise<T> => {
    for (let attempt = 1; ; attempt++) {
      const response = await fetch(new URL(`/api/v1${path}`, url), {
        method,
        headers: { authorization: `Bearer ${token}`, ...(body !== undefined && { 'content-type': 'application/json' }) },
        ...(body !== undefined && { body: JSON.stringify(body) })
      }).catch((error: unknown) => { throw unreachable(url, reason(error)) })
      const answer = await read(response, `${method} ${path}`)
      if (response.ok) return answer as T
      const { code = 'unknown', message = '', details } = answer as { code?: string, message?: string, details?: { retryAfterMs?: number } }
      if (attempt === attempts || (response.status !== 429 && response.status !== 503)) {
        throw new Complaint(`${method} ${path} was refused: ${response.status} ${code}: ${message}`)
      }
      await sleep(Math.min(details?.retryAfterMs ?? 200 * 2 ** attempt, longestWaitMs))
    }
  }
  return { post: (path, body) => call('POST', path, body), get: path => call('GET', path) }
}

export function unreachable (url: string, why: string): Complaint {
  return new Complaint(`No server answers at ${url} (${why}); \`npm start\` starts one.`)
}

async function read (response: Response, what: string): Promise<unknown> {
  const text = await response.text()
  try {
    return text === '' ? {} : JSON.parse(text)
  } catch {
    throw new Complaint(`${what} was answered with something else than JSON (status ${response.status}): is this a classwaves server?`)
  }
}

/** fetch hides why it failed in the cause. */
function reason (error: unknown): string {
  if (!(error instanceof Error)) return String(error)
  const { cause } = error
  return cause instanceof Error ? (cause as NodeJS.ErrnoException).code ?? cause.message : error.message
}
