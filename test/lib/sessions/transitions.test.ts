import t from 'tap'
import { sessionStatuses, type SessionStatus } from '../../../lib/sessions/schema.ts'
import { allows, statusAt, transitions, type Move } from '../../../lib/sessions/transitions.ts'

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

t.test('version and status tell the statuses before', async t => {
  let lives: SessionStatus[][] = [['created']]
  for (let length = 1; length < 8; length++) {
    for (const life of lives) {
      const last = life.length
      t.same(life.map((_, i) => statusAt(i + 1, life[last - 1] as SessionStatus, last)), life, life.join(' '))
    }
    lives = lives.flatMap(life => moves.filter(move => allows(move, life.at(-1) as SessionStatus)).map(move => [...life, transitions[move].to]))
  }
})
