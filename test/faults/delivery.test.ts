import t from 'tap'
import { checkDelivery, excuse, type Reader, type Said, type Verdict } from './delivery.ts'

/** A checker that finds nothing proves nothing: each kind of fault is shown to it. */

const say = (id: string, { room = 'r', by = 'worker', acknowledged = true, due = false }: Partial<Said> = {}): Said => ({ room, id, by, acknowledged, due })
const see = (id: string, offset: number, epoch = '1', room = 'r') => ({ room, id, epoch, offset })
const reader = (name: string, ...seen: Reader['seen']): Reader => ({ name, rooms: ['r'], seen })
const said = ['a', 'b', 'c'].map(id => say(id))
const whole = [see('a', 1), see('b', 2), see('c', 3)]

const faults = ({ lost, twice, disorder, foreign }: Verdict) => [lost.length, twice.length, disorder.length, foreign.length]

t.test('a good history has no fault', async t => {
  const verdict = checkDelivery(said, [reader('one', ...whole), reader('two', ...whole)])
  t.same(verdict, { lost: [], twice: [], disorder: [], foreign: [], told: 0, seen: 6 })
})

t.test('each fault is found, and said', async t => {
  t.match(checkDelivery(said, [reader('one', ...whole), reader('two', see('a', 1), see('c', 3))]), { lost: ['two: r b'] }, 'lost in the middle')
  t.match(checkDelivery(said, [reader('one', ...whole.slice(0, 2))]), { lost: ['one: r c'] }, 'lost at the end')
  t.match(checkDelivery(said, [reader('one', ...whole, see('b', 2))]), { twice: ['one: r b'] }, 'at the same place')
  t.match(checkDelivery(said, [reader('one', ...whole, see('b', 4))]), { twice: ['one: r b'] }, 'at another')
  t.match(checkDelivery([say('a'), say('b', { due: true })], [reader('one', see('a', 1), { lost: 'r' })]), { lost: ['one: r b'] }, 'due whatever is told')
  t.same(faults(checkDelivery(said, [reader('one', see('b', 2), see('a', 1), see('c', 3))])), [0, 0, 2, 0], 'against place and sender')
  t.same(faults(checkDelivery(said, [reader('one', see('b', 1), see('a', 2), see('c', 3))])), [0, 0, 1, 0], 'against the sender alone')
  t.same(faults(checkDelivery(said, [reader('one', see('a', 1, '2'), see('b', 2, '2'), see('c', 1, '1'))])), [0, 0, 1, 0], 'back into an old epoch')
  const two = [say('a'), say('b', { by: 'other' })]
  t.same(faults(checkDelivery(two, [reader('one', see('a', 1), see('b', 2)), reader('two', see('b', 1), see('a', 2))])), [0, 0, 2, 0], 'two readers, two orders')
  t.match(checkDelivery(said, [reader('one', ...whole, see('d', 4))]), { foreign: ['one: r d'] }, 'never said')
  t.match(checkDelivery([...said, say('x', { room: 'theirs' })], [reader('one', ...whole, see('x', 1, '1', 'theirs'))]), { foreign: ['one: theirs x'] }, 'a room of others')
})

t.test('what is no fault', async t => {
  const unsure = [say('a'), say('b', { acknowledged: false }), say('c')]
  t.same(faults(checkDelivery(unsure, [reader('one', ...whole), reader('two', see('a', 1), see('c', 3))])), [0, 0, 0, 0], 'without an acknowledgement nothing is promised')
  const told = checkDelivery(said, [reader('one', see('a', 1), { lost: 'r' }, see('c', 1, '2'))])
  t.same([faults(told), told.told], [[0, 0, 0, 0], 1], 'who is told that something is gone does not miss it')
  const gone = [say('a'), { ...say('b'), goneFor: ['two'] }]
  t.match(checkDelivery(gone, [reader('one', see('a', 1)), reader('two', see('a', 1))]), { lost: ['one: r b'] }, 'what died for one reader is not missed by that one alone')
  t.same(faults(checkDelivery([say('a'), say('b', { by: 'other' })], [reader('one', see('b', 1), see('a', 2))])), [0, 0, 0, 0], 'two senders have no order but that of the places')
})

t.test('what a killed Redis took along is excused, and nothing else', async t => {
  const at = (id: string, at: number, more: Partial<Said> = {}): Said => ({ ...say(id), at, ...more })
  const talk = (): Said[] => [at('a', 100), at('b', 850), at('c', 990), at('x', 995, { acknowledged: false }), at('y', 995, { room: 'other' })]
  const excused = (said: Said[], ...readers: Reader[]) => [excuse(said, readers, 'r', 1_000), said.flatMap(one => (one.goneFor ?? []).map(name => `${one.id} ${name}`)), checkDelivery(said, readers).lost]

  t.same(excused(talk(), reader('one', ...whole), reader('two', ...whole)), [0, [], []], 'control: all have heard all')
  t.same(excused(talk(), reader('one', ...whole), reader('two', ...whole.slice(0, 2))), [1, ['c two'], []], 'the last one, for who did not hear it')
  t.same(excused(talk(), reader('one', ...whole.slice(0, 2)), reader('two', ...whole.slice(0, 2))), [1, ['c one', 'c two'], []], 'counted once, whoever missed it')
  t.same(excused(talk(), reader('one', see('a', 1))), [1, ['c one'], ['one: r b']], 'what was acknowledged earlier must have been heard')
  t.same(excused(talk(), reader('one', see('a', 1), see('c', 3))), [0, [], ['one: r b']], 'a hole is a loss')
  t.same(excused([...talk(), at('d', 992)], reader('one', ...whole.slice(0, 2), see('d', 4))), [0, [], ['one: r c']], 'also in the last moment')
})
