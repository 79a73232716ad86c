import type { IncomingMessage } from 'node:http'
import { OptionsError } from './options.ts'

/**
 * May a page of this origin connect? Browsers send `Origin` with every upgrade and CORS does not cover WebSockets, so
 * it is looked at here: the page's host must be the server's, or its origin be listed. Programs that are no browsers send
 * none. Both sides are compared as browsers write them: lower case, punycode, no default port.
 *
 * @throws OptionsError for a listed origin that is none
 */
export function originRule (listed: readonly string[]): { origins: readonly string[], allows: (request: IncomingMessage) => boolean } {
  const origins = listed.map(one => {
    if (one === 'null') return one // pages opened from disk, when the host says so
    const url = URL.canParse(one) ? new URL(one) : undefined
    if (url === undefined || url.href !== `${url.origin}/`) throw new OptionsError(`fastify-classwaves: option origins has ${JSON.stringify(one)}, which is no origin such as https://school.example`)
    return url.origin
  })
  return {
    origins,
    allows ({ headers: { origin, host } }) {
      if (origin === undefined) return true
      if (origin === 'null') return origins.includes(origin)
      const page = URL.canParse(origin) ? new URL(origin) : undefined
      if (page?.protocol !== 'http:' && page?.protocol !== 'https:') return false // files, extensions
      const own = `${page.protocol}//${host}`
      return origins.includes(page.origin) || (URL.canParse(own) && new URL(own).host === page.host)
    }
  }
}
