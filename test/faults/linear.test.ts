import fc from 'fast-check'
import t from 'tap'
import { linearize, type Call, type Model } from './linear.ts'

/** The checker against histories of one number that can be read, written and, if it is what one thinks, swapped. */

type Command = { read: true } | { write: number } | { from: number, to: number }
type Answer = number | 'done' | 'refused'

const register: Model<number, Command, Answer> = {
  begin: 0,
  step (state, command, answer) {
    if ('read' in command) return answer === undefined || answer === state ? state : undefined
    if ('write' in command) return answer === undefined || answer === 'done' ? command.write : undefined
    const fits = state === command.from
    if (answer !== undefined && (answer === 'done') !== fits) return undefined
    return fits ? command.to : state
  },
  key: String
}

const read = (began: number, ended: number, answer: number): Call<Command, Answer> => ({ command: { read: true }, began, ended, answer })
const write = (began: number, ended: number, value: number, answer: Answer | undefined = 'done'): Call<Command, Answer> => ({ command: { write: value }, began, ended, answer })
const swap = (began: number, ended: number, from: number, to: number, answer: Answer | undefined): Call<Command, Answer> => ({ command: { from, to }, began, ended, answer })
const lost = (call: Call<Command, Answer>): Call<Command, Answer> => ({ ...call, answer: undefined })
const good = (...history: Call<Command, Answer>[]): boolean => linearize(register, history) !== undefined

t.test('histories that one order explains', async t => {
  t.ok(good())
  t.ok(good(read(0, 1, 0), write(2, 3, 7), read(4, 5, 7)), 'one after the other')
  t.ok(good(write(0, 10, 7), read(1, 2, 0), read(3, 4, 7)), 'a write that takes effect between two reads')
  t.ok(good(write(0, 10, 1), write(0, 10, 2), read(11, 12, 1)), 'either of two writes may be the last')
  t.ok(good(swap(0, 5, 0, 1, 'done'), swap(0, 5, 0, 2, 'refused')), 'one of two wins')
  t.ok(good(lost(write(0, 1, 7)), read(2, 3, 0), read(4, 5, 7)), 'without an answer it may happen late')
  t.ok(good(lost(write(0, 1, 7)), read(2, 3, 0)), 'or never')
  t.ok(good(write(0, 9, 1), { ...write(0, 9, 2), after: 0 }, read(10, 11, 2)), 'two effects of one request, in their order')
})

t.test('histories that none does', async t => {
  t.notOk(good(read(0, 1, 7)), 'what nobody wrote')
  t.notOk(good(write(0, 1, 7), read(2, 3, 0)), 'a stale read')
  t.notOk(good(write(0, 10, 7), read(1, 2, 7), read(3, 4, 0)), 'a read that goes back')
  t.notOk(good(swap(0, 5, 0, 1, 'done'), swap(0, 5, 0, 2, 'done')), 'two winners')
  t.notOk(good(swap(0, 5, 0, 1, 'refused'), swap(0, 5, 0, 2, 'refused')), 'no winner')
  t.notOk(good(lost(swap(0, 1, 0, 1, undefined)), read(2, 3, 1), write(4, 5, 0), read(6, 7, 1)), 'it happened twice')
  t.notOk(good(read(2, 3, 7), lost(write(4, 5, 7))), 'before it began')
  t.notOk(good(write(0, 9, 1), { ...write(0, 9, 2), after: 0 }, read(10, 11, 1)), 'in the wrong order')
})

t.test('what a single register answers is always explained; with one answer changed, never', async t => {
  const commands = fc.oneof(
    fc.constant<Command>({ read: true }),
    fc.record({ write: fc.nat(3) }),
    fc.record({ from: fc.nat(3), to: fc.nat(3) })
  )
  let caught = 0
  let changed = 0
  fc.assert(fc.property(fc.array(fc.record({ command: commands, before: fc.nat(3), length: fc.nat(3) }), { minLength: 4, maxLength: 9 }), fc.nat(8), (plan, broken) => {
    let state = 0
    const history = plan.map(({ command, before, length }, i): Call<Command, Answer> => {
      let answer: Answer = 'done'
      if ('read' in command) answer = state
      else if ('write' in command) state = command.write
      else if (command.from === state) state = command.to
      else answer = 'refused'
      return { command, answer, began: 2 * i - before, ended: 2 * i + 1 + length }
    })
    if (!linearize(register, history)) return false
    const target = history[broken]
    if (!target || typeof target.answer !== 'number') return true
    changed++
    if (!good(...history.with(broken, { ...target, answer: target.answer + 5 }))) caught++
    return true
  }), { numRuns: 500 })
  t.ok(changed > 50)
  t.equal(caught, changed, 'a number that nobody wrote is always found')
})
