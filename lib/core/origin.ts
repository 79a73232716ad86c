import type { IncomingMessage } from 'node:http'

/**
 * May a page of this origin connect? Browsers send `Origin` with every upgrade and CORS does not cover WebSockets, so
 * it is looked at here: the page's host must be the server's, or be listed. Programs that are no browsers send none.
 */
export function originAllowed ({ headers }: IncomingMessage, listed: readonly string[]): boolean {
  const { origin, host } = headers
  if (origin === undefined) return true
  if (listed.includes(origin)) return true
  try {
    const { protocol, host: page } = new URL(origin)
    return (protocol === 'http:' || protocol === 'https:') && page === host?.toLowerCase()
  } catch {
    return false // `null` and what is no URL
  }
}
