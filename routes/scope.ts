import { STATUS_CODES } from 'node:http'
import type { TypeBoxTypeProvider } from '@fastify/type-provider-typebox'
import { Ajv, type Options } from 'ajv'
import addFormats from 'ajv-formats'
import type { FastifyBaseLogger, FastifyError, FastifyInstance, FastifyReply, FastifyRequest, RawReplyDefaultExpression, RawRequestDefaultExpression, RawServerDefault } from 'fastify'
import type { Role, User } from '../lib/core/access.ts'
import type { Core } from '../lib/core/core.ts'
import { deeperThan } from '../lib/core/parser.ts'
import { ClasswavesError, errorTable, toWireError, type ErrorCode } from '../lib/core/errors.ts'
import { bearerOf } from '../lib/core/token.ts'

declare module 'fastify' {
  interface FastifyRequest {
    /** Who asks; null on a route that needs no token. */
    caller: User | null
  }
  interface FastifyContextConfig {
    /** Who may ask, by role; `public` needs no token. Every route of ours says it. */
    who?: readonly Role[] | 'public'
  }
}

/** A scope of routes whose types follow their schemas. */
export type Scope = FastifyInstance<RawServerDefault, RawRequestDefaultExpression, RawReplyDefaultExpression, FastifyBaseLogger, TypeBoxTypeProvider>

/**
 * Bodies are taken as they are: Fastify's own compiler would turn `7` into `"7"` and drop what it does not know. That the
 * schemas are schemas is looked at by a test of the OpenAPI document, not at each boot, which it would make a sixth dearer.
 */
const strict: Options = { coerceTypes: false, removeAdditional: false, useDefaults: true, allErrors: false, strict: false, validateSchema: false }

/** The rules of our own routes, in a scope of their own: schema, token, role, error body. The host's routes keep theirs. */
export function useRestRules (fastify: FastifyInstance, core: Core): Scope {
  const bodies = addFormats.default(new Ajv(strict))
  const queries = addFormats.default(new Ajv({ ...strict, coerceTypes: true }))
  fastify.setValidatorCompiler(({ schema, httpPart }) => (httpPart === 'body' ? bodies : queries).compile(schema as object))

  fastify.removeAllContentTypeParsers()
  fastify.addContentTypeParser('application/json', { parseAs: 'string' }, (request, body, done) => {
    if (body === '') return done(null, undefined)
    // What comes in here may go out to sockets, and whoever walks it recursively then would end the process.
    if (deeperThan(body as string, core.limits.depth)) return done(new ClasswavesError('INVALID_PAYLOAD', `The body is nested deeper than ${core.limits.depth}.`))
    return fastify.getDefaultJsonParser('error', 'error')(request, body as string, done)
  })
  // Clients name a type, each its own, also where they send nothing.
  fastify.addContentTypeParser('*', { parseAs: 'string' }, (_request, body, done) => {
    if (body === '') return done(null, undefined)
    done(new ClasswavesError('INVALID_PAYLOAD', 'A body must be JSON, sent as content-type: application/json.'))
  })

  fastify.decorateRequest('caller', null)
  fastify.addHook('onRoute', route => {
    if (!route.config?.who) throw new Error(`${String(route.method)} ${route.url} does not say who may ask`)
  })
  const { tracing } = core
  if (tracing) {
    fastify.addHook('onRoute', route => {
      const { handler } = route
      const name = `${String(route.method)} ${route.url}`
      // Where the host instruments HTTP, its span is active by now; else the caller's header is all there is.
      route.handler = async function (request, reply) {
        const { traceparent } = request.headers
        const parent = tracing.traceId() === undefined && typeof traceparent === 'string' ? traceparent : undefined
        return await tracing.span(name, { 'http.route': route.url }, async () => await handler.call(this, request, reply), { parent })
      }
    })
  }
  fastify.addHook('onRequest', async request => {
    const who = request.routeOptions.config.who
    if (who === undefined || who === 'public') return
    request.caller = core.authenticate(bearerOf(request.headers.authorization))
    if (!who.includes(request.caller.role)) throw new ClasswavesError('FORBIDDEN')
  })
  fastify.addHook('onResponse', (request, reply, done) => {
    const { method, url: route = '' } = request.routeOptions
    core.metrics.requests.observe({ method: String(method), route, status: reply.statusCode }, reply.elapsedTime / 1000)
    done()
  })
  fastify.setErrorHandler((error: FastifyError, request, reply) => answerError(error, request, reply))
  return fastify.withTypeProvider<TypeBoxTypeProvider>() as Scope
}

/** The user of a route that needs a token. */
export function callerOf (request: FastifyRequest): User {
  if (!request.caller) throw new ClasswavesError('AUTH_FAILED')
  return request.caller
}

/** What Fastify refuses before we see it, by its code. */
const fastifyCodes: Record<string, ErrorCode> = {
  FST_ERR_CTP_BODY_TOO_LARGE: 'PAYLOAD_TOO_LARGE',
  FST_ERR_CTP_INVALID_MEDIA_TYPE: 'INVALID_PAYLOAD',
  FST_ERR_CTP_INVALID_JSON_BODY: 'INVALID_PAYLOAD',
  FST_ERR_CTP_INVALID_CONTENT_LENGTH: 'INVALID_PAYLOAD',
  FST_ERR_CTP_EMPTY_JSON_BODY: 'INVALID_PAYLOAD'
}

function answerError (thrown: FastifyError, request: FastifyRequest, reply: FastifyReply): FastifyReply {
  const error = known(thrown)
  if (!error) request.log.error({ err: thrown }, 'a request failed')
  const { code, message, details } = error ? error.toWire() : toWireError(thrown)
  const { status } = errorTable[code]
  if (code === 'RATE_LIMITED' && typeof details?.retryAfterMs === 'number') reply.header('retry-after', Math.ceil(details.retryAfterMs / 1000))
  return reply.code(status).send({ statusCode: status, code, error: STATUS_CODES[status], message, ...(details && { details }) })
}

function known (thrown: FastifyError): ClasswavesError | undefined {
  if (thrown instanceof ClasswavesError) return thrown
  const [fault] = thrown.validation ?? []
  if (fault) {
    const extra = fault.params.additionalProperty ?? fault.params.missingProperty
    const path = typeof extra === 'string' ? `${fault.instancePath}/${extra}` : fault.instancePath || '/'
    return new ClasswavesError('INVALID_PAYLOAD', `${thrown.validationContext}${path} ${fault.message}`, { in: thrown.validationContext, path })
  }
  const code = fastifyCodes[thrown.code] ?? (thrown.statusCode === 400 ? 'INVALID_PAYLOAD' : undefined)
  return code && new ClasswavesError(code, code === 'INVALID_PAYLOAD' ? thrown.message : undefined)
}
