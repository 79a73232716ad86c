import t from 'tap'
import { within } from '../../../lib/core/deadline.ts'

const never = new Promise<string>(() => {})

t.test('what comes in time comes as it is', async t => {
  const onLate = (): never => t.fail('it was in time') as never
  t.equal(await within(1000, Promise.resolve('here'), onLate), 'here')
  await t.rejects(within(1000, Promise.reject(new Error('no')), onLate), { message: 'no' })
})

t.test('when the deadline passes, what is said then counts', async t => {
  t.equal(await within(5, never, () => 'instead'), 'instead')
  await t.rejects(within(5, never, () => { throw new Error('too late') }), { message: 'too late' })
})

t.test('what comes later is ignored, a failure as well', async t => {
  let come = (): void => {}
  const late = new Promise<string>(resolve => { come = () => resolve('late') })
  const failing = late.then(() => { throw new Error('late') })
  t.equal(await within(5, late, () => 'instead'), 'instead')
  t.equal(await within(5, failing, () => 'instead'), 'instead')
  come()
  await t.rejects(failing)
})

t.test('a process that was busy still hears what has come meanwhile', async t => {
  const arrived = new Promise<string>(resolve => { setImmediate(resolve, 'here') })
  const asked = within(5, arrived, () => 'instead')
  const until = performance.now() + 20
  while (performance.now() < until);
  t.equal(await asked, 'here')
})

t.test('the time begins when what was asked goes out, not before', async t => {
  const asked = new Promise<string>(resolve => { setImmediate(() => setTimeout(resolve, 1, 'here')) })
  const answer = within(100, asked, () => 'instead')
  const until = performance.now() + 150
  while (performance.now() < until);
  t.equal(await answer, 'here')
})
