import t from 'tap'
import { key } from '../../../lib/core/key.ts'

const row = { ttl: '1 h', purpose: 'a test' }
const stats = key('guidance:energy:stats:{sessionId}:{groupId}', row)

t.test('a key is named after its pattern and carries its row of the table', async t => {
  t.equal(stats({ sessionId: 's1', groupId: 'g1' }), 'guidance:energy:stats:s1:g1')
  t.same([stats.pattern, stats.ttl, stats.purpose], ['guidance:energy:stats:{sessionId}:{groupId}', '1 h', 'a test'])
})

t.test('on a cluster the session part is the hash tag, so that the keys of a session share a slot', async t => {
  t.equal(stats({ sessionId: 's1', groupId: 'g1' }, true), 'guidance:energy:stats:{s1}:g1')
  t.equal(stats({ sessionId: 's1', groupId: 'g1' }, false), 'guidance:energy:stats:s1:g1')
  const other = key('session:{sessionId}:slices', row)
  const tag = (name: string): string | undefined => /\{(.+?)\}/.exec(name)?.[1]
  t.equal(tag(other({ sessionId: 's1' }, true)), 's1')
  t.equal(tag(stats({ sessionId: 's1', groupId: 'g2' }, true)), 's1')
})

t.test('a key without a session is the same everywhere', async t => {
  const template = key('guidance:prompt:template_stats:{templateKey}', row)
  t.equal(template({ templateKey: 'refocus' }, true), 'guidance:prompt:template_stats:refocus')
})

t.test('a missing part is refused, on a cluster too', async t => {
  t.throws(() => stats({ sessionId: 's1', groupId: '' }), new TypeError('guidance:energy:stats:{sessionId}:{groupId} needs groupId'))
  t.throws(() => stats({ sessionId: '', groupId: 'g1' }, true), TypeError)
  t.throws(() => stats({ groupId: 'g1' } as { sessionId: string, groupId: string }, true), TypeError)
})
