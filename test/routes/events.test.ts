import t from 'tap'
import { build, onBoth, token } from '../app.ts'

interface Page { room: string, epoch: string, offset: number, lost: boolean, events: { event: string, payload: object, meta: { offset: number } }[], nextAfter: number | null }

onBoth(t, 'kept events, page by page', async (t, options) => {
  const app = await build(t, options)
  const mine = token()
  const { sessionId } = await app.session(mine, { groups: [{ groupId: 'red', name: 'Red', memberIds: ['ada'] }, { groupId: 'blue', name: 'Blue' }] })
  await app.call('POST', `/sessions/${sessionId}/pause`, undefined, mine)
  await app.call('POST', `/sessions/${sessionId}/resume`, undefined, mine)
  const get = async (query = '', who = mine) => await app.call<Page>('GET', `/sessions/${sessionId}/events${query}`, undefined, who)
  const { body } = await get()
  t.match(body, { room: `session:${sessionId}`, epoch: String, offset: 3, lost: false, nextAfter: null })
  t.match(body.events, [2, 3, 4].map((version, i) => ({ event: 'session:status_changed', payload: { sessionId, version }, meta: { offset: i + 1, room: body.room, epoch: body.epoch } })))
  t.match((await get('?limit=2')).body, { events: [{ meta: { offset: 1 } }, { meta: { offset: 2 } }], nextAfter: 2 })
  t.match((await get(`?after=2&epoch=${body.epoch}`)).body, { lost: false, events: [{ meta: { offset: 3 } }], nextAfter: null })
  t.match((await get('?after=2&epoch=another')).body, { lost: true, events: [{ meta: { offset: 1 } }, {}, {}] })
  t.match((await get('?after=99')).body, { lost: true })

  const room = (name: string): string => `?room=${encodeURIComponent(`session:${sessionId}${name}`)}`
  const ada = token({ role: 'student', sub: 'ada' })
  t.same([(await get('', ada)).status, (await get(room(':group:red'), ada)).status], [200, 200])
  for (const [name, who] of [[':group:blue', ada], [':teacher', ada], [':group:green', mine], [':user:ada', mine], ['x', mine]] as const) {
    t.match(await get(room(name), who), { status: 403, body: { code: 'FORBIDDEN' } }, name)
  }
  t.equal((await get(room(':teacher'))).status, 200)
  t.equal((await get(`?room=guidance:session:${sessionId}`)).status, 200)
  t.equal((await get(`?room=guidance:session:${sessionId}`, ada)).status, 403)
  const other = await app.session(token())
  t.equal((await get(`?room=session:${other.sessionId}`)).status, 403, 'the room of another session')
  for (const query of ['?limit=0', '?limit=1001', '?after=-1', '?since=1', `?room=${'x'.repeat(201)}`]) t.equal((await get(query)).status, 400, query)
})
