import type { FastifyInstance } from 'fastify'

/** A page or a part of one, as it is sent. */
export interface PageFile { body: Buffer, type: string, tag: string }

export interface PagesSettings { prefix: string, socketPath: string, microphone: boolean, classroom: boolean }

/** Nothing from elsewhere, nothing inline, no markup made of texts, in nobody's frame. */
const policy = [
  "default-src 'none'", "script-src 'self'", "style-src 'self'", "img-src 'self'", "connect-src 'self'", "base-uri 'none'", "form-action 'none'",
  "frame-ancestors 'none'", "require-trusted-types-for 'script'", "trusted-types 'none'"
].join('; ')

/** The teacher's page, the pupil's page and their parts. They are read at boot, so a name in a URL never meets the disk. */
export function pagesRoutes (scope: FastifyInstance, files: ReadonlyMap<string, PageFile>, settings: PagesSettings): void {
  scope.addHook('onSend', async (_request, reply) => {
    reply.headers({
      'content-security-policy': policy,
      'x-content-type-options': 'nosniff',
      'referrer-policy': 'no-referrer',
      'cross-origin-opener-policy': 'same-origin',
      'permissions-policy': 'microphone=(self), camera=(), geolocation=()',
      // Asked for each time, sent when it is another: a page and its parts are of one version.
      'cache-control': 'no-cache'
    })
  })

  const serve = (url: string, { body, type, tag }: PageFile): void => {
    scope.get(url, async (request, reply) => {
      reply.header('etag', tag).type(type)
      return await (request.headers['if-none-match'] === tag ? reply.code(304).send() : reply.send(body))
    })
  }
  const pages: [file: string, urls: string[]][] = [['teacher.html', ['/teach']], ['pupil.html', ['/join', '/join/:code']]]
  for (const [file, urls] of pages) for (const url of urls) serve(url, files.get(file) as PageFile)
  for (const [name, file] of files) if (!name.endsWith('.html')) serve(`/classwaves/${name}`, file)
  scope.get('/classwaves/settings.json', async () => settings)
}
