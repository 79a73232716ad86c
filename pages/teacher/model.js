/** What the teacher's page knows, as data: events in, a picture out. No page in it. */

const tenMinutes = 600_000
const keptLines = 30
export const liftedAtMost = 4
const order = { 'Focus Now': 0, 'Watch Next': 1, Stable: 2 }

export function createModel () {
  return { session: null, groups: new Map(), shifts: [], results: null, seen: new Set() }
}

export function groupOf (model, groupId) {
  if (!model.groups.has(groupId)) {
    model.groups.set(groupId, { groupId, name: groupId, score: null, heat: null, why: [], summary: '', series: [], prompts: [], lines: [], status: 'waiting', isReady: false, issueReason: null, members: 0 })
  }
  return model.groups.get(groupId)
}

export function takeSession (model, session) {
  model.session = { ...model.session, ...session }
  for (const [i, group] of session.groups.entries()) {
    const { groupId, name, status, isReady, issueReason } = group
    const members = new Set([...group.memberIds, ...session.participants.filter(one => one.groupId === groupId).map(one => one.userId)]).size
    Object.assign(groupOf(model, groupId), { place: i, name, status, isReady, issueReason, members })
  }
}

export function takeGuidance (model, { attention, prompts, insights }) {
  for (const one of attention) takeScore(model, one.groupId, one.attentionScore, one.heat, one.why, one.timestamp)
  for (const group of model.groups.values()) group.prompts = prompts.filter(one => one.groupId === group.groupId)
  for (const { groupId, tier1 } of insights) if (tier1) groupOf(model, groupId).summary = tier1.summary
}

export function takeScore (model, groupId, score, heat, why, timestamp) {
  const group = groupOf(model, groupId)
  const at = Date.parse(timestamp)
  if (at < (group.series.at(-1)?.at ?? 0)) return
  Object.assign(group, { score, heat, why: why ?? [] })
  if (group.series.at(-1)?.at !== at) group.series.push({ at, score })
  group.series = group.series.filter(one => one.at > at - tenMinutes)
}

/** Scores are not kept by the server; what this tab has seen outlives a reload. */
export function seriesOf (model) {
  return Object.fromEntries([...model.groups.values()].map(({ groupId, series }) => [groupId, series]))
}

export function takeSeries (model, series) {
  for (const [groupId, points] of Object.entries(series)) groupOf(model, groupId).series = points
}

export function takePrompts (model, prompts) {
  for (const prompt of prompts) {
    const group = groupOf(model, prompt.groupId)
    group.prompts = [...group.prompts.filter(one => one.promptId !== prompt.promptId), prompt]
  }
}

export function takeLine (model, { groupId, speaker, text, timestamp }) {
  const group = groupOf(model, groupId)
  group.lines = [...group.lines, { speaker, text, timestamp }].slice(-keptLines)
}

export function takeShift (model, shift) {
  model.shifts = [...model.shifts.filter(one => one.metrics.groupId !== shift.metrics.groupId || one.metrics.metric !== shift.metrics.metric), shift].slice(-2)
}

/** At most four groups are lifted, those in most need first; the others keep their places. */
export function picture (model, now = Date.now()) {
  const groups = [...model.groups.values()]
  for (const group of groups) group.prompts = group.prompts.filter(one => Date.parse(one.expiresAt) > now)
  const over = model.session?.status === 'ended'
  const rank = ({ heat, prompts }) => [order[heat] ?? 3, prompts.some(one => one.priority === 'high') ? 0 : 1]
  const needy = over ? [] : groups.filter(one => one.heat === 'Focus Now' || one.heat === 'Watch Next' || one.status === 'issue')
  const lifted = needy.sort((a, b) => {
    const [[heatA, promptA], [heatB, promptB]] = [rank(a), rank(b)]
    return heatA - heatB || promptA - promptB || b.score - a.score || a.place - b.place
  }).slice(0, liftedAtMost)
  return { lifted, others: groups.filter(one => !lifted.includes(one)).sort((a, b) => a.place - b.place) }
}

/** Drivers that say something, the strongest first. */
export function reasons ({ why }) {
  return why.filter(one => one.contribution >= 3).sort((a, b) => b.contribution - a.contribution).slice(0, 3)
}

export function trend ({ series }) {
  const before = series.findLast(one => one.at <= (series.at(-1)?.at ?? 0) - 60_000) ?? series[0]
  const change = (series.at(-1)?.score ?? 0) - (before?.score ?? 0)
  if (Math.abs(change) < 8) return 'flat'
  return change > 0 ? 'up' : 'down'
}
