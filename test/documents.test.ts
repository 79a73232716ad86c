import { Parser } from '@asyncapi/parser'
import { Validator } from '@seriousme/openapi-schema-validator'
import Fastify, { type FastifyInstance } from 'fastify'
import t, { type Test } from 'tap'
import classwaves from '../index.ts'
import { wayOfTests } from './app.ts'

/** The two documents as a running server gives them. */

interface OpenApi {
  paths: Record<string, Record<string, { operationId?: string, summary?: string, tags?: string[], security?: object[], responses: Record<string, object> }>>
}

/** A server in memory, and every route that registering the package brought, as OpenAPI writes it. */
async function serve (t: Test): Promise<{ app: FastifyInstance, routes: string[] }> {
  const app = Fastify()
  t.teardown(() => app.close())
  const routes: string[] = []
  app.addHook('onRoute', ({ method, url }) => {
    for (const one of [method].flat()) if (one !== 'HEAD') routes.push(`${one} ${url.replace(/:(\w+)/g, '{$1}')}`)
  })
  await app.register(classwaves, { jwt: { secret: 'a secret of thirty-two characters' }, redis: false, ...wayOfTests })
  await app.ready()
  return { app, routes }
}

async function read<T> (app: FastifyInstance, url: string): Promise<T> {
  const { statusCode, body } = await app.inject({ url })
  if (statusCode !== 200) throw new Error(`${url} answered ${statusCode}: ${body}`)
  return JSON.parse(body) as T
}

t.test('/openapi.json is valid and has every route', async t => {
  const { app, routes } = await serve(t)
  const document = await read<OpenApi>(app, '/openapi.json')
  const { valid, errors } = await new Validator().validate(structuredClone(document) as unknown as Record<string, unknown>)
  t.ok(valid, 'a valid OpenAPI document', { errors })

  const operations = Object.entries(document.paths)
    .flatMap(([path, methods]) => Object.entries(methods).map(([method, operation]) => ({ name: `${method.toUpperCase()} ${path}`, ...operation })))
  t.same(operations.map(one => one.name).sort(), routes.sort())
  for (const { name, operationId, summary, tags, responses } of operations) {
    t.ok(operationId && summary?.endsWith('.') && tags?.length, `${name} has a name, a sentence and a tag`)
    t.ok(Object.keys(responses).some(status => /^2\d\d$/.test(status)), `${name} says what success looks like`)
  }
  const ids = operations.map(one => one.operationId)
  t.same(ids, [...new Set(ids)], 'each name once')
})

t.test('the promised routes are there, and only these need no token', async t => {
  const { app } = await serve(t)
  const { paths } = await read<OpenApi>(app, '/openapi.json')
  const open = Object.entries(paths).flatMap(([path, methods]) => Object.entries(methods)
    .filter(([, { security }]) => security?.length === 0).map(([method]) => `${method} ${path}`)).sort()
  t.same(open, ['get /asyncapi.json', 'get /health', 'get /openapi.json', 'get /ready', 'post /api/v1/sessions/join'])
  const promised = {
    '/api/v1/sessions': ['get', 'post'],
    '/api/v1/sessions/{sessionId}': ['get'],
    '/api/v1/sessions/{sessionId}/groups': ['put'],
    '/api/v1/sessions/{sessionId}/start': ['post'],
    '/api/v1/sessions/{sessionId}/pause': ['post'],
    '/api/v1/sessions/{sessionId}/resume': ['post'],
    '/api/v1/sessions/{sessionId}/end': ['post'],
    '/api/v1/sessions/join': ['post'],
    '/api/v1/sessions/{sessionId}/groups/status': ['get'],
    '/api/v1/sessions/{sessionId}/transcripts': ['get', 'post'],
    '/api/v1/sessions/{sessionId}/guidance': ['get'],
    '/api/v1/sessions/{sessionId}/emit': ['post'],
    '/health': ['get'],
    '/ready': ['get'],
    '/metrics': ['get']
  }
  for (const [path, methods] of Object.entries(promised)) t.same(Object.keys(paths[path] ?? {}).sort(), methods, path)
})

t.test('/asyncapi.json is valid and has the namespaces that are served', async t => {
  const { app } = await serve(t)
  const { document, diagnostics } = await new Parser().parse(JSON.stringify(await read(app, '/asyncapi.json')))
  t.same(diagnostics.filter(one => one.severity === 0).map(one => `${one.path.join('.')}: ${one.message}`), [], 'valid AsyncAPI')
  t.same(document?.allChannels().all().map(channel => channel.address()).sort(), ['/', '/guidance', '/sessions'])
})
