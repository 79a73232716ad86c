import { createHash } from 'node:crypto'
import { shorten } from './embedded/evidence.ts'
import type { GroupPart, GuidanceRecord, Look, PromptEntry } from './record.ts'
import type { Driver, Heat, TeacherPrompt } from './schema.ts'
import { templates, type Template } from './templates.ts'

/** How long the same reason must lead before a prompt is made of it (ms of event time). */
export const steadyMs = 15_000

/**
 * What a template learns from what became of a prompt. A prompt that ran out untouched counts a little against its
 * template, half way between a dismissal and knowing nothing (0.5): the teacher may have been busy elsewhere.
 */
export const outcomes = { use: 1, silence: 0.25, dismiss: 0 } as const

/** Is this look worth a prompt? Only while the score is high, and one reason has led for a while. */
export function worthPrompt (group: GroupPart, heat: Heat, at: number): boolean {
  return heat !== 'Stable' && group.lead !== null && at - group.lead.since >= steadyMs
}

/** Keeps who leads and since when. */
export function follow (group: GroupPart, { at, assessment }: Look): void {
  const signal = assessment.drivers[0]?.signal
  if (signal === undefined) group.lead = null
  else if (group.lead?.signal !== signal) group.lead = { signal, since: at }
}

/** What was observed of a template, faded to the moment of the choice: `successes` of `weight` observations. */
export interface Known { successes: number, weight: number }

/**
 * The templates for a reason, the most promising first: the share of successes, drawn to one half while little is
 * known, and chance, the less the more is known. Chance follows from the seed alone, so that a replay chooses the same.
 */
export function rank (signal: string, seed: string, known: ReadonlyMap<string, Known>): Template[] {
  const promise = ({ key }: Template): number => {
    const { successes, weight } = known.get(key) ?? { successes: 0, weight: 0 }
    return (successes + 1) / (weight + 2) + (chance(`${seed}|${key}`) - 0.5) / Math.sqrt(weight + 1)
  }
  return templates.filter(template => template.signal === signal)
    .map(template => ({ template, promise: promise(template) }))
    .sort((a, b) => b.promise - a.promise)
    .map(({ template }) => template)
}

/** A number from 0 to 1 that a text stands for. */
function chance (text: string): number {
  return createHash('sha256').update(text).digest().readUInt32BE(0) / 0x1_0000_0000
}

export interface Pace {
  cooldownMs: number
  /** An alert may follow a recommendation after this time; from `cooldownMs` on it waits like every prompt. */
  alertAfterMs: number
}

/**
 * How long a group is left alone after its last prompt. A recommendation started the cooldown, and now the group needs
 * an alert: that need not wait for all of it. The time is borrowed: the next prompt, an alert too, waits as much
 * longer, so that over time nobody gets more than one prompt a cooldown. `earlier` are the group's prompts, oldest first.
 */
export function waitAfter (earlier: readonly TeacherPrompt[], urgent: boolean, { cooldownMs, alertAfterMs }: Pace): number {
  const [before, last] = [earlier.at(-2), earlier.at(-1)]
  if (!last) return cooldownMs
  const borrowed = before ? Math.max(0, cooldownMs - (Date.parse(last.generatedAt) - Date.parse(before.generatedAt))) : 0
  if (borrowed > 0) return cooldownMs + borrowed
  return urgent && !isUrgent(last) ? Math.min(alertAfterMs, cooldownMs) : cooldownMs
}

function isUrgent ({ priority, suggestedTiming }: TeacherPrompt): boolean {
  return priority === 'high' && suggestedTiming === 'immediate'
}

/** Longer topics are cut: a prompt is read in passing. */
const topicChars = 80

export function makePrompt (
  template: Template, look: Look, heat: Heat, why: readonly Driver[], session: { sessionId: string, topic: string }, expiryMs: number
): TeacherPrompt {
  const urgent = heat === 'Focus Now'
  return {
    promptId: promptId(session.sessionId, [look.groupId, template.key, look.at]),
    sessionId: session.sessionId,
    groupId: look.groupId,
    category: template.category,
    priority: urgent ? 'high' : 'medium',
    // A function, because in a text `$&` would stand for something.
    message: template.message.replace('{topic}', () => shorten(session.topic, topicChars, 4 * topicChars)),
    why: [...why],
    ...(look.assessment.evidence.length > 0 && { evidence: [...look.assessment.evidence] }),
    suggestedTiming: urgent ? 'immediate' : 'next_break',
    generatedAt: new Date(look.at).toISOString(),
    expiresAt: new Date(look.at + expiryMs).toISOString(),
    templateKey: template.key
  }
}

/**
 * A prompt's id begins with its session's, so that an interaction finds the session without an index; the rest follows
 * from what the prompt is, so that the same class gives the same ids.
 */
function promptId (sessionId: string, what: readonly (string | number)[]): string {
  return `${sessionId}.${createHash('sha256').update(what.join('|')).digest('hex').slice(0, 13)}`
}

export function sessionOfPrompt (promptId: string): string | undefined {
  const end = promptId.lastIndexOf('.')
  return end > 0 ? promptId.slice(0, end) : undefined
}

/** Prompts that still wait for the teacher. */
export function openPrompts ({ session }: GuidanceRecord, at: number): TeacherPrompt[] {
  return session.prompts.filter(entry => !isAnswered(entry) && !isOver(entry, at)).map(({ prompt }) => prompt)
}

/** Prompts that were stored, and did not go out: their process died before, or Redis was away. */
export function untoldPrompts ({ session }: GuidanceRecord, at: number): PromptEntry[] {
  return session.prompts.filter(entry => !entry.told && !isAnswered(entry) && !isOver(entry, at))
}

/** Prompts that ran out by `at` without a touch, and whose templates have not learnt of it. */
export function silentPrompts ({ session }: GuidanceRecord, at: number): PromptEntry[] {
  return session.prompts.filter(entry => entry.done.length === 0 && entry.over === undefined && isOver(entry, at))
}

/** Remembers a prompt. Of too many, the oldest that is settled is forgotten, else the oldest. */
export function remember (entries: PromptEntry[], entry: PromptEntry, limit: number): void {
  entries.push(entry)
  if (entries.length > limit) entries.splice(Math.max(0, entries.findIndex(one => isAnswered(one) || one.over !== undefined)), 1)
}

/** A pause is not silence: what ran out in it teaches nothing. */
export function excuse ({ session }: GuidanceRecord, from: number, until: number): void {
  for (const entry of session.prompts) if (!isOver(entry, from) && isOver(entry, until)) entry.over = 'paused'
}

function isAnswered ({ done }: PromptEntry): boolean {
  return done.includes('use') || done.includes('dismiss')
}

function isOver ({ prompt }: PromptEntry, at: number): boolean {
  return Date.parse(prompt.expiresAt) <= at
}
