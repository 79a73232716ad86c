import { heat } from './heat.ts'
import type { Analysis } from './analysis.ts'
import type { GroupContext } from './analyzer.ts'
import type { Announcer } from './announce.ts'
import { announced, detect, paceOf, settle, snapshotOf } from './embedded/index.ts'
import type { Gates } from './gates.ts'
import { follow, makePrompt, openPrompts, outcomes, rank, remember, silentPrompts, untoldPrompts, waitAfter, worthPrompt, type Known, type Pace } from './prompts.ts'
import { recordBounds, type Cause, type GuidanceRecord, type Job, type Look, type PromptEntry } from './record.ts'
import { scaleDrivers } from './scale.ts'
import { templates } from './templates.ts'
import type { Driver, TeacherPrompt } from './schema.ts'

export interface WorkSettings extends Pace { autoPrompts: boolean, maxPromptsPerSession: number, promptExpiryMs: number, tier2ShiftEnabled: boolean }

export interface WorkDependencies {
  gates: Gates
  analysis: Analysis
  announcer: Announcer
  settings: WorkSettings
  countPrompt: (result: 'sent' | 'cooldown' | 'duplicate' | 'capped' | 'silent') => void
  /** Told of each event that went out, and what it followed from. */
  onTold?: (event: string, cause: Cause | undefined) => void
}

/** The session as the work needs it. */
export interface Subject {
  sessionId: string
  topic: string
  contextOf: (groupId: string) => GroupContext
  /** What chance follows from: of the class alone, so that the same class gets the same prompts in another session. */
  seedOf: (groupId: string) => string
}

/** A change of the record that follows from work; it is applied in one update once the work is done. */
export type Outcome = (record: GuidanceRecord) => string | undefined

/** Does what has become due: scores, prompts and windows, each through its gates and out to the teacher. */
export class Work {
  readonly #deps: WorkDependencies

  constructor (dependencies: WorkDependencies) { this.#deps = dependencies }

  /** Prompts that were stored and not sent, by whatever process. */
  async untold (record: GuidanceRecord): Promise<Outcome[]> {
    const done: Outcome[] = []
    for (const entry of untoldPrompts(record, record.session.clock)) {
      const outcome = await this.#tell(entry)
      outcome(record)
      done.push(outcome)
    }
    return done
  }

  /** @param store stores an outcome at once, for what others act upon as soon as they hear of it */
  async look (subject: Subject, record: GuidanceRecord, look: Look, store: (outcome: Outcome) => Promise<void>): Promise<Outcome[]> {
    const done: Outcome[] = []
    const apply = (outcome: Outcome): void => { outcome(record); done.push(outcome) }
    for (const entry of silentPrompts(record, look.at)) apply(await this.#silence(entry))
    const { score, why } = await this.#pressed(subject.sessionId, look)
    apply(scored(look, score, why))
    const { announcer, onTold } = this.#deps
    if (await announcer.attention(look, subject.sessionId, score, why)) onTold?.('guidance:analytics', look.cause)
    const entry = await this.#prompt(subject, record, look, why)
    if (!entry) return done
    prompted(entry)(record)
    await store(prompted(entry)) // a teacher may answer the moment it arrives
    apply(await this.#tell(entry))
    return done
  }

  async job (subject: Subject, record: GuidanceRecord, job: Job): Promise<Outcome> {
    const { sessionId } = subject
    const { groupId, end } = job.window
    const window = { ...job.window, sessionId }
    const context = subject.contextOf(groupId)
    const { analysis, announcer, gates, settings, onTold } = this.#deps
    if (job.tier === 1) {
      const { zScore } = await gates.energy({ sessionId, groupId, sample: paceOf(window), id: String(end) })
      const insights = await analysis.tier1(window, context, zScore)
      await announcer.tier1(sessionId, groupId, insights, idOf(sessionId, job))
      onTold?.('ai:tier1:insight', job.cause)
      return finished(job, group => { group.tier1 = insights })
    }
    const group = record.groups[groupId]
    if (!group) return finished(job, () => {})
    const insights = await analysis.tier2(window, job.reading, context)
    await announcer.tier2(sessionId, groupId, insights, end, idOf(sessionId, job))
    onTold?.('ai:tier2:insight', job.cause)
    const snapshot = snapshotOf(insights)
    await gates.tier2Snapshot({ sessionId, groupId, snapshot, at: end })
    const { state, shifts } = detect(group.shift, snapshot, end)
    const told = settings.tier2ShiftEnabled && shifts.length > 0 && await announcer.shifts(sessionId, groupId, shifts, end)
    const shift = told ? announced(state, shifts.map(one => one.metric)) : state
    return finished(job, part => { part.tier2 = insights; part.shift = shift })
  }

  async #tell ({ prompt, cause }: PromptEntry): Promise<Outcome> {
    const { announcer, onTold, countPrompt } = this.#deps
    const event = await announcer.prompt(prompt)
    onTold?.(event, cause)
    countPrompt('sent')
    return told(prompt.promptId)
  }

  /** The score after the teacher's acknowledgements, and reasons that add up to it. */
  async #pressed (sessionId: string, { groupId, at, assessment }: Look): Promise<{ score: number, why: Driver[] }> {
    const { pressure } = await this.#deps.gates.promptPressure({ sessionId, groupId, at })
    const score = Math.round(assessment.score * pressure)
    return { score, why: scaleDrivers(assessment.drivers, score) }
  }

  /**
   * A prompt ran out untouched. The gate counts its id once, so that two processes that see it at the same time, or
   * one that comes after a crash, teach the template once. What the teacher does with it later counts besides.
   */
  async #silence ({ prompt: { promptId, templateKey, expiresAt } }: PromptEntry): Promise<Outcome> {
    const { reason } = await this.#deps.gates.promptStats({ templateKey, outcome: outcomes.silence, id: promptId, at: Date.parse(expiresAt) })
    if (reason === 'updated') this.#deps.countPrompt('silent')
    return silenced(promptId)
  }

  /** Order matters: nothing is burnt by a refusal. Known prompts are passed over, then the slot is claimed, then the prompt. */
  async #prompt (subject: Subject, record: GuidanceRecord, look: Look, why: readonly Driver[]): Promise<PromptEntry | undefined> {
    const { gates, settings, countPrompt } = this.#deps
    const { groupId, at } = look
    const { sessionId } = subject
    const group = record.groups[groupId]
    // The score itself decides, not the heat that lingers: nobody is sent to a group that has just recovered.
    const level = heat(group?.attention?.attentionScore ?? 0)
    if (!settings.autoPrompts || !group?.lead || !worthPrompt(group, level, at)) return undefined
    if (openPrompts(record, at).length >= settings.maxPromptsPerSession) {
      countPrompt('capped')
      return undefined
    }
    const { signal } = group.lead
    const earlier = record.session.prompts.map(one => one.prompt).filter(prompt => prompt.groupId === groupId)
    const cooldownMs = waitAfter(earlier, level === 'Focus Now', settings)
    for (const template of rank(signal, subject.seedOf(groupId), await this.#known(signal, at))) {
      const candidate = { sessionId, groupId, category: template.category, message: template.message, at }
      if (!(await gates.dedupe({ ...candidate, peek: true })).allowed) continue
      if (!(await gates.cooldown({ sessionId, groupId, at, cooldownMs })).allowed) {
        countPrompt('cooldown')
        return undefined
      }
      if (!(await gates.dedupe(candidate)).allowed) continue
      const prompt: TeacherPrompt = makePrompt(template, look, level, why, subject, settings.promptExpiryMs)
      return { prompt, signal, done: [], told: false, ...(look.cause && { cause: look.cause }) }
    }
    countPrompt('duplicate')
    return undefined
  }

  async #known (signal: string, at: number): Promise<Map<string, Known>> {
    const known = new Map<string, Known>()
    for (const { key } of templates.filter(template => template.signal === signal)) {
      const { successSum, weightSum } = await this.#deps.gates.promptStats({ templateKey: key, at })
      known.set(key, { successes: successSum, weight: weightSum })
    }
    return known
  }
}

function scored (look: Look, score: number, why: Driver[]): Outcome {
  const { groupId, at, assessment } = look
  return record => {
    const group = record.groups[groupId]
    if (!group || (group.attention && Date.parse(group.attention.timestamp) > at)) return undefined
    group.heat = settle(group.heat, score)
    follow(group, look)
    group.attention = { sessionId: '', groupId, attentionScore: score, heat: group.heat, why, sentence: assessment.sentence, timestamp: new Date(at).toISOString() }
    if (assessment.metrics.confidence > 0) {
      group.totals.scores++
      group.totals.sum += score
      group.totals.max = Math.max(group.totals.max, score)
    }
    return groupId
  }
}

function prompted (entry: PromptEntry): Outcome {
  return record => {
    const { session, groups } = record
    remember(session.prompts, entry, recordBounds.prompts)
    const group = groups[entry.prompt.groupId]
    if (group) group.totals.prompts++
    return entry.prompt.groupId
  }
}

function told (promptId: string): Outcome {
  return ({ session }) => {
    const entry = session.prompts.find(one => one.prompt.promptId === promptId)
    if (entry) entry.told = true
    return undefined
  }
}

function silenced (promptId: string): Outcome {
  return ({ session }) => {
    const entry = session.prompts.find(one => one.prompt.promptId === promptId)
    if (entry) entry.over = 'silent'
    return undefined
  }
}

/** A window's news has its id: who analyses it again after a crash tells nothing twice. */
function idOf (sessionId: string, { id }: Job): string { return `${sessionId}:${id}` }

function finished ({ id, window }: Job, change: (group: GuidanceRecord['groups'][string]) => void): Outcome {
  return record => {
    record.session.jobs = record.session.jobs.filter(job => job.id !== id)
    const group = record.groups[window.groupId]
    if (group) change(group)
    return window.groupId
  }
}
