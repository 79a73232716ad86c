import t from 'tap'
import { Slots } from '../../../../lib/guidance/remote/slots.ts'

const never = new AbortController().signal

t.test('so many at once, in the order in which they came', async t => {
  const slots = new Slots({ concurrency: 2, queue: 3 })
  const order: number[] = []
  let most = 0
  let running = 0
  await Promise.all(Array.from({ length: 5 }, async (_, i) => {
    const free = await slots.take(never)
    most = Math.max(most, ++running)
    order.push(i)
    await new Promise(resolve => setImmediate(resolve))
    running--
    free()
  }))
  t.equal(most, 2)
  t.same(order, [0, 1, 2, 3, 4])
})

t.test('a full queue refuses; who gives up leaves it', async t => {
  const slots = new Slots({ concurrency: 1, queue: 1 })
  const free = await slots.take(never)
  const caller = new AbortController()
  const waiting = slots.take(caller.signal)
  await t.rejects(slots.take(never), { code: 'ANALYZER_BUSY' })
  caller.abort()
  await t.rejects(waiting, { code: 'ANALYZER_ABORTED' })
  await t.rejects(slots.take(caller.signal), { code: 'ANALYZER_ABORTED' })
  const next = slots.take(never)
  free()
  const freeAgain = await next
  caller.abort()
  freeAgain()
  t.type(await slots.take(never), 'function', 'no slot was lost')
})
