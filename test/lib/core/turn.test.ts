import { AsyncLocalStorage } from 'node:async_hooks'
import { setTimeout as wait } from 'node:timers/promises'
import t from 'tap'
import { Turn, Turns } from '../../../lib/core/turn.ts'

t.test('tasks run one after the other, also after a failure', async t => {
  const turn = new Turn(10)
  const done: number[] = []
  const slow = turn.take(async () => { await wait(10); done.push(1) })
  const failing = turn.take(async () => { throw new Error('no') })
  const last = turn.take(async () => { done.push(2) })
  await t.rejects(failing as Promise<void>, { message: 'no' })
  await Promise.all([slow, last])
  t.same(done, [1, 2])
})

t.test('a task that waited runs in the context of whoever gave it', async t => {
  const turn = new Turn(10)
  const context = new AsyncLocalStorage<number>()
  const seen: (number | undefined)[] = []
  await Promise.all([1, 2, 3].map(async n => await context.run(n, async () => await turn.take(async () => { await wait(1); seen.push(context.getStore()) }))))
  t.same(seen, [1, 2, 3])
})

t.test('more than may wait are turned away, but the last task always runs', async t => {
  const turn = new Turn(1)
  const first = turn.take(async () => await wait(5))
  t.equal(turn.take(async () => {}), undefined)
  let cleaned = false
  await turn.last(async () => { cleaned = true })
  await first
  t.ok(cleaned)
})

t.test('each key has a turn of its own and gives results and failures back', async t => {
  const turns = new Turns(2)
  const order: string[] = []
  const a = turns.take('a', async () => { await wait(10); order.push('a'); return 1 })
  const b = turns.take('b', async () => { order.push('b'); return 2 })
  t.same(await Promise.all([a, b]), [1, 2])
  t.same(order, ['b', 'a'])
  await t.rejects(turns.take('a', async () => { throw new Error('mine') }), { message: 'mine' })
  const busy = [turns.take('c', async () => await wait(5)), turns.take('c', async () => 'second')]
  t.equal(await turns.take('c', async () => 'third'), undefined, 'too many wait')
  t.same(await Promise.all(busy), [undefined, 'second'])
})
