import t from 'tap'
import { Breaker } from '../../../../lib/guidance/remote/breaker.ts'

function build (failures = 3) {
  let now = 0
  const breaker = new Breaker({ failures, openMs: 1000 }, () => now)
  const isOpen = (): boolean => {
    try {
      breaker.check()
      return false
    } catch (error) {
      return (error as { code?: string }).code === 'ANALYZER_OPEN'
    }
  }
  return { breaker, isOpen, pass: (ms: number) => { now += ms } }
}

t.test('it opens after so many failures in a row, for so long', async t => {
  const { breaker, isOpen, pass } = build()
  for (let i = 0; i < 2; i++) breaker.enter().failed()
  breaker.enter().succeeded()
  for (let i = 0; i < 2; i++) breaker.enter().failed()
  t.notOk(isOpen(), 'a success in between starts the count anew')
  breaker.enter().failed()
  t.ok(isOpen())
  t.throws(() => breaker.enter(), { code: 'ANALYZER_OPEN' })
  pass(999)
  t.ok(isOpen())
  pass(1)
  t.notOk(isOpen())
})

t.test('then one call probes; the others wait for what it finds', async t => {
  const { breaker, isOpen, pass } = build(1)
  breaker.enter().failed()
  pass(1000)
  const probe = breaker.enter()
  t.ok(isOpen(), 'one probe at a time')
  probe.failed()
  t.ok(isOpen())
  pass(1000)
  breaker.enter().succeeded()
  t.notOk(isOpen())
  for (let i = 0; i < 4; i++) breaker.enter()
  t.notOk(isOpen(), 'and all are let in again')
})

t.test('the endpoint\'s own word counts at once, up to ten minutes', async t => {
  const { breaker, isOpen, pass } = build(5)
  breaker.enter().failed(60_000)
  pass(59_999)
  t.ok(isOpen())
  pass(1)
  breaker.enter().failed(24 * 3600_000)
  pass(600_000)
  t.notOk(isOpen())
})

t.test('calls from before it opened or closed no longer count', async t => {
  const { breaker, isOpen, pass } = build(2)
  const old = [breaker.enter(), breaker.enter(), breaker.enter(), breaker.enter()]
  old[0]?.failed()
  old[1]?.failed()
  t.ok(isOpen())
  old[2]?.succeeded()
  t.ok(isOpen(), 'a late success does not close it')
  pass(900)
  old[3]?.failed()
  pass(100)
  t.notOk(isOpen(), 'a late failure does not hold it open')
  const probe = breaker.enter()
  old[2]?.failed()
  t.ok(isOpen(), 'the probe is still out')
  probe.succeeded()
  t.notOk(isOpen())
})
