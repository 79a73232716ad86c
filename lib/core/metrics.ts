import { Counter, Gauge, Histogram, Registry, collectDefaultMetrics } from '@platformatic/prom-client'
import { Tally } from './tally.ts'

/** What is not counted but looked at, whenever somebody asks. */
export interface State {
  /** Sizes of the rooms of this process, by namespace; a socket's own room is none. */
  rooms: () => Iterable<readonly [namespace: string, sizes: readonly number[]]>
  slowReaders: () => number
  draining: () => boolean
  /** Whether each connection to Redis stands; none without Redis. */
  redis: () => Iterable<readonly [connection: 'commands' | 'subscription' | 'adapter', stands: boolean]>
}

const nothing: State = { rooms: () => [], slowReaders: () => 0, draining: () => false, redis: () => [] }

const fromMs = [0.001, 0.005, 0.025, 0.1, 0.25, 1, 5]
/** Redis next door answers in a fraction of a millisecond; a gate waits for 250 ms, a store for a second. */
const redisSeconds = [0.0005, 0.001, 0.0025, 0.01, 0.05, 0.25, 1]
/** From one look at the score to what a teacher would call late. */
const delaySeconds = [0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 7.5, 10, 15, 20, 30, 60]

/**
 * Everything that is counted, declared once: the table in the docs is made from it. No label carries a session, a
 * user or anything else without a bound.
 */
export function createMetrics (hostRegistry?: Registry, state: State = nothing) {
  const registry = hostRegistry ?? new Registry()
  if (!hostRegistry) collectDefaultMetrics({ register: registry })
  const registers = [registry]
  const decisions = new Tally()
  /** A gauge that is filled when somebody asks. */
  const looked = <const L extends string = never>(name: string, help: string, labelNames: L[], look: (gauge: Gauge<L>) => void): Gauge<L> =>
    new Gauge<L>({ name, help, labelNames, registers, collect () { this.reset(); look(this) } })

  return {
    registry,
    sockets: new Gauge({ name: 'classwaves_sockets', help: 'Open sockets.', labelNames: ['namespace'], registers }),
    rooms: looked('classwaves_rooms', 'Rooms of this process by how many of its sockets are in them.', ['namespace', 'sockets'], gauge => {
      for (const [namespace, sizes] of state.rooms()) for (const size of sizes) gauge.inc({ namespace, sockets: sizeOf(size) })
    }),
    connects: new Counter({ name: 'classwaves_connects_total', help: 'Connects by result: ok or the code of the refusal.', labelNames: ['namespace', 'result'], registers }),
    disconnects: new Counter({ name: 'classwaves_disconnects_total', help: 'Disconnects by reason.', labelNames: ['namespace', 'reason'], registers }),
    received: new Counter({ name: 'classwaves_events_received_total', help: 'Events from clients by result: ok or an error code.', labelNames: ['namespace', 'event', 'result'], registers }),
    handled: new Histogram({ name: 'classwaves_event_seconds', help: 'Time to handle an event, whether it went well or not.', labelNames: ['namespace', 'event'], buckets: fromMs, registers }),
    requests: new Histogram({ name: 'classwaves_request_seconds', help: 'Time to answer a REST request.', labelNames: ['method', 'route', 'status'], buckets: fromMs, registers }),
    sent: new Counter({ name: 'classwaves_events_sent_total', help: 'Events sent to rooms.', labelNames: ['namespace', 'event'], registers }),
    sendFailures: new Counter({ name: 'classwaves_send_failures_total', help: 'Events that went to nobody, because they could not be kept.', labelNames: ['namespace', 'event'], registers }),
    publishFailures: new Counter({ name: 'classwaves_publish_failures_total', help: 'Events that reached only this process, because Redis was away.', registers }),
    connectionFaults: new Counter({ name: 'classwaves_connection_faults_total', help: 'Connections refused or closed: slow readers, floods, foreign origins, requests for a polling connection that is not theirs; publishes that failed.', labelNames: ['what'], registers }),
    slowReaders: looked('classwaves_slow_readers', 'Connections that are behind, and get only the newest of live scores.', [], gauge => gauge.set(state.slowReaders())),
    draining: looked('classwaves_draining', '1 while this process sends its clients away. Seen where the host set `return503OnClosing: false` or serves the registry elsewhere: else `GET /metrics` answers 503 then, as all routes do.', [], gauge => gauge.set(Number(state.draining()))),
    replays: new Counter({ name: 'classwaves_replays_total', help: 'Readers that said where they were: recovered, or lost when that was too long ago.', labelNames: ['namespace', 'result'], registers }),
    replayed: new Counter({ name: 'classwaves_replayed_events_total', help: 'Events that readers had missed and got.', labelNames: ['namespace'], registers }),
    gaps: new Counter({ name: 'classwaves_gap_events_total', help: 'Events that the way through Redis lost and that were read from what is kept.', labelNames: ['namespace'], registers }),
    redis: looked('classwaves_redis_ready', '1 while the connection to Redis stands: commands, our own subscription, that of the Socket.IO adapter; absent without Redis, or when the adapter is the host\'s.', ['connection'], gauge => {
      for (const [connection, stands] of state.redis()) gauge.set({ connection }, Number(stands))
    }),
    redisSeconds: new Histogram({ name: 'classwaves_redis_seconds', help: 'Time until Redis answered, as this process felt it.', buckets: redisSeconds, registers }),
    redisFailures: new Counter({ name: 'classwaves_redis_failures_total', help: 'Questions to Redis that were not asked because it was away, or not answered in time, or refused.', labelNames: ['why'], registers }),
    gates: new Counter({
      name: 'classwaves_gate_decisions_total', help: 'Gate decisions.', labelNames: ['gate', 'reason'], registers, collect () { decisions.into(this, ['gate', 'reason']) }
    }),
    decisions,
    gateSeconds: new Histogram({ name: 'classwaves_gate_seconds', help: 'Time that a gate took to decide, with Redis.', labelNames: ['gate'], buckets: redisSeconds, registers }),
    gateUnavailable: new Counter({ name: 'guidance_redis_unavailable_total', help: 'Gate decisions made without Redis.', labelNames: ['gate'], registers }),
    attentionUnavailable: new Counter({ name: 'guidance_attention_redis_unavailable_total', help: 'Attention events held back because Redis was away.', registers }),
    transitions: new Counter({ name: 'classwaves_session_transitions_total', help: 'Stored transitions by the status they lead to.', labelNames: ['status'], registers }),
    slices: new Counter({ name: 'classwaves_transcript_slices_total', help: 'Transcript slices by result.', labelNames: ['result'], registers }),
    audio: new Counter({ name: 'classwaves_audio_chunks_total', help: 'Audio chunks by result: ok or an error code.', labelNames: ['result'], registers }),
    chatMessages: new Counter({ name: 'classwaves_chat_messages_total', help: 'Chat messages by what became of them.', labelNames: ['result'], registers }),
    classSizes: new Histogram({ name: 'classwaves_class_size', help: 'How many are present in a class, at each join.', buckets: [1, 5, 10, 20, 30, 50, 100, 250, 500], registers }),
    guidanceDelay: new Histogram({ name: 'classwaves_guidance_delay_seconds', help: 'From talk that came in, or silence whose look was due, to the event for the teacher that followed from it, in real time: the wait for the look is in it.', labelNames: ['event'], buckets: delaySeconds, registers }),
    prompts: new Counter({ name: 'classwaves_prompts_total', help: 'Prompts by what became of them; sent ones went out.', labelNames: ['result'], registers }),
    promptActions: new Counter({ name: 'classwaves_prompt_actions_total', help: 'What teachers did with prompts, each action once a prompt.', labelNames: ['action'], registers }),
    analyzerFailures: new Counter({ name: 'classwaves_analyzer_failures_total', help: 'Answers of the host\'s analyzer that were replaced by the embedded one.', labelNames: ['tier'], registers })
  }
}

export type Metrics = ReturnType<typeof createMetrics>

const sizes = [[1, '1'], [5, '2-5'], [10, '6-10'], [30, '11-30'], [100, '31-100'], [500, '101-500']] as const

function sizeOf (count: number): string {
  return sizes.find(([most]) => count <= most)?.[1] ?? '501 and more'
}

/** Reasons as Socket.IO names them. Of the client's own words there are none. */
const reasons = new Set([
  'transport close', 'transport error', 'ping timeout', 'parse error', 'client namespace disconnect', 'server namespace disconnect',
  'server shutting down', 'forced close', 'forced server close'
])

/** The reason of a disconnect as a label: one of those that are known, or `other`. */
export function reasonLabel (reason: string): string {
  return reasons.has(reason) ? reason.replaceAll(' ', '_') : 'other'
}
