import t from 'tap'
import { contracts } from '../lib/contract.ts'
import { isOf, type Room } from '../lib/core/room.ts'
import { build, token } from './app.ts'
import { eventRequests, type Place } from './requests.ts'

/** Each event of each contract is said; whoever comes into a room of kept events by it is told the place, and may say one. */

t.test('every subscription to kept events takes `since` and answers `positions`', async t => {
  const app = await build(t)
  const mine = token()
  const { sessionId, code } = await app.session(mine)
  const place: Place = { sessionId, groupId: 'red', promptId: 'none', code, token: mine }
  const pupil = token({ role: 'student', sessionId, groupId: 'red' })
  const found: string[] = []

  for (const { namespace, receives, sends } of contracts) {
    const kept: Room[] = Object.values(sends).filter(one => one.kept).flatMap(one => one.rooms)
    for (const [event, { who }] of Object.entries(receives)) {
      const name = `${namespace} ${event}`
      const request = eventRequests[name]?.payload(place)
      // As it is tested everywhere else, and of everything.
      for (const payload of typeof request === 'string' ? [request] : [request, {}]) {
        const client = await app.connect(namespace, who.includes('teacher') ? mine : pupil)
        const rooms = (): Set<string> => app.app.io.of(namespace).sockets.get(client.socket.id ?? '')?.rooms ?? new Set()
        const { ok, ...answer } = await client.raw(event, payload)
        const joined = [...rooms()].filter(room => kept.some(one => isOf(one, room)))
        if (joined.length > 0) {
          found.push(name)
          t.match([ok, answer], [true, { positions: Object, lost: Array, recovered: true }], `${name} into ${joined.join(', ')}`)
          t.ok(Object.keys(answer.positions as object).length > 0, 'there is a session, so there is a place')
          const again = typeof payload === 'string' ? { sessionCode: payload } : payload as object
          t.match(await client.raw(event, { ...again, since: answer.positions }), { ok: true, lost: [], recovered: true }, `${name} takes \`since\``)
        }
        client.close()
      }
    }
  }
  t.same([...new Set(found)], [
    '/ joinSession', '/sessions session:guidance:subscribe', '/sessions session:join', '/sessions student:session:join', '/sessions group:join',
    '/sessions analytics:subscribe', '/guidance guidance:subscribe', '/guidance session:guidance:subscribe'
  ])
})
