import fc from 'fast-check'
import type { GateName } from '../../../lib/guidance/gates.ts'

/** Random questions to the gates, with hostile arguments among them. */
export interface Step { gate: GateName, input: object, clock: number, flush: boolean }

/** Clocks move both ways within the shortest life of a key, so that no key ends in the midst of a history. */
export const start = 1_700_000_000_000
const clocks = fc.integer({ min: 0, max: 500_000 }).map(ms => start + ms)

/** What neither side may take for a number; `''` asks some scripts to read, so it is tried where it does not. */
const notNumbers = fc.constantFrom<unknown>(NaN, Infinity, -Infinity, Number('1e400'), -1, 2 ** 53 + 1, 1.7e308, 'abc', 'nan', 'inf', '0x10', ' 5', '1e', null)
const mostly = <T> (fair: fc.Arbitrary<T>, hostile: fc.Arbitrary<unknown> = notNumbers) => fc.oneof({ weight: 24, arbitrary: fair }, { weight: 1, arbitrary: hostile })
const at = mostly(fc.oneof(fc.constant(undefined), clocks, fc.integer({ min: -100_000, max: 520_000 }).map(ms => start + ms / 4), fc.constantFrom(0, -0, 8.64e15)))
const id = mostly(fc.constantFrom(undefined, undefined, 'a', 'b', 'c'), fc.constantFrom('a|b', 'ä', 'x'.repeat(65)))
const within = (min: number, max: number) => fc.oneof(fc.integer({ min, max }), fc.double({ min, max, noNaN: true }), fc.constantFrom(min, max))
/** Between limits of the gate; just outside counts as hostile. */
const number = (min: number, max: number) => mostly(within(min, max), fc.oneof(notNumbers, fc.constantFrom(min - 0.5, max + 0.5)))
const interval = mostly(fc.constantFrom(0, 1, 1000, 30_000, 90_000, 600_000, 0.5))
const unit = mostly(fc.oneof(fc.constantFrom(0, 1, -0, 0.5, undefined), fc.double({ min: 0, max: 1, noNaN: true })))
const spread = fc.constantFrom(5, 5.018, 5.02, 5.022, 5.03)
const sample = fc.oneof(within(-20, 20), number(-1e15, 1e15), spread, fc.integer({ min: 0, max: 9 }).map(n => 1e9 + n / 8), fc.constantFrom(-0, ''))
const snapshots = fc.option(fc.dictionary(fc.constantFrom('collaborationPatterns', 'learningSignals', '__proto__'), fc.oneof(
  mostly(within(-1, 1)), fc.string({ maxLength: 5 })), { minKeys: 1 }), { nil: undefined })

const steps = (...asked: [GateName, fc.Arbitrary<object>][]): fc.Arbitrary<Step[]> => fc.array(
  fc.record({
    ask: fc.oneof(...asked.map(([gate, input]) => input.map(fields => ({ gate, input: fields })))),
    clock: clocks,
    flush: fc.integer({ max: 99, min: 0 }).map(n => n === 0)
  }).map(({ ask, clock, flush }) => ({ ...ask, clock, flush })),
  { minLength: 1, maxLength: 6 }
)

/** Each script with its gates, and questions that show at the end what is stored. */
export const lanes: Record<string, { history: fc.Arbitrary<Step[]>, probes: [GateName, object][] }> = {
  energy: { history: steps(['energy', fc.record({ sample, id })]), probes: [] },
  attention: {
    history: steps(['attention', fc.record({ score: number(0, 100), minScoreDelta: mostly(fc.constantFrom(0, 1, 5, 0.1, 200)), minTimeDeltaMs: interval, at })]),
    probes: [['attention', { score: 0, minScoreDelta: 5, minTimeDeltaMs: 1000, at: 0 }]]
  },
  acknowledgements: {
    history: steps(['acknowledge', fc.record({ id, at })], ['promptPressure', fc.record({ at })]),
    probes: [['promptPressure', { at: start }]]
  },
  cooldown: { history: steps(['cooldown', fc.record({ cooldownMs: interval, at })]), probes: [['cooldown', { cooldownMs: 1, at: 0 }]] },
  dedupe: {
    history: steps(['dedupe', fc.record({ category: fc.constantFrom('a', 'b'), message: fc.constantFrom('why?', 'Why', 'how?', '✅', '❌'), peek: fc.boolean() })]),
    probes: ['why', 'how', '✅', '❌'].map(message => ['dedupe', { category: 'a', message, peek: true }])
  },
  promptStats: { history: steps(['promptStats', fc.record({ outcome: unit, id, at })]), probes: [['promptStats', { at: start }]] },
  tier2Snapshot: { history: steps(['tier2Snapshot', fc.record({ snapshot: snapshots, at })]), probes: [['tier2Snapshot', {}]] },
  tier2Shift: { history: steps(['tier2Shift', fc.record({ throttleMs: interval, at })]), probes: [['tier2Shift', { throttleMs: 1, at: 0 }]] }
}
