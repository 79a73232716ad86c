import { Counter, Gauge, Histogram, Registry, collectDefaultMetrics } from '@platformatic/prom-client'

/** Everything that is counted. No label carries a session, a user or anything else without a bound. */
export function createMetrics (hostRegistry?: Registry) {
  const registry = hostRegistry ?? new Registry()
  if (!hostRegistry) collectDefaultMetrics({ register: registry })
  const registers = [registry]
  return {
    registry,
    sockets: new Gauge({ name: 'classwaves_sockets', help: 'Open sockets.', labelNames: ['namespace'], registers }),
    connects: new Counter({ name: 'classwaves_connects_total', help: 'Connects by result: ok or the code of the refusal.', labelNames: ['namespace', 'result'], registers }),
    disconnects: new Counter({ name: 'classwaves_disconnects_total', help: 'Disconnects by reason.', labelNames: ['namespace', 'reason'], registers }),
    received: new Counter({ name: 'classwaves_events_received_total', help: 'Events from clients by result: ok or an error code.', labelNames: ['namespace', 'event', 'result'], registers }),
    handled: new Histogram({ name: 'classwaves_event_seconds', help: 'Time to handle an event.', labelNames: ['namespace', 'event'], buckets: [0.001, 0.005, 0.025, 0.1, 0.25, 1, 5], registers }),
    sent: new Counter({ name: 'classwaves_events_sent_total', help: 'Events sent to rooms.', labelNames: ['namespace', 'event'], registers }),
    publishFailures: new Counter({ name: 'classwaves_publish_failures_total', help: 'Events that reached only this process, because Redis was away.', registers }),
    connectionFaults: new Counter({ name: 'classwaves_connection_faults_total', help: 'Connections refused or closed: slow readers, floods, foreign origins; publishes that failed.', labelNames: ['what'], registers }),
    gates: new Counter({ name: 'classwaves_gate_decisions_total', help: 'Gate decisions.', labelNames: ['gate', 'reason'], registers }),
    gateUnavailable: new Counter({ name: 'guidance_redis_unavailable_total', help: 'Gate decisions made without Redis.', labelNames: ['gate'], registers }),
    attentionUnavailable: new Counter({ name: 'guidance_attention_redis_unavailable_total', help: 'Attention events held back because Redis was away.', registers }),
    transitions: new Counter({ name: 'classwaves_session_transitions_total', help: 'Stored transitions by the status they lead to.', labelNames: ['status'], registers }),
    slices: new Counter({ name: 'classwaves_transcript_slices_total', help: 'Transcript slices by result.', labelNames: ['result'], registers }),
    audio: new Counter({ name: 'classwaves_audio_chunks_total', help: 'Audio chunks by result: ok or an error code.', labelNames: ['result'], registers }),
    chatMessages: new Counter({ name: 'classwaves_chat_messages_total', help: 'Chat messages by what became of them.', labelNames: ['result'], registers }),
    classSizes: new Histogram({ name: 'classwaves_class_size', help: 'How many are present in a class, at each join.', buckets: [1, 5, 10, 20, 30, 50, 100, 250, 500], registers }),
    prompts: new Counter({ name: 'classwaves_prompts_total', help: 'Prompts by what became of them.', labelNames: ['result'], registers }),
    analyzerFailures: new Counter({ name: 'classwaves_analyzer_failures_total', help: 'Answers of the host\'s analyzer that were replaced by the embedded one.', labelNames: ['tier'], registers })
  }
}

export type Metrics = ReturnType<typeof createMetrics>
