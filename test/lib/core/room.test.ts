import t from 'tap'
import { fill, isOf, paramsOf, room } from '../../../lib/core/room.ts'

t.test('a room names itself from its parameters', async t => {
  const group = room('session:{sessionId}:group:{groupId}')
  t.equal(group({ sessionId: 's1', groupId: 'g1' }), 'session:s1:group:g1')
  t.equal(group.pattern, 'session:{sessionId}:group:{groupId}')
  t.same(group.params, ['sessionId', 'groupId'])
  const lobby = room('lobby')
  t.equal(lobby({}), 'lobby')
  t.same(lobby.params, [])
})

t.test('a missing or empty parameter is refused, so that no room is shared by accident', async t => {
  const session = room('session:{sessionId}')
  t.throws(() => session({ sessionId: '' }), new TypeError('session:{sessionId} needs sessionId'))
  t.throws(() => session({} as { sessionId: string }), new TypeError('session:{sessionId} needs sessionId'))
  t.throws(() => fill('a:{b}', { b: undefined }), new TypeError('a:{b} needs b'))
})

t.test('a value is put in as it is', async t => {
  t.equal(fill('{a}:{b}:{a}', { a: '$&', b: '{a}' }), '$&:{a}:$&', 'neither replacement patterns nor braces in values are read again')
  t.same(paramsOf('{a}:{b}:{a}'), ['a', 'b', 'a'])
  t.same(paramsOf('none'), [])
})

t.test('a name is of the pattern that makes it', async t => {
  const group = room('session:{sessionId}:group:{groupId}')
  t.ok(isOf(group, group({ sessionId: 's', groupId: 'g' })))
  for (const name of ['session:s', 'session:s:team:g', 'session::group:g', 'session:s:group:g:more', '']) t.notOk(isOf(group, name), name)
})
