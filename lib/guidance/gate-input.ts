import { Compile } from 'typebox/compile'
import { ClasswavesError } from '../core/errors.ts'
import { Id } from '../core/schema.ts'
import type { GateName, Gates, GateSettings, Tier2Snapshot } from './gates.ts'

/** What a gate is asked, and what it answers. */
export type Input<G extends GateName> = Parameters<Gates[G]>[0]
export type Decision<G extends GateName> = Awaited<ReturnType<Gates[G]>>

interface Group { sessionId: string, groupId: string, at: number | undefined }

/** Questions after `checks`: every number finite and in range, every identifier safe in a key, defaults filled in. */
export interface Checked {
  energy: Group & { sample: number, id: string | undefined }
  attention: Group & { score: number, minScoreDelta: number, minTimeDeltaMs: number }
  promptPressure: Group
  acknowledge: Group & { id: string | undefined }
  cooldown: Group & { cooldownMs: number }
  dedupe: Group & { category: string, message: string, peek: boolean }
  promptStats: { templateKey: string, outcome: number | undefined, id: string | undefined, at: number | undefined }
  tier2Snapshot: Group & { snapshot: Tier2Snapshot | undefined }
  tier2Shift: Group & { throttleMs: number }
}

/** Beyond these a double no longer counts in whole units, or a Date ends. The scripts hold the same limits. */
const amountLimit = 1e15
const timeLimit = 8.64e15
const messageLimit = 10_000
const snapshotLimit = { fields: 16, text: 64 }

const identifier = Compile(Id)

/**
 * One check for each gate; both backends begin with it, so both refuse the same, before anything is stored. A spread would
 * do the same, a hundred times as slow: V8 takes microseconds to add to an object that was spread first. `attention`, which is asked most, makes one object only.
 */
export const checks: { [G in GateName]: (input: Input<G>, settings: GateSettings) => Checked[G] } = {
  energy: input => Object.assign(group(input), { id: optionalId(input.id), sample: number('sample', input.sample, -amountLimit, amountLimit) }),
  attention (input, { attention }) {
    const { sessionId, groupId, at } = group(input)
    return {
      sessionId,
      groupId,
      at,
      score: number('score', input.score, 0, 100),
      minScoreDelta: duration('minScoreDelta', input.minScoreDelta, attention.minScoreDelta),
      minTimeDeltaMs: duration('minTimeDeltaMs', input.minTimeDeltaMs, attention.minTimeDeltaMs)
    }
  },
  promptPressure: input => group(input),
  acknowledge: input => Object.assign(group(input), { id: optionalId(input.id) }),
  cooldown: (input, settings) => Object.assign(group(input), { cooldownMs: duration('cooldownMs', input.cooldownMs, settings.cooldownMs) }),
  dedupe: input => Object.assign(group(input), { category: id('category', input.category), message: message(input.message), peek: input.peek === true }),
  promptStats: input => ({
    templateKey: id('templateKey', shape(input).templateKey),
    outcome: input.outcome === undefined ? undefined : number('outcome', input.outcome, 0, 1),
    id: optionalId(input.id),
    at: time(input.at)
  }),
  tier2Snapshot: input => Object.assign(group(input), { snapshot: input.snapshot === undefined ? undefined : snapshot(input.snapshot) }),
  tier2Shift: (input, settings) => Object.assign(group(input), { throttleMs: duration('throttleMs', input.throttleMs, settings.tier2ShiftThrottleMs) })
}

/** Settings that would make every answer wrong stop the boot. */
export function checkSettings (settings: GateSettings): void {
  const counts = {
    ttlSeconds: settings.ttlSeconds,
    'attention.halfLifeMs': settings.attention.halfLifeMs,
    promptStatsHalfLifeMs: settings.promptStatsHalfLifeMs
  }
  for (const [name, value] of Object.entries(counts)) {
    if (!(Number.isSafeInteger(value) && value >= 1)) throw new TypeError(`guidance setting ${name} must be a whole number from 1, not ${value}`)
  }
}

function group (input: Group | Input<'promptPressure'>): Group {
  return { sessionId: id('sessionId', shape(input).sessionId), groupId: id('groupId', input.groupId), at: time(input.at) }
}

/** Hosts without types may pass nothing at all. */
function shape<T> (input: T): T {
  return typeof input === 'object' && input !== null ? input : refuse('', 'an object')
}

function id (name: string, value: unknown): string {
  return identifier.Check(value) ? value : refuse(name, 'an identifier: 1 to 64 of A-Z a-z 0-9 _ . @ -')
}

function optionalId (value: unknown): string | undefined {
  return value === undefined ? undefined : id('id', value)
}

/** Adding zero turns -0 into 0, which Redis could not tell apart. */
function number (name: string, value: unknown, low: number, high: number): number {
  if (typeof value === 'number' && value >= low && value <= high) return value + 0
  return refuse(name, `a number from ${low} to ${high}`)
}

/** Only what is missing takes the setting; null is a mistake. */
function duration (name: string, value: unknown, setting: number): number {
  return number(name, value === undefined ? setting : value, 0, amountLimit)
}

function time (value: unknown): number | undefined {
  return value === undefined ? undefined : number('at', value, 0, timeLimit)
}

function message (value: unknown): string {
  if (typeof value === 'string' && value.length > 0 && value.length <= messageLimit) return value
  return refuse('message', `a text of 1 to ${messageLimit} characters`)
}

/** A copy that the caller cannot change afterwards. */
function snapshot (value: unknown): Tier2Snapshot {
  const entries = Object.entries(typeof value === 'object' && value !== null ? value : refuse('snapshot', 'an object'))
  if (entries.length === 0 || entries.length > snapshotLimit.fields) refuse('snapshot', `an object of 1 to ${snapshotLimit.fields} fields`)
  return Object.freeze(Object.fromEntries(entries.map(([name, item]: [string, unknown]) => {
    const path = `snapshot/${id('snapshot', name)}`
    if (typeof item !== 'string') return [name, number(path, item, -amountLimit, amountLimit)]
    // Half a surrogate pair is not text: it has no form in UTF-8.
    const sound = item.length <= snapshotLimit.text && !/\p{Surrogate}/u.test(item)
    return sound ? [name, item] : refuse(path, `a text of at most ${snapshotLimit.text} characters`)
  })))
}

function refuse (name: string, wanted: string): never {
  throw new ClasswavesError('INVALID_PAYLOAD', `${name || 'The input'} must be ${wanted}.`, { path: `/${name}` })
}
