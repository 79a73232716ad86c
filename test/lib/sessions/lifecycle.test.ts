import t from 'tap'
import { Lifecycle, type LifecycleDependencies } from '../../../lib/sessions/lifecycle.ts'
import type { Session } from '../../../lib/sessions/schema.ts'
import { overdueAfterMs } from '../../../lib/sessions/store.ts'

/** Which transitions are told, and which of those before them again. */

function scene () {
  const told: number[] = []
  const state = { version: 1, away: false, now: 0, summaries: 0 }
  const emit = {
    async emit (_event: string, { version }: { version: number }) {
      if (state.away) throw new Error('Redis is away')
      told.push(version)
    }
  }
  const lifecycle = new Lifecycle({
    store: { transition: async () => ({ ok: true, session: { sessionId: 's', status: 'active', version: state.version } }) },
    emit: () => ({ to: () => emit }),
    now: () => state.now,
    log: { warn () {}, error () {} },
    onTransition: async () => {},
    summarise: async () => {
      state.summaries++
      return {}
    }
  } as unknown as LifecycleDependencies)
  const move = async (version: number): Promise<number[]> => {
    state.version = version
    await lifecycle.move('s', 'start')
    return told.splice(0)
  }
  return { lifecycle, move, state }
}

t.test('a process that has told nothing yet tells the three before as well, and then only what it has not told', async t => {
  const { move } = scene()
  t.same(await move(6), [3, 4, 5, 6])
  t.same(await move(7), [7])
  t.same(await move(9), [8, 9], 'another process stored one in between, and may not have told it')
  t.same(await move(4), [4], 'Redis came back from an older copy')
  t.same(await move(5), [5])
})

t.test('what could not be told is told with the next one', async t => {
  const { move, state } = scene()
  t.same(await move(2), [2])
  state.away = true
  t.same(await move(3), [])
  state.away = false
  const next = await move(4)
  t.same([next.at(0), next.at(-1)], [3, 4])
})

t.test('the results of one who may have died are told again by the time of all processes, not by that of the machine', async t => {
  const { lifecycle, state } = scene()
  const endedAt = new Date(Date.now() + 600_000).toISOString()
  const session = { sessionId: 's', status: 'ended', endedAt } as Session
  state.now = Date.parse(endedAt) + overdueAfterMs - 1
  lifecycle.tellResultsAgain(session)
  t.equal(state.summaries, 0, 'whoever ended it may be at it')
  state.now++
  lifecycle.tellResultsAgain(session)
  t.equal(state.summaries, 1)
})
