import type { Test } from 'tap'
import type { Counters } from '../../lib/core/counters.ts'

export interface CountersBackend {
  counters: Counters
  /** Lets so much time pass for the backend. */
  pass (ms: number): Promise<void>
}

const minute = 60_000
const fine = { allowed: true, retryAfterMs: 0 }

/** What every backend of the counters does. */
export function countersConform (t: Test, open: (t: Test) => Promise<CountersBackend>): void {
  t.test('a limit allows so many in a window, then says how long the window lasts', async t => {
    const { counters, pass } = await open(t)
    for (let i = 0; i < 3; i++) t.same(await counters.take('a', 3, minute), fine)
    await pass(20_000)
    const refused = await counters.take('a', 3, minute)
    t.notOk(refused.allowed)
    t.ok(refused.retryAfterMs > 35_000 && refused.retryAfterMs <= 40_000, `${refused.retryAfterMs} ms`)
    t.same(await counters.take('b', 3, minute), fine, 'another name is counted for itself')
  })

  t.test('a refusal extends nothing', async t => {
    const { counters, pass } = await open(t)
    await counters.take('a', 1, minute)
    for (let i = 0; i < 5; i++) {
      t.notOk((await counters.take('a', 1, minute)).allowed)
      await pass(12_000)
    }
    t.same(await counters.take('a', 1, minute), fine)
    t.notOk((await counters.take('a', 1, minute)).allowed, 'the next window is counted anew')
  })

  t.test('what is allowed does not extend the window either', async t => {
    const { counters, pass } = await open(t)
    await counters.take('a', 2, minute)
    await pass(59_000)
    await counters.take('a', 2, minute)
    await pass(1000)
    t.same(await counters.take('a', 2, minute), fine)
  })

  t.test('a look counts nothing', async t => {
    const { counters } = await open(t)
    for (let i = 0; i < 5; i++) t.same(await counters.peek('a', 1, minute), fine)
    t.same(await counters.take('a', 1, minute), fine)
    t.notOk((await counters.peek('a', 1, minute)).allowed)
  })

  t.test('one name may have a limit for a minute and one for a day', async t => {
    const { counters, pass } = await open(t)
    const day = 24 * 60 * minute
    await counters.take('a', 1, minute)
    await counters.take('a', 1, day)
    t.notOk((await counters.take('a', 1, minute)).allowed)
    await pass(minute)
    t.ok((await counters.take('a', 1, minute)).allowed)
    t.notOk((await counters.take('a', 1, day)).allowed)
  })

  t.test('a limit of 0 allows nothing', async t => {
    const { counters } = await open(t)
    t.same(await counters.take('a', 0, minute), { allowed: false, retryAfterMs: minute })
  })

  t.test('parallel counts do not pass a limit together', async t => {
    const { counters } = await open(t)
    const answers = await Promise.all(Array.from({ length: 50 }, () => counters.take('a', 20, minute)))
    t.equal(answers.filter(({ allowed }) => allowed).length, 20)
  })

  t.test('any name is counted, and long names are told apart', async t => {
    const { counters } = await open(t)
    const long = 'x'.repeat(10_000)
    for (const name of [long, `${long}y`, '::1', 'a:b', '{a}', 'ß\n"']) {
      t.same(await counters.take(name, 1, minute), fine)
      t.notOk((await counters.take(name, 1, minute)).allowed)
    }
  })

  t.test('what is not a limit is refused', async t => {
    const { counters } = await open(t)
    for (const [name, limit, windowMs] of [['', 1, 1], ['a', NaN, 1], ['a', -1, 1], ['a', 1.5, 1], ['a', 1, 0], ['a', 1, NaN], ['a', 1, Infinity]] as const) {
      await t.rejects(counters.take(name, limit, windowMs), TypeError)
      await t.rejects(counters.peek(name, limit, windowMs), TypeError)
    }
  })
}
