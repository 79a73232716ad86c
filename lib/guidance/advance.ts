import type { Assessment, GroupContext, Utterance } from './analyzer.ts'
import { assess, fold, peerOf, peersOf, skip, tier2 } from './embedded/index.ts'
import { excuse } from './prompts.ts'
import { addTo } from './ranges.ts'
import { newGroup, newRecord, recordBounds, type Cause, type GroupPart, type GuidanceRecord, type Job, type Look } from './record.ts'

/**
 * The clockwork: talk and time go in, what is due comes out. Pure but for the record, which it changes; the same talk
 * gives the same record in any chunks and on any process. Times are event times in milliseconds since 1970.
 */

export interface Timing {
  tier1WindowMs: number
  tier1WarmupMs: number
  tier2WindowMs: number
  evaluateEveryMs: number
  /** Is tier2's talk kept for its windows? Only for an analyzer that reads it. */
  keepTalk?: boolean
}

/** `seq` is the place of a stored slice in its session: one that was heard is not heard again. */
export interface Heard extends Utterance { groupId: string, seq?: number }

export interface Due { looks: Look[], jobs: Job[] }

/** What is due at one moment: the groups are looked at, then windows that closed with it are analysed. */
export function inOrder ({ looks, jobs }: Due): Due[] {
  const moments = new Map<number, Due>()
  const moment = (at: number): Due => {
    const due = moments.get(at) ?? { looks: [], jobs: [] }
    moments.set(at, due)
    return due
  }
  for (const look of looks) moment(look.at).looks.push(look)
  for (const job of jobs) moment(job.window.end).jobs.push(job)
  return [...moments].sort(([a], [b]) => a - b).map(([, due]) => due)
}

/** Talk may be dated this far ahead of the backend's clock; further is taken back to it. */
export const aheadMs = 5_000
/** A gap in the talk beyond this is a break: the grid jumps over it. */
const longestGapMs = 600_000
/** How long a claim on a window holds. */
export const claimMs = 20_000
/** Recognisers take their time: silence that the clock alone tells of is believed this much later. */
export const lateMs = 5_000
/** Talk that came this long after it was said is no live talk: a class that is replayed has its own time, not the clock's. */
export const liveMs = 60_000

/** @param cameAt when the talk came in (ms since 1970), for those who measure what teachers wait */
export function advance (
  record: GuidanceRecord | null, heard: readonly Heard[], now: number, contextOf: (groupId: string) => KnownGroup, timing: Timing, cameAt?: number
): { record: GuidanceRecord, due: Due, touched: Set<string> } {
  const talk = heard
    .map(one => ({ ...one, endedAt: Math.min(one.endedAt, now + aheadMs), startedAt: Math.min(one.startedAt, one.endedAt, now + aheadMs) }))
    .sort((a, b) => a.endedAt - b.endedAt)
  const state = record ?? newRecord(talk[0]?.startedAt ?? now, now, timing.evaluateEveryMs)
  const due: Due = { looks: [], jobs: [] }
  const touched = new Set<string>()
  if (state.session.paused) return { record: state, due, touched }
  const news = unheard(state, heard)
  for (const { groupId, seq, ...utterance } of talk) {
    if (seq !== undefined && !news.has(seq)) continue
    evaluateUntil(state, utterance.endedAt, now, contextOf, timing, due, touched, () => cameAt)
    listen(state, groupId, utterance, contextOf(groupId), timing)
    if (cameAt !== undefined) (state.groups[groupId] as GroupPart).waiting ??= cameAt
    touched.add(groupId)
    state.session.clock = Math.max(state.session.clock, utterance.endedAt)
    state.session.seenAt = now
  }
  return { record: state, due, touched }
}

/** Remembers talk as heard, and says which of it was not. In the order of `seq`, else holes of a moment would count. */
function unheard ({ session }: GuidanceRecord, talk: readonly Heard[]): Set<number> {
  const seqs = talk.flatMap(({ seq }) => seq ?? []).sort((a, b) => a - b)
  session.heard ??= []
  const { heard } = session
  return new Set(seqs.filter(seq => addTo(heard, seq)))
}

/** Lets time pass without talk, while the talk is live: silence is measured against the session's newest slice. */
export function tick (record: GuidanceRecord, now: number, contextOf: (groupId: string) => KnownGroup, timing: Timing): { due: Due, touched: Set<string> } {
  const due: Due = { looks: [], jobs: [] }
  const touched = new Set<string>()
  const { paused, clock, seenAt } = record.session
  const event = eventNow(record, now)
  if (!paused && seenAt - clock <= liveMs) evaluateUntil(record, event - lateMs, now, contextOf, timing, due, touched, at => now - (event - at))
  return { due, touched }
}

/** Nothing is judged while a session is paused, and the pause is not silence. */
export function pause (record: GuidanceRecord, now: number): void {
  if (record.session.paused) return
  record.session.clock = eventNow(record, now)
  record.session.seenAt = now
  record.session.paused = true
}

export function resume (record: GuidanceRecord, now: number, timing: Timing): void {
  const { session } = record
  if (!session.paused) return
  const gap = eventNow(record, now) - session.clock
  excuse(record, session.clock, session.clock + gap)
  session.paused = false
  session.clock += gap
  session.seenAt = now
  session.nextAt = Math.max(session.nextAt, session.origin + Math.ceil((session.clock - session.origin) / timing.evaluateEveryMs) * timing.evaluateEveryMs)
  for (const group of Object.values(record.groups)) {
    skip(group.features, session.clock)
    group.windowStart += gap
    group.tier1At += gap
    group.tier2At += gap
    if (group.waiting !== undefined) group.waiting = now
  }
}

/** The event time that it is now: the newest talk, and the time that has passed since it came. */
export function eventNow ({ session }: GuidanceRecord, now: number): number {
  return session.clock + Math.max(0, now - session.seenAt)
}

/** The group's context, and the ways in which its members may be named as speakers: by ids, or by names. */
export interface KnownGroup { context: Omit<GroupContext, 'members'>, naming: readonly (readonly string[])[] }

function contextFor (group: GroupPart, { context, naming }: KnownGroup): GroupContext {
  return { ...context, members: group.naming === null ? [] : naming[group.naming] ?? [] }
}

function listen (record: GuidanceRecord, groupId: string, utterance: Utterance, known: KnownGroup, timing: Timing): void {
  const group = record.groups[groupId] ??= newGroup(utterance.startedAt, timing.tier1WarmupMs, timing.tier2WindowMs)
  const way = known.naming.findIndex(names => utterance.speaker !== null && names.includes(utterance.speaker))
  if (group.naming === null && way >= 0) group.naming = way
  group.features = fold(group.features, utterance, contextFor(group, known))
  group.totals.slices++
  keep(group.utterances, utterance, recordBounds.utterances)
  if (timing.keepTalk) keep(group.talk, utterance, recordBounds.talk)
}

function keep (talk: Utterance[], utterance: Utterance, limit: number): void {
  talk.push(utterance)
  if (talk.length > limit) talk.shift()
}

/** @param silentFrom when the silence came in of which a look at this event time tells */
function evaluateUntil (
  record: GuidanceRecord, until: number, now: number, contextOf: (groupId: string) => KnownGroup, timing: Timing, due: Due, touched: Set<string>,
  silentFrom: (at: number) => number | undefined
): void {
  const { session, groups } = record
  const { evaluateEveryMs: every } = timing
  if (until - session.nextAt > longestGapMs) session.nextAt += Math.floor((until - longestGapMs - session.nextAt) / every) * every
  for (; session.nextAt <= until; session.nextAt += every) {
    const at = session.nextAt
    const inOrder = Object.entries(groups).sort(([a], [b]) => a < b ? -1 : 1)
    const peers = inOrder.map(([groupId, group]) => ({ groupId, peer: peerOf(group.features, at) }))
    for (const [groupId, group] of inOrder) {
      if (group.firstAt > at) continue
      const context = contextFor(group, contextOf(groupId))
      const assessment = assess(group.features, at, context, peersOf(peers.filter(one => one.groupId !== groupId).map(one => one.peer)))
      const cameAt = group.waiting ?? silentFrom(at)
      delete group.waiting
      const cause = cameAt === undefined ? {} : { cause: { cameAt } }
      due.looks.push({ groupId, at, assessment, ...cause })
      due.jobs.push(...closeWindows(record, groupId, group, at, now, context, assessment, timing, cause))
      touched.add(groupId)
    }
  }
}

/** Windows whose time has come. They are remembered as jobs until they are analysed, so that none is lost with a process. */
function closeWindows (record: GuidanceRecord, groupId: string, group: GroupPart, at: number, now: number, context: GroupContext, assessment: Assessment, timing: Timing, cause: { cause?: Cause }): Job[] {
  const jobs: Job[] = []
  const add = (tier: 1 | 2, start: number, utterances: Utterance[]): void => {
    const job = { id: `${groupId}:${tier}:${at}`, window: { sessionId: '', groupId, start, end: at, utterances, assessment }, claimedUntil: now + claimMs, ...cause }
    jobs.push(tier === 1 ? { ...job, tier } : { ...job, tier, reading: tier2(group.features, at, context) })
  }
  if (at >= group.tier1At) {
    if (group.utterances.length > 0) add(1, group.windowStart, group.utterances)
    group.utterances = []
    group.windowStart = at
    group.tier1At = at + timing.tier1WindowMs
  }
  if (at >= group.tier2At) {
    add(2, at - timing.tier2WindowMs, group.talk)
    group.talk = []
    group.tier2At = at + timing.tier2WindowMs
  }
  record.session.jobs.push(...jobs)
  if (record.session.jobs.length > recordBounds.jobs) record.session.jobs.splice(0, record.session.jobs.length - recordBounds.jobs)
  return jobs
}
