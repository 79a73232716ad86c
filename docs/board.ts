/** The Grafana board and the alert rules as data; `npm run docs` writes `ops/grafana.json` and `ops/alerts.yml` from it. */

export interface Panel { title: string, unit: string, queries: readonly (readonly [expr: string, legend: string])[], says: string }
export interface Alert { name: string, expr: string, for: string, severity: 'page' | 'ticket', says: string }

const rate = (metric: string, by: string, of = ''): string => `sum by (${by}) (rate(${metric}${of}[$__rate_interval]))`
const slowest = (metric: string, by = '', q = 0.95): string => `histogram_quantile(${q}, sum by (le${by && `, ${by}`}) (rate(${metric}_bucket[$__rate_interval])))`

/** Rows by what somebody asks at night. */
export const rows: Record<string, readonly Panel[]> = {
  'Is anybody cut off?': [
    { title: 'Open sockets', unit: 'short', queries: [['sum by (namespace) (classwaves_sockets)', '{{namespace}}']], says: 'Connections of all processes.' },
    { title: 'Connects by result', unit: 'ops', queries: [[rate('classwaves_connects_total', 'result'), '{{result}}']], says: 'Anything but ok is a refusal, by its code.' },
    { title: 'Disconnects by reason', unit: 'ops', queries: [[rate('classwaves_disconnects_total', 'reason'), '{{reason}}']], says: 'transport_close in a wave is a network or a deploy; ping_timeout is a busy process or a dead network.' },
    { title: 'Slow readers', unit: 'short', queries: [['sum(classwaves_slow_readers)', 'behind now'], [rate('classwaves_connection_faults_total', 'what'), '{{what}} a second']], says: 'Who is behind, and who was refused or closed for it.' },
    { title: 'Processes that send clients away', unit: 'short', queries: [['sum(classwaves_draining)', 'draining']], says: 'Seen where a server that closes still answers (return503OnClosing: false), or the registry is served elsewhere.' }
  ],
  'Does the teacher hear in time?': [
    { title: 'From talk to teacher', unit: 's', queries: [[slowest('classwaves_guidance_delay_seconds', 'event'), '{{event}}']], says: '95 of 100 come within this time, in real time; a group is looked at every five seconds, and after its last word up to ten seconds later.' },
    { title: 'Prompts', unit: 'ops', queries: [[rate('classwaves_prompts_total', 'result'), '{{result}}']], says: 'sent ones went out; the others were held back, and why.' },
    { title: 'What teachers do with prompts', unit: 'ops', queries: [[rate('classwaves_prompt_actions_total', 'action'), '{{action}}']], says: 'Few uses and many dismissals: the prompts miss.' },
    { title: 'Gate decisions', unit: 'ops', queries: [[rate('classwaves_gate_decisions_total', 'gate, reason'), '{{gate}} {{reason}}']], says: 'What is let through, and what is held back.' },
    { title: 'Time of a gate', unit: 's', queries: [[slowest('classwaves_gate_seconds', 'gate'), '{{gate}}']], says: 'None holds its caller longer than 250 ms and a timer\'s delay.' },
    { title: 'Analyzer replaced', unit: 'ops', queries: [[rate('classwaves_analyzer_failures_total', 'tier'), 'tier {{tier}}']], says: 'The host\'s analyzer was late, failed, or answered out of shape.' }
  ],
  'Is Redis well?': [
    { title: 'Connections that stand', unit: 'short', queries: [['min by (connection) (classwaves_redis_ready)', '{{connection}}']], says: '0 as soon as one process has lost it.' },
    { title: 'Time until Redis answers', unit: 's', queries: [[slowest('classwaves_redis_seconds'), '95 of 100'], [slowest('classwaves_redis_seconds', '', 0.5), 'half']], says: 'As the processes felt it; a busy process feels it late as well.' },
    { title: 'Questions without an answer', unit: 'ops', queries: [[rate('classwaves_redis_failures_total', 'why'), '{{why}}']], says: 'Not asked because it was away, not answered in time, refused.' },
    {
      title: 'Decided without Redis',
      unit: 'ops',
      queries: [[rate('guidance_redis_unavailable_total', 'gate'), '{{gate}}'], ['sum(rate(guidance_attention_redis_unavailable_total[$__rate_interval]))', 'attention held back']],
      says: 'Gates that fell back, each in its way.'
    },
    {
      title: 'Events that did not get out',
      unit: 'ops',
      queries: [[rate('classwaves_send_failures_total', 'event'), '{{event}}'], ['sum(rate(classwaves_publish_failures_total[$__rate_interval]))', 'not to other processes']],
      says: 'Kept ones were refused to their sender; the others stayed on their process.'
    },
    { title: 'Replays', unit: 'ops', queries: [[rate('classwaves_replays_total', 'result'), '{{result}}'], [rate('classwaves_replayed_events_total', 'namespace'), 'events, {{namespace}}']], says: 'lost: it was too long ago, and a snapshot stood in.' },
    { title: 'Events that the wire lost', unit: 'ops', queries: [[rate('classwaves_gap_events_total', 'namespace'), '{{namespace}}']], says: 'Read from what is kept, so nobody missed them.' }
  ],
  'What fails?': [
    { title: 'Events that were refused', unit: 'ops', queries: [[rate('classwaves_events_received_total', 'event, result', '{result!="ok"}'), '{{event}} {{result}}']], says: 'INTERNAL is ours, and is in the log.' },
    { title: 'Time to handle an event', unit: 's', queries: [[slowest('classwaves_event_seconds', 'event'), '{{event}}']], says: '95 of 100.' },
    { title: 'REST by status', unit: 'reqps', queries: [[rate('classwaves_request_seconds_count', 'status'), '{{status}}']], says: 'Requests a second. 500 is ours, and is in the log; 503 is a store that is away, or a process that is not ready.' },
    { title: 'Time to answer a request', unit: 's', queries: [[slowest('classwaves_request_seconds', 'method, route'), '{{method}} {{route}}']], says: '95 of 100.' },
    { title: 'Audio', unit: 'ops', queries: [[rate('classwaves_audio_chunks_total', 'result'), '{{result}}']], says: 'Chunks by what became of them.' }
  ],
  'How much is going on?': [
    { title: 'Events in and out', unit: 'ops', queries: [[rate('classwaves_events_received_total', 'namespace'), 'in, {{namespace}}'], [rate('classwaves_events_sent_total', 'namespace'), 'out, {{namespace}}']], says: 'An event to a room counts once, however many hear it.' },
    { title: 'Talk', unit: 'ops', queries: [[rate('classwaves_transcript_slices_total', 'result'), '{{result}}']], says: 'Slices a second.' },
    { title: 'Chat', unit: 'ops', queries: [[rate('classwaves_chat_messages_total', 'result'), '{{result}}']], says: 'Messages a second.' },
    { title: 'Sessions', unit: 'ops', queries: [[rate('classwaves_session_transitions_total', 'status'), 'to {{status}}']], says: 'Transitions a second.' },
    { title: 'Rooms by size', unit: 'short', queries: [['sum by (sockets) (classwaves_rooms)', '{{sockets}}']], says: 'How many sockets of one process are in a room.' },
    { title: 'Size of a class', unit: 'short', queries: [[slowest('classwaves_class_size', '', 0.5), 'half are smaller'], [slowest('classwaves_class_size'), '95 of 100']], says: 'Who was present, at each join.' },
    { title: 'CPU of a process', unit: 'percentunit', queries: [['rate(process_cpu_seconds_total[$__rate_interval])', '{{instance}}']], says: 'At 1 a process has no more to give.' },
    { title: 'Lag of the event loop', unit: 's', queries: [['nodejs_eventloop_lag_p99_seconds', '{{instance}}']], says: 'What everything on a process waits for.' }
  ]
}

/** Thresholds to begin with. They want a look at one's own normal week. */
export const alerts: readonly Alert[] = [
  { name: 'ClasswavesRedisAway', expr: 'min(classwaves_redis_ready) == 0', for: '1m', severity: 'page', says: 'A process has had no connection to Redis for a minute: writes are refused.' },
  { name: 'ClasswavesGuidanceLate', expr: 'histogram_quantile(0.95, sum by (le) (rate(classwaves_guidance_delay_seconds_bucket{event="teacher:alert"}[5m]))) > 20', for: '5m', severity: 'page', says: 'Alerts reach teachers more than twenty seconds after the talk.' },
  { name: 'ClasswavesInternalErrors', expr: 'sum(rate(classwaves_events_received_total{result="INTERNAL"}[5m])) > 0 or sum(rate(classwaves_request_seconds_count{status="500"}[5m])) > 0', for: '5m', severity: 'page', says: 'Handlers or routes fail; the log says why.' },
  { name: 'ClasswavesEventsNotSent', expr: 'sum(rate(classwaves_send_failures_total[5m])) > 0', for: '2m', severity: 'page', says: 'Events cannot be kept and go to nobody.' },
  { name: 'ClasswavesRedisSlow', expr: 'histogram_quantile(0.95, sum by (le) (rate(classwaves_redis_seconds_bucket[5m]))) > 0.05', for: '10m', severity: 'ticket', says: 'Redis takes more than 50 ms.' },
  { name: 'ClasswavesReplaysLost', expr: 'sum(rate(classwaves_replays_total{result="lost"}[15m])) > 0.1 * sum(rate(classwaves_replays_total[15m]))', for: '15m', severity: 'ticket', says: 'More than one reader in ten comes back too late for what was kept.' },
  { name: 'ClasswavesSlowReaders', expr: 'sum(rate(classwaves_connection_faults_total{what="slow"}[10m])) > 0.1', for: '10m', severity: 'ticket', says: 'Connections are closed because they read too slowly.' },
  { name: 'ClasswavesBusy', expr: 'rate(process_cpu_seconds_total[5m]) > 0.8', for: '10m', severity: 'ticket', says: 'A process is near its end: add one.' }
]

const [width, height, across] = [8, 8, 3]

export function board (): object {
  const panels: object[] = []
  let y = 0
  for (const [title, inside] of Object.entries(rows)) {
    panels.push({ type: 'row', id: panels.length + 1, title, collapsed: false, gridPos: { h: 1, w: 24, x: 0, y: y++ }, panels: [] })
    for (const [at, panel] of inside.entries()) {
      const gridPos = { h: height, w: width, x: width * (at % across), y: y + height * Math.floor(at / across) }
      panels.push(drawn(panel, panels.length + 1, gridPos))
    }
    y += height * Math.ceil(inside.length / across)
  }
  return {
    title: 'fastify-classwaves',
    uid: 'fastify-classwaves',
    tags: ['classwaves'],
    schemaVersion: 39,
    editable: true,
    refresh: '30s',
    time: { from: 'now-3h', to: 'now' },
    templating: { list: [{ name: 'source', label: 'Prometheus', type: 'datasource', query: 'prometheus' }] },
    panels
  }
}

function drawn ({ title, unit, queries, says }: Panel, id: number, gridPos: object): object {
  const datasource = { type: 'prometheus', uid: '$source' }
  return {
    type: 'timeseries',
    id,
    title,
    description: says,
    datasource,
    gridPos,
    fieldConfig: { defaults: { unit, min: 0 }, overrides: [] },
    options: { legend: { displayMode: 'list', placement: 'bottom' }, tooltip: { mode: 'multi', sort: 'desc' } },
    targets: queries.map(([expr, legendFormat], at) => ({ refId: 'ABCD'[at], datasource, expr, legendFormat }))
  }
}

/** A rules file of Prometheus. That is YAML, and JSON is YAML. */
export function rules (): object {
  return {
    groups: [{
      name: 'fastify-classwaves',
      rules: alerts.map(({ name, expr, for: wait, severity, says }) => ({ alert: name, expr, for: wait, labels: { severity }, annotations: { summary: says } }))
    }]
  }
}
