import * as tracing from '@opentelemetry/api'
import { AsyncLocalStorageContextManager } from '@opentelemetry/context-async-hooks'
import { BasicTracerProvider, InMemorySpanExporter, SimpleSpanProcessor } from '@opentelemetry/sdk-trace-base'
import Fastify from 'fastify'
import classwaves, { type ClasswavesOptions, type Transcriber } from '../index.ts'
import { secret, wayOfTests } from './app.ts'

/** A server in a process of its own whose host has OpenTelemetry; asked, it says which spans have ended. */

export interface Ended { name: string, traceId: string, spanId: string, parent: string | undefined, attributes: Record<string, unknown>, code: number, message: string | undefined }

const exporter = new InMemorySpanExporter()
tracing.trace.setGlobalTracerProvider(new BasicTracerProvider({ spanProcessors: [new SimpleSpanProcessor(exporter)] }))
tracing.context.setGlobalContextManager(new AsyncLocalStorageContextManager().enable())

const app = Fastify({ logger: { level: 'trace', stream: process.stderr } })
// Sound is slices as JSON to it.
const transcriber: Transcriber = async ({ data }) => JSON.parse(Buffer.from(data).toString()) as Awaited<ReturnType<Transcriber>>
await app.register(classwaves, { jwt: { secret }, ...wayOfTests, tracing, sessions: { transcriber }, ...JSON.parse(process.argv[2] ?? '{}') as ClasswavesOptions })
process.on('message', () => {
  process.send?.(exporter.getFinishedSpans().map((span): Ended => ({
    name: span.name,
    ...span.spanContext(),
    parent: span.parentSpanContext?.spanId,
    attributes: span.attributes,
    code: span.status.code,
    message: span.status.message
  })))
})
process.send?.(await app.listen({ port: 0, host: '127.0.0.1' }))
