import { Validator } from '@seriousme/openapi-schema-validator'
import Fastify from 'fastify'
import t, { type Test } from 'tap'
import Type from 'typebox'
import { collectRoutes, openapi, type RouteDoc } from '../../../lib/core/openapi.ts'
import { Closed, Id, Nullable } from '../../../lib/core/schema.ts'

const info = { title: 'sample', version: '0.0.0', description: 'Some routes.' }

/** The parts of a document that these tests read. */
interface Document {
  security: object[]
  paths: Record<string, Record<string, Operation>>
  components: { schemas: { Error: object } }
}
interface Operation {
  operationId?: string
  deprecated?: boolean
  security?: object[]
  parameters?: { name: string, in: string, required: boolean, schema: object, description?: string }[]
  requestBody?: { required: boolean, content: Record<string, { schema: object }> }
  responses: Record<string, { $ref?: string, description?: string, content?: Record<string, { schema: object }> }>
}

async function documentOf (t: Test, routes: readonly RouteDoc[]): Promise<Document> {
  const text = JSON.stringify(openapi(routes, info))
  const { valid, errors } = await new Validator().validate(JSON.parse(text) as Record<string, unknown>)
  t.ok(valid, 'a valid OpenAPI document', { errors })
  return JSON.parse(text) as Document
}

const Thing = Type.Object({ thingId: Id, note: Nullable(Type.String()), kind: Type.Enum(['big', 'small']) })

/** A server with a route of each sort, of which the routes under /api are collected. */
async function sample (t: Test): Promise<RouteDoc[]> {
  const app = Fastify()
  t.teardown(() => app.close())
  app.get('/of-the-host', () => 'not ours')
  let routes: RouteDoc[] = []
  await app.register(async scope => {
    routes = collectRoutes(scope)
    scope.get('/things/:thingId/parts/:part', {
      schema: {
        summary: 'One part.',
        operationId: 'getPart',
        tags: ['things'],
        params: Type.Object({ thingId: Id, part: Type.String() }),
        querystring: Type.Object({ limit: Type.Integer({ default: 20, description: 'at most so many' }), after: Type.Optional(Id) }),
        headers: Type.Object({ 'if-none-match': Type.Optional(Type.String()) }),
        response: { 200: Thing }
      }
    }, () => ({}))
    scope.post('/things', {
      schema: { summary: 'A new thing.', operationId: 'postThing', body: Closed({ kind: Type.Enum(['big', 'small']) }), response: { 201: Thing } }
    }, () => ({}))
    scope.post('/things/:thingId/close', {
      schema: { operationId: 'closeThing', body: Nullable(Closed({ reason: Type.String() })), response: { 204: Type.Null() }, deprecated: true }
    }, () => null)
    scope.get('/health', {
      schema: { operationId: 'health', security: [], response: { 200: { description: 'How it is.', content: { 'text/plain': { schema: Type.String() } } } } }
    }, () => '')
    scope.get('/secret', { schema: { hide: true } }, () => '')
    scope.route({ method: ['PUT', 'PATCH'], url: '/both', schema: { security: [{ bearer: [] }] }, handler: () => '' })
    await scope.register(async child => { child.get('/plain', () => '') }, { prefix: '/deep' })
  }, { prefix: '/api' })
  await app.ready()
  return routes
}

t.test('collects the routes of its scope, children included, without HEAD', async t => {
  const routes = await sample(t)
  t.same(routes.map(({ method, url }) => `${method} ${url}`), [
    'GET /api/things/:thingId/parts/:part', 'POST /api/things', 'POST /api/things/:thingId/close', 'GET /api/health', 'GET /api/secret',
    'PUT /api/both', 'PATCH /api/both', 'GET /api/deep/plain'
  ])
})

t.test('parameters of path, query and header', async t => {
  const { paths } = await documentOf(t, await sample(t))
  const get = paths['/api/things/{thingId}/parts/{part}']?.get
  t.match(get, { operationId: 'getPart', summary: 'One part.', tags: ['things'] })
  t.same(get?.parameters?.map(({ name, in: where, required }) => [where, name, required]), [
    ['path', 'thingId', true], ['path', 'part', true], ['query', 'limit', false], ['query', 'after', false], ['header', 'if-none-match', false]
  ])
  t.match(get?.parameters?.[0], { schema: { type: 'string', maxLength: 64 } })
  t.match(get?.parameters?.[2], { description: 'at most so many', schema: { type: 'integer', default: 20 } })
})

t.test('mutations take an Idempotency-Key, reads do not', async t => {
  const { paths } = await documentOf(t, await sample(t))
  const keyed = Object.entries(paths).flatMap(([path, operations]) => Object.entries(operations)
    .filter(([, { parameters = [] }]) => JSON.stringify(parameters).includes('#/components/parameters/IdempotencyKey'))
    .map(([method]) => `${method} ${path}`))
  t.same(keyed, ['post /api/things', 'post /api/things/{thingId}/close', 'put /api/both', 'patch /api/both'])
})

t.test('bodies and answers', async t => {
  const { paths } = await documentOf(t, await sample(t))
  const post = paths['/api/things']?.post
  t.match(post?.requestBody, { required: true, content: { 'application/json': { schema: { required: ['kind'], additionalProperties: false } } } })
  t.match(post?.responses['201'], {
    description: 'Created',
    content: { 'application/json': { schema: { properties: { kind: { type: 'string', enum: ['big', 'small'] } } } } }
  })
  const close = paths['/api/things/{thingId}/close']?.post
  t.equal(close?.requestBody?.required, false, 'no body is fine where the schema takes null')
  t.same(close?.responses['204'], { description: 'No Content' })
  t.equal(close?.deprecated, true)
  t.match(paths['/api/health']?.get?.responses['200'], { description: 'How it is.', content: { 'text/plain': { schema: { type: 'string' } } } })
  t.same(paths['/api/deep/plain']?.get?.responses['200'], { description: 'OK' }, 'a route that says nothing is listed all the same')
})

t.test('security, hidden routes, and the one error body', async t => {
  const { paths, security, components } = await documentOf(t, await sample(t))
  t.same(security, [{ bearer: [] }])
  t.same(paths['/api/health']?.get?.security, [], 'open')
  t.equal(paths['/api/things']?.post?.security, undefined, 'as the document says')
  t.notOk('/api/secret' in paths)
  t.same(Object.keys(paths['/api/both'] ?? {}), ['put', 'patch'])
  t.match(components.schemas.Error, { required: ['statusCode', 'code', 'error', 'message'] })
  const operations = Object.values(paths).flatMap(path => Object.values(path))
  t.equal(operations.length, 7)
  for (const { responses } of operations) t.same(responses.default, { $ref: '#/components/responses/Error' })
})
