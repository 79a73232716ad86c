import { STATUS_CODES } from 'node:http'
import type { FastifyInstance, FastifySchema } from 'fastify'
import Type, { type TSchema } from 'typebox'
import { Value } from 'typebox/value'
import { errorCodes } from './errors.ts'
import { jsonSchema, type DocumentInfo } from './json-schema.ts'

/** The HTTP side as an OpenAPI 3.1 document, made from the very schemas that Fastify validates with. */

/** What the document needs of a route. */
export interface RouteDoc {
  method: string
  url: string
  schema: FastifySchema
}

declare module 'fastify' {
  // The same words and types as @fastify/swagger, so that a host may use that beside this package.
  interface FastifySchema {
    hide?: boolean
    deprecated?: boolean
    tags?: readonly string[]
    description?: string
    summary?: string
    security?: ReadonlyArray<{ [securityLabel: string]: readonly string[] }>
    operationId?: string
  }
}

/** Every failure over HTTP has this body. */
export const ErrorBody = Type.Object({
  statusCode: Type.Integer(),
  code: Type.Enum(errorCodes),
  error: Type.String({ description: 'the name of the status code' }),
  message: Type.String(),
  details: Type.Optional(Type.Record(Type.String(), Type.Unknown()))
})

/** The routes of a scope and its children, in the order in which they are added; the list fills while they are. */
export function collectRoutes (scope: FastifyInstance): RouteDoc[] {
  const routes: RouteDoc[] = []
  scope.addHook('onRoute', ({ method, url, schema = {} }) => {
    // Fastify answers HEAD for each GET by itself; that needs no words of its own.
    for (const one of [method].flat()) if (one !== 'HEAD') routes.push({ method: one, url, schema })
  })
  return routes
}

export function openapi (routes: readonly RouteDoc[], info: DocumentInfo): object {
  const paths: Record<string, Record<string, object>> = {}
  for (const { method, url, schema } of routes) {
    if (schema.hide) continue
    const path = paths[url.replace(/:(\w+)/g, '{$1}')] ??= {}
    path[method.toLowerCase()] = operation(method, url, schema)
  }
  return {
    openapi: '3.1.0',
    info: { ...info },
    security: [{ bearer: [] }],
    paths,
    components: {
      schemas: { Error: jsonSchema(ErrorBody) },
      responses: {
        Error: { description: 'The request failed.', ...json({ $ref: '#/components/schemas/Error' }) }
      },
      parameters: {
        IdempotencyKey: {
          name: 'Idempotency-Key',
          in: 'header',
          description: 'The same key and body again get the same answer, and nothing happens twice; another body under the key is 422.',
          schema: { type: 'string', minLength: 1, maxLength: 200 }
        }
      },
      securitySchemes: { bearer: { type: 'http', scheme: 'bearer', bearerFormat: 'JWT' } }
    }
  }
}

const mutations = new Set(['POST', 'PUT', 'PATCH', 'DELETE'])

function operation (method: string, url: string, schema: FastifySchema): object {
  const { summary, description, tags, operationId, deprecated, security } = schema
  const parameters = [
    ...pathParameters(url, schema.params),
    ...parametersOf('query', schema.querystring),
    ...parametersOf('header', schema.headers),
    ...mutations.has(method) ? [{ $ref: '#/components/parameters/IdempotencyKey' }] : []
  ]
  return {
    ...defined({ summary, description, tags, operationId, deprecated, security }),
    ...(parameters.length > 0 && { parameters }),
    ...(schema.body !== undefined && { requestBody: requestBody(schema.body as TSchema) }),
    responses: { ...responses(schema.response), default: { $ref: '#/components/responses/Error' } }
  }
}

function defined (values: Record<string, unknown>): object {
  return Object.fromEntries(Object.entries(values).filter(([, value]) => value !== undefined))
}

interface ObjectSchema { properties?: Record<string, TSchema>, required?: readonly string[] }

/** The path says which parameters there are; the schema, where there is one, says what they look like. */
function pathParameters (url: string, params: unknown): object[] {
  const { properties = {} } = (params ?? {}) as ObjectSchema
  return [...url.matchAll(/:(\w+)/g)].map(([, name = '']) => parameter('path', name, properties[name] ?? Type.String(), true))
}

function parametersOf (where: 'query' | 'header', schema: unknown): object[] {
  const { properties = {}, required = [] } = (schema ?? {}) as ObjectSchema
  // What has a default may be left out, whatever the type says of the value that handlers get.
  return Object.entries(properties).map(([name, one]) => parameter(where, name, one, required.includes(name) && !('default' in one)))
}

function parameter (where: string, name: string, schema: TSchema, required: boolean): object {
  const { description, ...rest } = jsonSchema(schema)
  return { name, in: where, required, ...defined({ description }), schema: rest }
}

/** Fastify validates a body that is not there as null, so a schema that takes null makes the body optional. */
function requestBody (schema: TSchema): object {
  return { required: !Value.Check(schema, null), ...json(jsonSchema(schema)) }
}

/** Each answer is a schema, or Fastify's longer form with a schema for each media type. */
function responses (response: unknown): Record<string, object> {
  const declared = Object.entries((response ?? { 200: {} }) as Record<string, TSchema | Media>)
  return Object.fromEntries(declared.map(([status, answer]) => {
    const description = (answer as { description?: string }).description ?? STATUS_CODES[status] ?? 'The answer.'
    return [status.toUpperCase(), { description, ...content(answer) }]
  }))
}

interface Media { description?: string, content: Record<string, { schema: TSchema }> }

function content (answer: TSchema | Media): object {
  if ('content' in answer) {
    const types = Object.entries((answer as Media).content)
    return { content: Object.fromEntries(types.map(([type, { schema }]) => [type, { schema: jsonSchema(schema) }])) }
  }
  const schema = jsonSchema(answer)
  return Object.keys(schema).length === 0 || schema.type === 'null' ? {} : json(schema)
}

function json (schema: object): object {
  return { content: { 'application/json': { schema } } }
}
