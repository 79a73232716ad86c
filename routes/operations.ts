import type { FastifyInstance } from 'fastify'
import Type from 'typebox'
import { admins } from '../lib/core/access.ts'
import type { Core } from '../lib/core/core.ts'
import type { Scope } from './scope.ts'

const Health = Type.Object({
  status: Type.Enum(['ok', 'degraded']),
  backend: Type.Enum(['memory', 'redis']),
  redis: Type.Enum(['ready', 'away', 'none']),
  uptimeSeconds: Type.Integer(),
  sockets: Type.Record(Type.String(), Type.Integer())
})

const Ready = Type.Object({
  ready: Type.Boolean(),
  reason: Type.Optional(Type.Enum(['draining', 'redis'], { description: 'what is waited for: the end of this process, or Redis, which has never answered' }))
})

export interface Documents { asyncapi: () => object, openapi: () => object }

/** What operators and tools ask for; none of it under the prefix. A host that has such a route keeps its own. */
export function operationRoutes (scope: Scope, host: FastifyInstance, core: Core, documents: Documents, metricsArePublic: boolean): void {
  const free = (url: string): boolean => !host.hasRoute({ method: 'GET', url })
  const tags = ['operations']

  if (free('/health')) {
    scope.get('/health', {
      config: { who: 'public' },
      schema: { tags, operationId: 'health', summary: 'How this process stands.', security: [], response: { 200: Health } }
    }, async () => core.health())
  }
  if (free('/ready')) {
    scope.get('/ready', {
      config: { who: 'public' },
      schema: { tags, operationId: 'ready', summary: 'Whether new clients and requests belong here: 200, else 503.', security: [], response: { 200: Ready, 503: Ready } }
    }, async (_request, reply) => {
      const readiness = core.readiness()
      return await reply.code(readiness.ready ? 200 : 503).send(readiness)
    })
  }
  for (const [name, document] of Object.entries(documents)) {
    if (!free(`/${name}.json`)) continue
    let made: object | undefined
    scope.get(`/${name}.json`, {
      config: { who: 'public' },
      schema: { tags, operationId: name, summary: `The ${name} document of this server.`, security: [] }
    }, async () => (made ??= document()))
  }
  if (free('/metrics')) {
    scope.get('/metrics', {
      config: { who: metricsArePublic ? 'public' : admins },
      schema: { tags, operationId: 'metrics', summary: 'Counters in Prometheus\' text format.', ...(metricsArePublic && { security: [] }) }
    }, async (_request, reply) => await reply.type(core.metrics.registry.contentType).send(await core.metrics.registry.metrics()))
  }
}
