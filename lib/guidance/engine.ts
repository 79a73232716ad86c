import { randomUUID } from 'node:crypto'
import type { FastifyBaseLogger } from 'fastify'
import { ClasswavesError } from '../core/errors.ts'
import type { Tracing } from '../core/tracing.ts'
import { Turns } from '../core/turn.ts'
import { advance, inOrder, pause, resume, tick, type Due, type Heard, type KnownGroup, type Timing } from './advance.ts'
import type { Analysis } from './analysis.ts'
import type { Gates } from './gates.ts'
import { release, take, type Batch } from './lease.ts'
import { openPrompts, outcomes, sessionOfPrompt } from './prompts.ts'
import type { Cause, GroupPart, GuidanceRecord } from './record.ts'
import type { GuidanceState, PromptAction } from './schema.ts'
import type { GuidanceStore } from './store.ts'
import type { Outcome, Subject, Work } from './work.ts'

/** What guidance needs to know of a session. */
export interface Topic {
  sessionId: string
  topic: string
  goals: readonly string[]
  /** By group, the ways in which its members may be named as speakers: by ids, or by names. */
  groups: readonly { groupId: string, naming: readonly (readonly string[])[] }[]
}

export interface GroupSummary { groupId: string, slices: number, meanAttention: number | null, maxAttention: number | null, prompts: number }

/** `fastify.guidance`: talk goes in, and a teacher learns which group needs them now, why, and what to say. */
export interface Guidance {
  gates: Gates
  /** Takes talk in, in event time. Resolves when what follows from it has gone out; never rejects because of an analyzer. */
  feed (topic: Topic, heard: readonly Heard[], cause?: Cause): Promise<void>
  /** Lets silence pass; live sessions are ticked every 5 s. */
  tick (topic: Topic): Promise<void>
  /** Nothing is judged while a session is paused. */
  paused (sessionId: string): Promise<void>
  resumed (sessionId: string): Promise<void>
  state (sessionId: string): Promise<GuidanceState>
  /**
   * Records what the teacher did with a prompt and learns from it; the same action twice counts once.
   * @throws ClasswavesError PROMPT_NOT_FOUND
   */
  interact (input: { promptId: string, action: PromptAction, feedback?: string }): Promise<{ timestamp: string }>
  /** The session that a prompt belongs to, if its id says one. */
  sessionOf (promptId: string): string | undefined
  summarise (topic: Topic): Promise<GroupSummary[]>
}

export interface EngineDependencies {
  store: GuidanceStore
  gates: Gates
  work: Work
  analysis: Analysis
  timing: Timing
  /** Told of what a teacher did with a prompt, once for each action. */
  onAction?: (action: PromptAction) => void
  tracing?: Tracing | undefined
  log: FastifyBaseLogger
}

const waiting = 10_000

export function createEngine ({ store, gates, work, analysis, timing: given, onAction, tracing, log }: EngineDependencies): Guidance {
  const timing: Timing = { ...given, keepTalk: analysis.readsTier2 }
  const turns = new Turns(waiting)
  const owner = randomUUID()
  const inTurn = async (sessionId: string, task: () => Promise<void>): Promise<void> => { await turns.take(sessionId, async () => { await task(); return true }) }

  /** Applies what came of the work, on the record as it stands by then. */
  async function settle (sessionId: string, came: readonly Outcome[]): Promise<void> {
    if (came.length === 0) return
    await store.update(sessionId, record => {
      if (!record) return { result: undefined }
      return { result: undefined, record, touched: applied(came, record) }
    })
  }

  /** Acts on a batch, and then on what other processes left for this one meanwhile. */
  async function act (subject: Subject, first: Batch | null): Promise<void> {
    for (let batch = first; batch;) {
      const came: Outcome[] = []
      try {
        await perform(subject, batch, came)
      } finally {
        batch = await store.update<Batch | null>(subject.sessionId, (record, now) => {
          if (!record) return { result: null }
          const touched = applied(came, record)
          return { result: release(record, owner, now), record, touched }
        })
      }
    }
  }

  /** In the trace of what the work follows from, whichever process does it. */
  async function traced<T> (name: string, { cause }: { cause?: Cause }, task: () => Promise<T>): Promise<T> {
    return tracing ? await tracing.span(name, {}, task, { parent: cause?.trace }) : await task()
  }

  /** In the order of event time, whatever came in one call: the same class gives the same events in the same order. */
  async function perform (subject: Subject, { record, due }: Batch, came: Outcome[]): Promise<void> {
    const { sessionId } = subject
    came.push(...await work.untold(record))
    for (const { looks, jobs } of inOrder(due)) {
      for (const look of looks) came.push(...await traced('guidance look', look, async () => await work.look(subject, record, look, async outcome => await settle(sessionId, [outcome]))))
      for (const job of jobs) {
        const analysed = traced(`guidance tier${job.tier}`, job, async () => await work.job(subject, record, job)).then(async outcome => {
          outcome(record)
          if (analysis.remote) await settle(sessionId, [outcome])
          else came.push(outcome)
        }).catch((error: unknown) => log.error({ err: error, sessionId }, 'a window was not analysed'))
        if (!analysis.remote) await analysed
      }
    }
  }

  async function feed (topic: Topic, heard: readonly Heard[], cause?: Cause): Promise<void> {
    if (heard.length === 0) return
    await inTurn(topic.sessionId, async () => {
      await act(subjectOf(topic), await store.update<Batch | null>(topic.sessionId, (before, now) => {
        const { record, due, touched } = advance(before, heard, now, knownIn(topic), timing, cause?.cameAt)
        if (cause?.trace !== undefined) {
          record.session.trace = cause.trace
          follows(due, cause.trace)
        }
        return { result: take(record, due, owner, now), record, touched }
      }))
    })
  }

  return {
    gates,
    feed,

    async tick (topic) {
      await inTurn(topic.sessionId, async () => {
        await act(subjectOf(topic), await store.update<Batch | null>(topic.sessionId, (record, now) => {
          if (!record || record.session.paused) return { result: null }
          const { due, touched } = tick(record, now, knownIn(topic), timing)
          if (record.session.trace !== undefined) follows(due, record.session.trace)
          const batch = take(record, due, owner, now)
          return batch || touched.size > 0 ? { result: batch, record, touched } : { result: null }
        }))
      })
    },

    async paused (sessionId) {
      await store.update(sessionId, (record, now) => {
        if (!record) return { result: undefined }
        pause(record, now)
        return { result: undefined, record }
      })
    },

    async resumed (sessionId) {
      await store.update(sessionId, (record, now) => {
        if (!record) return { result: undefined }
        resume(record, now, timing)
        return { result: undefined, record, touched: Object.keys(record.groups) }
      })
    },

    async state (sessionId) {
      const { record } = await store.read(sessionId)
      if (!record) return { attention: [], prompts: [], insights: [] }
      const groups = Object.entries(record.groups)
      return {
        attention: groups.flatMap(([, { attention }]) => attention ? [{ ...attention, sessionId }] : [])
          .sort((a, b) => b.attentionScore - a.attentionScore),
        prompts: openPrompts(record, record.session.clock),
        insights: groups.flatMap(([groupId, { tier1, tier2, attention }]) => tier1 || tier2
          ? [{ sessionId, groupId, ...(tier1 && { tier1 }), ...(tier2 && { tier2 }), timestamp: tier1?.windowEnd ?? attention?.timestamp ?? new Date(record.session.clock).toISOString() }]
          : [])
      }
    },

    sessionOf: sessionOfPrompt,

    async interact ({ promptId, action, feedback }) {
      const sessionId = sessionOfPrompt(promptId)
      if (sessionId === undefined) throw new ClasswavesError('PROMPT_NOT_FOUND')
      const { entry, repeated, now } = await store.update(sessionId, (record, now) => {
        const entry = record?.session.prompts.find(one => one.prompt.promptId === promptId)
        if (!record || !entry) throw new ClasswavesError('PROMPT_NOT_FOUND')
        const repeated = entry.done.includes(action)
        Object.assign(entry, { done: [...new Set([...entry.done, action])], ...(feedback !== undefined && { feedback }) })
        return { result: { entry, repeated, now }, record }
      })
      if (!repeated) {
        onAction?.(action)
        await learn(entry.prompt, action)
      }
      return { timestamp: new Date(now).toISOString() }
    },

    async summarise ({ sessionId, groups }) {
      const { record } = await store.read(sessionId)
      return groups.map(({ groupId }) => summaryOf(groupId, record?.groups[groupId]))
    }
  }

  /** Acting on a prompt answers the group's call; using or dismissing it says how good the template was. */
  async function learn ({ sessionId, groupId, promptId, templateKey }: GuidanceState['prompts'][number], action: PromptAction): Promise<void> {
    if (action !== 'dismiss') await gates.acknowledge({ sessionId, groupId, id: promptId })
    if (action !== 'acknowledge') await gates.promptStats({ templateKey, outcome: outcomes[action] })
  }
}

/** Whatever process acts on it later: what is due says what it follows from. */
function follows ({ looks, jobs }: Due, trace: string): void {
  for (const one of [...looks, ...jobs]) one.cause = { ...one.cause, trace }
}

/** Changes the record by what came of the work, and says which groups that touched. */
function applied (came: readonly Outcome[], record: GuidanceRecord): Set<string> {
  return new Set(came.map(outcome => outcome(record)).filter(groupId => groupId !== undefined && groupId in record.groups) as string[])
}

function subjectOf ({ sessionId, topic, goals, groups }: Topic): Subject {
  // Pupils speak of pupils of other groups too.
  const names = groups.flatMap(group => group.naming.flat())
  return {
    sessionId,
    topic,
    contextOf: () => ({ topic, goals, members: [], names }),
    seedOf: groupId => `${topic}|${groups.findIndex(group => group.groupId === groupId)}`
  }
}

function knownIn ({ topic, goals, groups }: Topic): (groupId: string) => KnownGroup {
  return groupId => ({ context: { topic, goals }, naming: groups.find(group => group.groupId === groupId)?.naming ?? [] })
}

function summaryOf (groupId: string, group: GroupPart | undefined): GroupSummary {
  const { slices = 0, scores = 0, sum = 0, max = 0, prompts = 0 } = group?.totals ?? {}
  return { groupId, slices, meanAttention: scores > 0 ? Math.round(10 * sum / scores) / 10 : null, maxAttention: scores > 0 ? max : null, prompts }
}
