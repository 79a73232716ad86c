import t from 'tap'
import { createRecorder, type Moment } from '../../examples/replay/record.ts'
import { table } from '../../examples/replay/table.ts'
import type { AttentionEvent, TeacherPrompt } from '../../lib/contract.ts'

const zero = Date.parse('2026-03-02T09:00:00Z')
const timestamp = (seconds: number): string => new Date(zero + seconds * 1000).toISOString()
const offTask = [{ signal: 'offreal', value: 0.8, contribution: 61.4 }, { signal: 'confusion', value: 0.1, contribution: 11.6 }, { signal: 'stall', value: 0, contribution: 0 }]

const attention = (groupId: string, at: number, attentionScore: number, why = offTask): AttentionEvent => ({
  category: 'attention', sessionId: 's', timestamp: timestamp(at), metrics: { groupId, attentionScore, onTrackScore: 0.5, why }
})
const prompt = (promptId: string, at: number, more: Partial<TeacherPrompt> = {}): TeacherPrompt => ({
  promptId,
  sessionId: 's',
  groupId: 'g1',
  category: 'redirection',
  priority: 'high',
  message: 'Ask them where they are.',
  why: offTask,
  evidence: ['did you see the match'],
  suggestedTiming: 'immediate',
  generatedAt: timestamp(at),
  expiresAt: timestamp(at + 60),
  templateKey: 'redirect.offtask',
  ...more
})

function listen () {
  const told: [string, Moment][] = []
  const recorder = createRecorder([
    { groupId: 'g1', name: 'Otters', slices: 40, recordedUntil: 100 },
    { groupId: 'g2', name: 'A group with a very long name', slices: 1 }
  ], zero, (group, moment) => { told.push([group, moment]) })
  const { ears } = recorder
  ears['guidance:analytics'](attention('g1', 0, 10))
  ears['guidance:analytics'](attention('g1', 20, 73))
  ears['guidance:analytics'](attention('g1', 30, 80))
  ears['teacher:alert'](prompt('p1', 31))
  ears['teacher:recommendations']([prompt('p1', 32), prompt('p2', 40, { evidence: undefined, why: [], category: 'clarity' })])
  ears['guidance:analytics']({
    category: 'tier2-shift',
    sessionId: 's',
    timestamp: timestamp(50),
    metrics: { groupId: 'g1', metric: 'argumentationQuality', previous: 0.6, current: 0.31, threshold: 0.2 }
  })
  ears['guidance:analytics'](attention('g1', 55, 60))
  ears['guidance:analytics'](attention('g1', 60, 45, []))
  ears['guidance:analytics'](attention('g1', 80, 20, []))
  ears['guidance:analytics'](attention('g1', 150, 90))
  ears['guidance:analytics'](attention('unknown', 60, 90))
  return { told, groups: recorder.finish(200) }
}

t.test('what is heard becomes a story per group', async t => {
  const { told, groups: [otters, other] } = listen()
  t.match(otters, { slices: 40, meanAttention: 45, heardUntil: 100, maxAttention: 80, alerts: 1, prompts: 1 })
  t.same(otters?.scores.map(({ at }) => at), [0, 20, 30, 55, 60, 80], 'after the end of its recording a group is not heard')
  t.same(otters?.moments, [
    { at: 20, kind: 'Focus Now', text: 'Focus Now (73): off-task talk (61 points), signs of confusion (12)' },
    {
      at: 31,
      kind: 'alert',
      text: 'Alert, redirection: off-task talk (61 points), signs of confusion (12)',
      details: ['Ask them where they are.', 'Heard: "did you see the match"']
    },
    { at: 40, kind: 'prompt', text: 'Prompt, clarity', details: ['Ask them where they are.'] },
    { at: 50, kind: 'shift', text: 'Over some minutes the quality of arguments went from 0.60 to 0.31' },
    { at: 60, kind: 'Watch Next', text: 'Watch Next (45)' },
    { at: 80, kind: 'Stable', text: 'Stable again (20)' }
  ], 'a prompt that comes twice counts once, and a score that is a little lower is not told')
  t.same(told.map(([group, { at }]) => [group, at]), otters?.moments.map(({ at }) => ['Otters', at]), 'moments are told as they come')
  t.same(other, { groupId: 'g2', name: 'A group with a very long name', slices: 1, heardUntil: 200, scores: [], moments: [], meanAttention: null, maxAttention: null, alerts: 0, prompts: 0 })
})

t.test('the table', async t => {
  const { groups } = listen()
  const record = { sessionId: 's', topic: 'Rivers', slices: 41, accepted: 41, duplicates: 0, durationSeconds: 200, elapsedMs: 1234, groups }
  const lines = table(record).split('\n')
  t.same(lines.slice(0, 5), [
    'Rivers',
    '2 groups, 41 slices, 03:20 of class in 1.2 s',
    '',
    'group                 slices  attention, 0:00 to 03:20        mean   max  alerts  prompts',
    'Otters                    40  ▁▁▁▆▇▇▇▇▇▅▄▄▄▂▂▂                  45    80       1        1'
  ])
  t.match(lines[5], /^A group with a very…\s+1 {2}·{30} {5}- {5}- {7}0 {8}0$/)
  t.same(lines.slice(6), [
    '',
    'Otters',
    '  00:20 Focus Now (73): off-task talk (61 points), signs of confusion (12)',
    '  00:31 Alert, redirection: off-task talk (61 points), signs of confusion (12)',
    '        Ask them where they are.',
    '        Heard: "did you see the match"',
    '  00:40 Prompt, clarity',
    '        Ask them where they are.',
    '  00:50 Over some minutes the quality of arguments went from 0.60 to 0.31',
    '  01:00 Watch Next (45)',
    '  01:20 Stable again (20)',
    '',
    'A group with a very long name',
    '  nothing that needed the teacher',
    ''
  ])
  t.match(table({ ...record, accepted: 30, duplicates: 11 }), /41 slices \(30 taken, 11 known before\)/)
})
