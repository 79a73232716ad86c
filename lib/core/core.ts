import type { FastifyBaseLogger } from 'fastify'
import type { Authorize, User } from './access.ts'
import type { Handlers, Hooks } from './context.ts'
import type { Contract } from './contract.ts'
import type { Counters } from './counters.ts'
import type { Emit, Lookup, Transport } from './emit.ts'
import type { Idempotency } from './idempotency.ts'
import type { Journal } from './journal.ts'
import type { Leases } from './leases.ts'
import type { Limits } from './limits.ts'
import type { Metrics } from './metrics.ts'
import type { RedisClient } from './redis.ts'
import type { Tracing } from './tracing.ts'

export type Backend = 'memory' | 'redis'

export interface ServeOptions<C extends Contract> {
  hooks?: Hooks<C>
  /** Sockets that one user may have in the namespace; unlimited unless said. */
  socketsPerUser?: number
}

/** What every area is built on. The plugins make it once and hand it to each other; hosts see a part of it. */
export interface Core {
  readonly backend: Backend
  readonly redis?: RedisClient
  readonly log: FastifyBaseLogger
  readonly limits: Limits
  readonly metrics: Metrics
  /** Milliseconds since 1970, the same on every process. */
  readonly now: () => number
  /** Absent unless the host traces. */
  readonly tracing?: Tracing
  readonly authenticate: (token: unknown) => User
  readonly authorize: Authorize
  readonly counters: Counters
  readonly leases: Leases
  readonly idempotency: Idempotency
  /** Kept events. */
  readonly journal: Journal
  readonly transport: Transport
  /** Supplies what a target leaves out; the areas that know add themselves. */
  readonly lookups: Lookup[]
  /** Contracts that are served, for the documents. */
  readonly contracts: Contract[]
  /** The doors out of the namespaces that are served. */
  readonly doors: Map<string, Emit<Contract>>
  /** Serves a namespace and returns its door out. */
  serve<C extends Contract> (contract: C, handlers: Handlers<C>, options?: ServeOptions<C>): Emit<C>
  /** Puts the sockets of one room into others, and takes them out of others, on every process. */
  move (namespace: string, of: string, rooms: { into?: readonly string[], out?: readonly string[] }): void
  health (): Health
  readiness (): Readiness
}

/** Whether new clients and requests belong here, and if not, what is waited for. */
export interface Readiness { ready: boolean, reason?: 'draining' | 'redis' }

export interface Health {
  status: 'ok' | 'degraded'
  backend: Backend
  redis: 'ready' | 'away' | 'none'
  uptimeSeconds: number
  /** Open sockets of this process, by namespace. */
  sockets: Record<string, number>
}
