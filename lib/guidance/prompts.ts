import { createHash, randomUUID } from 'node:crypto'
import type { Look } from './advance.ts'
import type { GroupPart, GuidanceRecord } from './record.ts'
import type { Driver, Heat, TeacherPrompt } from './schema.ts'
import { templates, type Template } from './templates.ts'

/** How long the same reason must lead before a prompt is made of it (ms of event time). */
export const steadyMs = 15_000

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

/**
 * The templates for a reason, the most promising first. What is known of a template counts; the rest is chance that
 * follows from the session and the group alone, so that a replay chooses the same.
 */
export function rank (signal: string, seed: string, successRates: ReadonlyMap<string, { rate: number, observations: number }>): Template[] {
  const promise = ({ key }: Template): number => {
    const known = successRates.get(key)
    const observations = known?.observations ?? 0
    return (known?.rate ?? 0.5) + (chance(`${seed}|${key}`) - 0.5) / Math.sqrt(observations + 1)
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

export function makePrompt (
  template: Template, look: Look, heat: Heat, why: readonly Driver[], session: { sessionId: string, topic: string }, expiryMs: number
): TeacherPrompt {
  const urgent = heat === 'Focus Now'
  return {
    promptId: promptId(session.sessionId),
    sessionId: session.sessionId,
    groupId: look.groupId,
    category: template.category,
    priority: urgent ? 'high' : 'medium',
    message: template.message.replace('{topic}', session.topic),
    why: [...why],
    ...(look.assessment.evidence.length > 0 && { evidence: [...look.assessment.evidence] }),
    suggestedTiming: urgent ? 'immediate' : 'next_break',
    generatedAt: new Date(look.at).toISOString(),
    expiresAt: new Date(look.at + expiryMs).toISOString(),
    templateKey: template.key
  }
}

/** A prompt's id begins with its session's, so that an interaction finds the session without an index. */
function promptId (sessionId: string): string {
  return `${sessionId}.${randomUUID().slice(0, 13)}`
}

export function sessionOfPrompt (promptId: string): string | undefined {
  const end = promptId.lastIndexOf('.')
  return end > 0 ? promptId.slice(0, end) : undefined
}

/** Prompts that still wait for the teacher. */
export function openPrompts ({ session }: GuidanceRecord, at: number): TeacherPrompt[] {
  return session.prompts.filter(({ prompt, done }) => !done.includes('use') && !done.includes('dismiss') && Date.parse(prompt.expiresAt) > at).map(({ prompt }) => prompt)
}
