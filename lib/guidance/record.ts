import type { Assessment, Utterance, Window } from './analyzer.ts'
import { shiftStart, start, type Features, type ShiftState } from './embedded/index.ts'
import type { Ranges } from './ranges.ts'
import type { AttentionNow, Heat, TeacherPrompt, Tier1Insights, Tier2Insights } from './schema.ts'

/**
 * The talk that something follows from, whichever process acts on it: when the first of it came in (ms since 1970; silence
 * came when the look at it was due) and the W3C traceparent of its coming in, when there is one.
 */
export interface Cause { cameAt?: number, trace?: string }

/** A look at a group at a point of the grid. */
export interface Look { groupId: string, at: number, assessment: Assessment, cause?: Cause }

/** What is remembered of a session's guidance: plain JSON, so that any process can go on where another stopped. */
export interface GuidanceRecord {
  session: SessionPart
  groups: Record<string, GroupPart>
}

export interface SessionPart {
  /** Event time of the first talk; the evaluation grid starts there, so that a class replayed later gives the same. */
  origin: number
  /** Newest event time, and the backend's time when it was seen: silence is measured against both. */
  clock: number
  seenAt: number
  /** The stored slices that were heard, by their `seq`. */
  heard?: Ranges
  /** The next point of the evaluation grid. */
  nextAt: number
  paused: boolean
  /** Open prompts and those that were answered lately, oldest first. */
  prompts: PromptEntry[]
  /** Windows that were closed and are not analysed yet. */
  jobs: Job[]
  /** Which process acts on what is due, and until when (ms since 1970); looks that became due meanwhile, oldest first. */
  lease: { owner: string, until: number } | null
  looks: Look[]
  /** The traceparent of the newest talk: what follows from silence follows from the last that was said. */
  trace?: string
}

export interface GroupPart {
  features: Features
  /** Event time of the first talk. */
  firstAt: number
  /** Which way of naming members the speakers of this group were found in; then only members count. */
  naming: number | null
  /** When the first talk came in that no look has seen yet (ms since 1970). */
  waiting?: number
  /** Talk since the last tier1 window, bounded. */
  utterances: Utterance[]
  /** Talk since the last tier2 window, bounded; empty unless somebody reads tier2's talk. */
  talk: Utterance[]
  windowStart: number
  tier1At: number
  tier2At: number
  shift: ShiftState
  heat: Heat | null
  /** The strongest reason and since when it is that. */
  lead: { signal: string, since: number } | null
  attention: AttentionNow | null
  tier1: Tier1Insights | null
  tier2: Tier2Insights | null
  totals: { slices: number, scores: number, sum: number, max: number, prompts: number }
}

export interface PromptEntry {
  prompt: TeacherPrompt
  signal: string
  /** It has gone out. A prompt is stored first, and told again under the same id when the process died in between. */
  told: boolean
  /** The talk that it follows from. */
  cause?: Cause
  done: readonly string[]
  feedback?: string
  /** It ran out untouched, and its template has learnt of that; or it ran out in a pause, and nothing is learnt. */
  over?: 'silent' | 'paused'
}

/** A window to analyse. Whoever holds the claim does it; a claim that ran out may be taken over. */
export type Job = { id: string, window: Window, claimedUntil: number, cause?: Cause } & (
  | { tier: 1 }
  /** `reading` is what the features said when the window closed: talk that came since does not change it. */
  | { tier: 2, reading: Tier2Insights }
)

export const recordBounds = { utterances: 120, talk: 240, prompts: 60, jobs: 64, looks: 64 } as const

export function newRecord (origin: number, now: number, everyMs: number): GuidanceRecord {
  return {
    session: { origin, clock: origin, seenAt: now, nextAt: origin + everyMs, paused: false, prompts: [], jobs: [], lease: null, looks: [] },
    groups: {}
  }
}

export function newGroup (at: number, tier1WarmupMs: number, tier2WindowMs: number): GroupPart {
  return {
    features: start(),
    firstAt: at,
    naming: null,
    utterances: [],
    talk: [],
    windowStart: at,
    tier1At: at + tier1WarmupMs,
    tier2At: at + tier2WindowMs,
    shift: shiftStart(),
    heat: null,
    lead: null,
    attention: null,
    tier1: null,
    tier2: null,
    totals: { slices: 0, scores: 0, sum: 0, max: 0, prompts: 0 }
  }
}
