import type { Context, Handlers } from './context.ts'
import type { Contract } from './contract.ts'
import type { Transport } from './emit.ts'
import { toWireError } from './errors.ts'

/**
 * Traces, for hosts that have OpenTelemetry. The host hands in `@opentelemetry/api`; nothing is loaded and nothing global
 * is looked at without it. What goes into a span are names that are declared: never a word, a name, an id or a token.
 */

/** What is needed of `@opentelemetry/api`: `import * as tracing from '@opentelemetry/api'`. */
export interface TraceApi {
  trace: {
    getTracer (name: string, version?: string): Tracer
    getSpan (context: unknown): Span | undefined
    setSpan (context: unknown, span: unknown): unknown
    setSpanContext (context: unknown, spanContext: SpanContext): unknown
  }
  context: {
    active (): unknown
    with<T> (context: unknown, work: () => T): T
  }
}

interface SpanContext { traceId: string, spanId: string, traceFlags: number, isRemote?: boolean }

interface Span {
  spanContext (): SpanContext
  setAttribute (name: string, value: string | boolean): unknown
  setStatus (status: { code: number, message?: string }): unknown
  end (): void
}

interface Tracer { startSpan (name: string, options: object, context: unknown): Span }

/** Where a span hangs: under what is active, under a W3C traceparent that came from elsewhere, or nowhere. */
export interface Place { parent?: string | undefined, root?: boolean }

export interface Tracing {
  /** Runs work in a span. A failure is noted by its code. */
  span<T> (name: string, attributes: Record<string, string>, work: (note: Note) => Promise<T>, place?: Place): Promise<T>
  /** The id of the trace that is active. */
  traceId (): string | undefined
  /** The W3C traceparent of what is active, for work that goes on elsewhere or later. */
  carry (): string | undefined
}

export type Note = (name: string, value: string | boolean) => void

const failed = 2 // SpanStatusCode.ERROR

export function createTracing (api: TraceApi, version: string): Tracing {
  const tracer = api.trace.getTracer('fastify-classwaves', version)
  /** Without an SDK behind the API every span is the same empty one. */
  const here = (): SpanContext | undefined => {
    const found = api.trace.getSpan(api.context.active())?.spanContext()
    return found && !/^0*$/.test(found.traceId) ? found : undefined
  }

  return {
    async span (name, attributes, work, { parent, root = false } = {}) {
      const active = here()
      const remote = parent === undefined ? undefined : read(parent)
      const context = remote ? api.trace.setSpanContext(api.context.active(), remote) : api.context.active()
      // Work that another trace gave rise to belongs to that one; the one in which it is done is a link away.
      const links = remote && active && active.traceId !== remote.traceId ? [{ context: active }] : []
      const span = tracer.startSpan(name, { attributes, links, root }, context)
      return await api.context.with(api.trace.setSpan(context, span), async () => {
        try {
          return await work((name, value) => span.setAttribute(name, value))
        } catch (error) {
          span.setStatus({ code: failed, message: toWireError(error).code })
          throw error
        } finally {
          span.end()
        }
      })
    },
    traceId: () => here()?.traceId,
    carry () {
      const found = here()
      return found && `00-${found.traceId}-${found.spanId}-${found.traceFlags.toString(16).padStart(2, '0')}`
    }
  }
}

/** A W3C traceparent; one that is not well formed is none. */
function read (traceparent: string): SpanContext | undefined {
  const [, traceId, spanId, flags] = /^00-([0-9a-f]{32})-([0-9a-f]{16})-([0-9a-f]{2})$/.exec(traceparent) ?? []
  if (traceId === undefined || spanId === undefined || flags === undefined || /^0+$/.test(traceId) || /^0+$/.test(spanId)) return undefined
  return { traceId, spanId, traceFlags: parseInt(flags, 16), isRemote: true }
}

/** Each event of a client begins a trace: the context in which it comes is that of its connection, which lives for hours. */
export function tracedHandlers<C extends Contract> (namespace: string, handlers: Handlers<C>, tracing: Tracing): Handlers<C> {
  const traced = Object.entries<(context: Context<C>, payload: never) => unknown>(handlers).map(([event, handle]) => [
    event,
    async (context: Context<C>, payload: never) => await tracing.span(
      `${namespace} ${event}`,
      { 'classwaves.namespace': namespace, 'classwaves.event': event, 'classwaves.role': context.user.role },
      async () => await handle(context, payload),
      { root: true }
    )
  ])
  return Object.fromEntries(traced) as Handlers<C>
}

/** What goes out as part of a trace is a span of it; what goes out by itself is none. */
export function tracedTransport (transport: Transport, tracing: Tracing): Transport {
  return {
    async send (namespace, rooms, event, payload, meta, declaration) {
      const send = async (): Promise<void> => await transport.send(namespace, rooms, event, payload, meta, declaration)
      if (tracing.traceId() === undefined) return await send()
      await tracing.span(`emit ${namespace} ${event}`, { 'classwaves.namespace': namespace, 'classwaves.event': event }, send)
    }
  }
}
