import t from 'tap'
import { sessionStatuses, type SessionStatus } from '../../../lib/sessions/schema.ts'
import { allows, transitions, type Move } from '../../../lib/sessions/transitions.ts'

const moves = Object.keys(transitions) as Move[]

t.test('the life of a session, arrow by arrow', async t => {
  const arrows = moves.flatMap(move => transitions[move].from.map(from => `${move}: ${from} -> ${transitions[move].to}`))
  t.same(arrows.sort(), [
    'end: active -> ending',
    'end: created -> ending',
    'end: paused -> ending',
    'finish: ending -> ended',
    'pause: active -> paused',
    'resume: paused -> active',
    'start: created -> active',
    'start: paused -> active'
  ])
})

t.test('a move is allowed from its statuses and from no other', async t => {
  for (const move of moves) {
    for (const status of sessionStatuses) {
      t.equal(allows(move, status), (transitions[move].from as readonly SessionStatus[]).includes(status), `${move} from ${status}`)
    }
  }
})

t.test('every session can end, and nothing leaves the end', async t => {
  t.notOk(moves.some(move => allows(move, 'ended')))
  for (const status of sessionStatuses) {
    let at: SessionStatus = status
    if (allows('end', at)) at = transitions.end.to
    if (allows('finish', at)) at = transitions.finish.to
    t.equal(at, 'ended', `from ${status}`)
  }
})
