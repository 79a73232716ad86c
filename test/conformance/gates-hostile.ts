import type { Test } from 'tap'
import type { Gates } from '../../lib/guidance/gates.ts'
import { newGroup, type MakeGates } from './gates.ts'

/** What no argument that counts may be, and no time. */
export const hostileNumbers: unknown[] = [NaN, Infinity, -Infinity, Number('1e400'), -1, 2 ** 53 + 1, Number.MAX_VALUE, '', '5', 'abc', null, true, {}, [], 5n]

/** What may not stand in a key: another key's separator, a hash tag, a pattern, a line, too much, nothing. */
const hostileIds: unknown[] = ['', 'a:b', '{x}', 'a\nb', 'a\n', '*', 'a b', 'ä', 'x'.repeat(65), 'x'.repeat(10_000), undefined, null, 7, {}, ['a']]

/** Every argument of every gate refuses what it cannot mean, and what was stored stays as it was. */
export function gatesRefuse (t: Test, make: MakeGates): void {
  const at = Date.now() - 3_600_000

  t.test('what is not a number in range is refused and changes nothing', async t => {
    const gates = make()
    const group = newGroup()
    const templateKey = `t.${group.sessionId}`
    await gates.energy({ ...group, sample: 5 })
    await gates.attention({ ...group, score: 50, at })
    await gates.acknowledge({ ...group, at })
    await gates.cooldown({ ...group, at })
    await gates.promptStats({ templateKey, outcome: 1, at })
    await gates.tier2Snapshot({ ...group, snapshot: { learningSignals: 1 }, at })
    await gates.tier2Shift({ ...group, at })
    const late = at - 1
    const state = async () => [
      await gates.promptPressure({ ...group, at }), await gates.promptStats({ templateKey, at }), await gates.tier2Snapshot({ ...group, at }),
      await gates.attention({ ...group, score: 50, at: late }), await gates.cooldown({ ...group, at: late }), await gates.tier2Shift({ ...group, at: late })
    ]
    const before = await state()
    for (const bad of hostileNumbers) {
      const attempts: [keyof Gates, object][] = [
        ['attention', { score: bad }], ['attention', { score: 90, minScoreDelta: bad }], ['attention', { score: 90, minTimeDeltaMs: bad }],
        ['cooldown', { cooldownMs: bad }], ['promptStats', { templateKey, outcome: bad }],
        ['tier2Snapshot', { snapshot: { learningSignals: bad } }], ['tier2Shift', { throttleMs: bad }],
        ...(['attention', 'promptPressure', 'acknowledge', 'cooldown', 'promptStats', 'tier2Snapshot', 'tier2Shift'] as const).map(
          (gate): [keyof Gates, object] => [gate, { score: 90, templateKey, outcome: 1, snapshot: { a: 1 }, at: bad }])
      ]
      for (const [gate, input] of attempts) {
        if (fair(gate, input, bad)) continue
        await refused(t, gates, gate, { ...group, at: at + 200_000, ...input })
      }
      if (bad !== -1) await refused(t, gates, 'energy', { ...group, sample: bad })
    }
    t.same(await state(), before)
    t.equal((await gates.energy({ ...group, sample: -0 })).count, 2)
  })

  t.test('what is not an identifier never reaches a key', async t => {
    const gates = make()
    const given = { sample: 1, score: 1, category: 'c', message: 'm' }
    for (const bad of hostileIds) {
      for (const gate of ['energy', 'attention', 'promptPressure', 'acknowledge', 'cooldown', 'dedupe', 'tier2Snapshot', 'tier2Shift'] as const) {
        await refused(t, gates, gate, { ...given, sessionId: bad, groupId: 'g' })
        await refused(t, gates, gate, { ...given, sessionId: 's', groupId: bad })
      }
      await refused(t, gates, 'promptStats', { templateKey: bad })
      await refused(t, gates, 'dedupe', { ...newGroup(), category: bad, message: 'm' })
      if (bad !== undefined) await refused(t, gates, 'acknowledge', { ...newGroup(), id: bad })
    }
    for (const message of ['', 'x'.repeat(10_001), undefined, 7]) await refused(t, gates, 'dedupe', { ...newGroup(), category: 'c', message })
    for (const snapshot of [{}, [], 'text', { 'a:b': 1 }, { a: 'x'.repeat(65) }, { a: '\ud800' }, Object.fromEntries(Array.from({ length: 17 }, (_, n) => [`f${n}`, n]))]) {
      await refused(t, gates, 'tier2Snapshot', { ...newGroup(), snapshot })
    }
    for (const gate of Object.keys(gates) as (keyof Gates)[]) {
      await refused(t, gates, gate, undefined)
      await refused(t, gates, gate, null)
    }
  })
}

/** A text and a negative number are fair fields of a snapshot. */
function fair (gate: keyof Gates, input: object, bad: unknown): boolean {
  return gate === 'tier2Snapshot' && 'snapshot' in input && !('score' in input) && (typeof bad === 'string' || bad === -1)
}

async function refused (t: Test, gates: Gates, gate: keyof Gates, input: unknown): Promise<void> {
  const ask = gates[gate] as (input: unknown) => Promise<unknown>
  await t.rejects(ask(input), { code: 'INVALID_PAYLOAD' }, `${gate} ${inspect(input)}`)
}

function inspect (input: unknown): string {
  return JSON.stringify(input, (_, value: unknown) => typeof value === 'bigint' || typeof value === 'number' ? String(value) : value)?.slice(0, 200)
}
