import type { Test } from 'tap'
import type { Leases } from '../../lib/core/leases.ts'

/** What every backend of the leases does for one process. */
export function leasesConform (t: Test, open: (t: Test) => Promise<Leases>): void {
  t.test('the first to come and the last to go are told', async t => {
    const leases = await open(t)
    t.same(await leases.hold('room', 'one'), { held: true, first: true, count: 1 })
    t.same(await leases.hold('room', 'two'), { held: true, first: false, count: 2 })
    t.equal(await leases.count('room'), 2)
    t.same(await leases.release('room', 'one'), { last: false, count: 1 })
    t.same(await leases.release('room', 'two'), { last: true, count: 0 })
    t.equal(await leases.count('room'), 0)
    t.same(await leases.hold('room', 'one'), { held: true, first: true, count: 1 }, 'who comes again is first again')
  })

  t.test('holding twice is holding once', async t => {
    const leases = await open(t)
    await leases.hold('room', 'one')
    t.same(await leases.hold('room', 'one'), { held: true, first: false, count: 1 })
    t.same(await leases.release('room', 'one'), { last: true, count: 0 })
  })

  t.test('releasing what is not held is not a last', async t => {
    const leases = await open(t)
    t.same(await leases.release('room', 'nobody'), { last: false, count: 0 })
    await leases.hold('room', 'one')
    t.same(await leases.release('room', 'nobody'), { last: false, count: 1 })
    await leases.release('room', 'one')
    t.same(await leases.release('room', 'one'), { last: false, count: 0 })
  })

  t.test('a full set refuses, stores nothing, and takes the next one when somebody has gone', async t => {
    const leases = await open(t)
    await leases.hold('room', 'one', 2)
    await leases.hold('room', 'two', 2)
    t.same(await leases.hold('room', 'three', 2), { held: false, first: false, count: 2 })
    t.equal(await leases.count('room'), 2)
    t.same(await leases.hold('room', 'two', 2), { held: true, first: false, count: 2 }, 'a member is not in its own way')
    await leases.release('room', 'one')
    t.same(await leases.hold('room', 'three', 2), { held: true, first: false, count: 2 })
    t.same(await leases.hold('empty', 'one', 0), { held: false, first: false, count: 0 })
  })

  t.test('parallel holds do not pass a limit together, and one of them is first', async t => {
    const leases = await open(t)
    const answers = await Promise.all(Array.from({ length: 30 }, (_, i) => leases.hold('room', `member ${i}`, 7)))
    t.equal(answers.filter(({ held }) => held).length, 7)
    t.equal(answers.filter(({ first }) => first).length, 1)
    t.equal(await leases.count('room'), 7)
    const gone = await Promise.all(answers.map(({ held }, i) => held && leases.release('room', `member ${i}`)))
    t.equal(gone.filter(answer => answer && answer.last).length, 1)
  })

  t.test('sets do not know of each other', async t => {
    const leases = await open(t)
    await leases.hold('presence:s1:u1', 'socket')
    t.same(await leases.hold('presence:s1:u2', 'socket'), { held: true, first: true, count: 1 })
    t.same(await leases.release('presence:s1:u1', 'socket'), { last: true, count: 0 })
    t.equal(await leases.count('presence:s1:u2'), 1)
  })

  t.test('closing lets go of everything, and may be done twice', async t => {
    const leases = await open(t)
    await leases.hold('room', 'one')
    await leases.hold('room', 'two')
    await leases.hold('other', 'one')
    await leases.close()
    await leases.close()
    t.equal(await leases.count('room'), 0)
    t.equal(await leases.count('other'), 0)
    t.same(await leases.release('room', 'one'), { last: false, count: 0 })
  })

  t.test('what is not a name or a number is refused', async t => {
    const leases = await open(t)
    for (const max of [NaN, -1, 1.5, Infinity]) await t.rejects(leases.hold('room', 'one', max), TypeError)
    await t.rejects(leases.hold('', 'one'), TypeError)
    await t.rejects(leases.hold('room', ''), TypeError)
    await t.rejects(leases.release('room', ''), TypeError)
    t.equal(await leases.count('room'), 0)
  })
}
