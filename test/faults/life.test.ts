import t from 'tap'
import { callsOf, life, type Command, type Reply, type Step } from './life.ts'
import { linearize } from './linear.ts'

/** The model of a session's life: requests that one may see, and such as nobody may see. */

type Told = [request: Exclude<Command, 'finish'>, began: number, ended: number, reply?: Reply]

function explained (...told: Told[]): boolean {
  const history: Step[] = []
  for (const [request, began, ended, reply] of told) history.push(...callsOf(request, reply, began, ended, history.length))
  return linearize(life, history) !== undefined
}

const ok = (status: NonNullable<Reply['body']['status']>, version: number): Reply => ({ status: 200, body: { status, version } })
const no = (from: NonNullable<Reply['body']['status']>): Reply => ({ status: 409, body: { details: { from } } })
const away: Reply = { status: 503, body: {} }

t.test('what may be', async t => {
  t.ok(explained(['start', 0, 1, ok('active', 2)], ['pause', 2, 3, ok('paused', 3)], ['end', 4, 9, ok('ended', 5)], ['start', 10, 11, no('ended')]))
  t.ok(explained(['start', 0, 5, ok('active', 2)], ['start', 0, 5, no('active')]), 'one of two wins')
  t.ok(explained(['start', 0, 1, away], ['read', 2, 3, ok('created', 1)], ['read', 4, 5, ok('active', 2)]), 'it happens late')
  t.ok(explained(['start', 0, 1], ['start', 2, 3, ok('active', 2)]), 'or never')
  t.ok(explained(['end', 0, 9, ok('ended', 3)], ['read', 3, 4, ok('ending', 2)], ['pause', 5, 6, no('ending')]), 'between the two moves of an end')
  t.ok(explained(['end', 0, 1, away], ['read', 2, 3, ok('ending', 2)], ['read', 4, 5, ok('ended', 3)]), 'an end that somebody else finishes')
})

t.test('what may not', async t => {
  t.notOk(explained(['start', 0, 5, ok('active', 2)], ['start', 0, 5, ok('active', 3)]), 'two winners')
  t.notOk(explained(['start', 0, 1, away], ['read', 2, 3, ok('active', 3)]), 'it happened twice')
  t.notOk(explained(['start', 0, 1, ok('active', 2)], ['read', 2, 3, ok('created', 1)]), 'a step back')
  t.notOk(explained(['end', 0, 1, ok('ended', 3)], ['read', 2, 3, ok('ending', 2)]), 'an end that is not one')
  t.notOk(explained(['start', 0, 1, ok('active', 2)], ['pause', 2, 3, no('created')]), 'a refusal for what is not so')
  t.notOk(explained(['start', 0, 1, ok('active', 2)], ['read', 2, 3, ok('active', 3)]), 'a version that skips')
  t.throws(() => callsOf('start', { status: 500, body: {} }, 0, 1, 0), /500/, 'other answers are faults by themselves')
})

t.test('calls that nobody answered do not make it long', async t => {
  const requests = ['start', 'pause', 'resume', 'end'] as const
  const open = Array.from({ length: 40 }, (_, i): Told => [requests[i % requests.length] as typeof requests[number], i, i + 1])
  t.ok(explained(...open, ['read', 50, 51, ok('paused', 5)], ['read', 52, 53, ok('ended', 9)]))
  t.notOk(explained(...open, ['read', 50, 51, ok('created', 1)], ['read', 52, 53, ok('active', 99)]))
})
