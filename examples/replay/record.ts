import { heat, heats, type AttentionEvent, type Driver, type Heat, type TeacherPrompt, type Tier2ShiftEvent } from '../../lib/contract.ts'
import type { Ears } from './listen.ts'
import { phrase, reasons } from './words.ts'

/** What was heard of a class while it was replayed. Times are seconds since the class began. */

export interface Moment {
  at: number
  kind: 'Focus Now' | 'Watch Next' | 'Stable' | 'alert' | 'prompt' | 'shift'
  /** One line that a person can follow. */
  text: string
  /** What to say, and what was heard. */
  details?: string[]
}

export interface GroupRecord {
  groupId: string
  name: string
  slices: number
  /** The end of the class, or of this group's recording if that comes first. */
  heardUntil: number
  scores: { at: number, score: number }[]
  meanAttention: number | null
  maxAttention: number | null
  alerts: number
  prompts: number
  moments: Moment[]
}

export interface Recorder {
  ears: Ears
  /** The record of each group, when the class is over. */
  finish (durationSeconds: number): GroupRecord[]
}

export interface Listened { groupId: string, name: string, slices: number, recordedUntil?: number }

/** @param zero when the class began, in milliseconds since 1970 */
export function createRecorder (groups: readonly Listened[], zero: number, onMoment: (group: string, moment: Moment) => void): Recorder {
  const records = new Map(groups.map(group => [group.groupId, { ...group, scores: [], moments: [], heat: 'Stable', prompted: new Set<string>() } as Open]))

  /** The record that something heard belongs to, unless the recording of that group is over. */
  const locate = (groupId: string, timestamp: string): { record: Open, at: number } | null => {
    const record = records.get(groupId)
    const at = (Date.parse(timestamp) - zero) / 1000
    return !record || at > (record.recordedUntil ?? Infinity) + 1 ? null : { record, at }
  }
  const add = (record: Open, moment: Moment): void => {
    record.moments.push(moment)
    onMoment(record.name, moment)
  }
  const attention = ({ metrics, timestamp }: AttentionEvent): void => {
    const found = locate(metrics.groupId, timestamp)
    if (!found) return
    const { record, at } = found
    const { attentionScore: score, why } = metrics
    record.scores.push({ at, score })
    const now = follow(record.heat, score)
    if (now === record.heat) return
    record.heat = now
    add(record, { at, kind: now, text: now === 'Stable' ? `Stable again (${score})` : named(`${now} (${score})`, why) })
  }
  const shift = ({ metrics: { groupId, metric, previous, current }, timestamp }: Tier2ShiftEvent): void => {
    const found = locate(groupId, timestamp)
    if (found) add(found.record, { at: found.at, kind: 'shift', text: `Over some minutes ${phrase(metric)} went from ${shown(previous)} to ${shown(current)}` })
  }
  const prompt = (kind: 'alert' | 'prompt') => (given: TeacherPrompt): void => {
    const found = locate(given.groupId, given.generatedAt)
    if (!found || found.record.prompted.has(given.promptId)) return
    found.record.prompted.add(given.promptId)
    const heard = given.evidence?.length ? [`Heard: ${given.evidence.map(piece => `"${piece}"`).join(' ')}`] : []
    const what = `${kind === 'alert' ? 'Alert' : 'Prompt'}, ${given.category}`
    add(found.record, { at: found.at, kind, text: named(what, given.why), details: [given.message, ...heard] })
  }

  return {
    ears: {
      'guidance:analytics': event => { event.category === 'attention' ? attention(event) : shift(event) },
      'teacher:alert': prompt('alert'),
      'teacher:recommendations': prompts => { prompts.forEach(prompt('prompt')) }
    },
    finish: durationSeconds => [...records.values()].map(({ prompted, heat, recordedUntil = durationSeconds, ...record }) => ({
      ...record,
      heardUntil: recordedUntil,
      scores: record.scores.map(({ at, score }) => ({ at: Math.round(at * 10) / 10, score })),
      meanAttention: mean(record.scores, recordedUntil),
      maxAttention: record.scores.length > 0 ? Math.max(...record.scores.map(({ score }) => score)) : null,
      alerts: record.moments.filter(({ kind }) => kind === 'alert').length,
      prompts: record.moments.filter(({ kind }) => kind === 'prompt').length,
      moments: record.moments.sort((a, b) => a.at - b.at)
    }))
  }
}

interface Open extends Omit<GroupRecord, 'heardUntil' | 'meanAttention' | 'maxAttention' | 'alerts' | 'prompts'> {
  recordedUntil?: number
  heat: Heat
  prompted: Set<string>
}

/** A score must fall this far below its heat before a group counts as cooler: a story that flickers cannot be followed. */
const clearly = 12

function follow (before: Heat, score: number): Heat {
  const now = heat(score)
  const cooler = heats.indexOf(now) > heats.indexOf(before)
  return cooler && heat(score + clearly) === before ? before : now
}

/** A score holds until the next one: the gates send what is new, not what is the same. */
function mean (scores: GroupRecord['scores'], end: number): number | null {
  const [first] = scores
  if (!first) return null
  let area = 0
  for (const [index, { at, score }] of scores.entries()) area += score * Math.max(0, (scores[index + 1]?.at ?? end) - at)
  return end > first.at ? Math.round(area / (end - first.at)) : first.score
}

function named (what: string, why: readonly Driver[] | undefined): string {
  const because = reasons(why)
  return because ? `${what}: ${because}` : what
}

function shown (value: number | string): string {
  return typeof value === 'number' ? value.toFixed(2) : value
}
