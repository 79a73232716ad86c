import t from 'tap'
import Type from 'typebox'
import { confirms, contract, Payload, sends, type Meta } from '../../../lib/core/contract.ts'
import { checker, createEmit, type EmitDependencies, type Lookup, type Transport } from '../../../lib/core/emit.ts'
import { room } from '../../../lib/core/room.ts'
import { Closed, Id, Timestamp } from '../../../lib/core/schema.ts'

const Text = Type.String({ minLength: 1 })
const lobby = contract({
  namespace: '/lobby',
  summary: 'A lobby.',
  admits: ['teacher'],
  receives: {},
  sends: {
    said: sends({
      summary: 'Something was said.',
      payload: Payload({ sessionId: Id, text: Text }),
      rooms: [room('session:{sessionId}'), room('teacher:{teacherId}'), room('all')],
      kept: true
    }),
    measured: sends({
      summary: 'A value.',
      payload: Payload({ sessionId: Id, category: Type.Enum(['heat', 'noise']) }),
      rooms: [room('metric:{sessionId}:{metric}')],
      kept: false,
      params: ({ category }) => ({ metric: category })
    }),
    listed: sends({ summary: 'Some texts.', payload: Type.Array(Text), rooms: [room('session:{sessionId}')], kept: false }),
    advised: sends({
      summary: 'Some advice.', payload: Type.Array(Payload({ sessionId: Id })), rooms: [room('session:{sessionId}')], kept: true
    }),
    confirmed: confirms('Done.', Payload({ text: Text }))
  }
})

interface Sent { namespace: string, rooms: readonly string[], event: string, payload: unknown, meta: Meta, kept: boolean }

/** A door whose other side is a list. */
function door (dependencies: Partial<EmitDependencies> = {}) {
  const sent: Sent[] = []
  const transport: Transport = {
    async send (namespace, rooms, event, payload, meta, { kept }) { sent.push({ namespace, rooms, event, payload, meta, kept }) }
  }
  return { sent, emit: createEmit(lobby, { transport, ...dependencies }) }
}

const teacher: Lookup = async () => ({ teacherId: 't1' })
const refused = (message: RegExp, code = 'INVALID_PAYLOAD') => ({ code, message })

t.test('goes to the union of its rooms, the home room first, in one sending', async t => {
  const { sent, emit } = door()
  await emit.to({ sessionId: 's1', teacherId: 't1' }).emit('said', { sessionId: 's1', text: 'hello' })
  t.equal(sent.length, 1)
  t.match(sent[0], { namespace: '/lobby', event: 'said', payload: { sessionId: 's1', text: 'hello' }, kept: true })
  t.same(sent[0]?.rooms, ['session:s1', 'teacher:t1', 'all'])
})

t.test('meta names the emission, its home room and its time', async t => {
  const { sent, emit } = door({ now: () => Date.UTC(2024, 0, 2, 3, 4, 5, 6) })
  const to = emit.to({ sessionId: 's1', teacherId: 't1' })
  await to.emit('said', { sessionId: 's1', text: 'one' })
  await to.emit('said', { sessionId: 's1', text: 'two' })
  const [first, second] = sent.map(one => one.meta)
  t.same(Object.keys(first ?? {}).sort(), ['at', 'id', 'room'], 'no trace, no epoch unless there is one')
  t.equal(first?.room, 'session:s1')
  t.equal(first?.at, '2024-01-02T03:04:05.006Z')
  t.match(first?.id, /^[0-9a-f-]{36}$/)
  t.not(first?.id, second?.id)
  const traced = door({ traceId: () => '4bf92f3577b34da6a3ce929d0e0e4736' })
  await traced.emit.to({ sessionId: 's1' }).emit('listed', ['a'])
  t.equal(traced.sent[0]?.meta.traceId, '4bf92f3577b34da6a3ce929d0e0e4736')
})

t.test('a payload that does not fit goes nowhere', async t => {
  const counted: string[] = []
  const { sent, emit } = door({ lookup: teacher, onEmit: (namespace, event) => counted.push(`${namespace} ${event}`) })
  for (const [payload, message] of [
    [{ sessionId: 's1', text: '' }, /^said: \/text /],
    [{ sessionId: 's1' }, /^said: .*text/],
    [{ sessionId: 'no spaces', text: 'a' }, /^said: \/sessionId /],
    [null, /^said: \/ /],
    ['text', /^said: \/ /]
  ] as const) await t.rejects(emit.dynamic({ sessionId: 's1' }, 'said', payload), refused(message))
  t.same(sent, [])
  t.same(counted, [])
  await emit.dynamic({ sessionId: 's1' }, 'said', { sessionId: 's1', text: 'a' })
  t.same(counted, ['/lobby said'])
})

t.test('what is not declared for rooms is not sent', async t => {
  const { sent, emit } = door()
  for (const event of ['unknown', 'confirmed', 'error', 'constructor', '__proto__']) {
    await t.rejects(emit.dynamic({ sessionId: 's1' }, event, { text: 'a' }), refused(/^\/lobby does not send /, 'UNSUPPORTED_OPERATION'), event)
  }
  t.same(sent, [])
})

t.test('the target and the payload speak of the same thing', async t => {
  const { sent, emit } = door({ lookup: teacher })
  await t.rejects(emit.to({ sessionId: 's2' }).emit('said', { sessionId: 's1', text: 'a' }), refused(/^said: sessionId of the payload is not that of its target$/))
  await t.rejects(emit.dynamic({ sessionId: 's1', text: 'b' }, 'said', { sessionId: 's1', text: 'a' }), refused(/text of the payload/))
  await t.rejects(emit.to({ sessionId: 's2' }).emit('advised', [{ sessionId: 's2' }, { sessionId: 's1' }]), refused(/^advised: sessionId of the payload/), 'each of a list')
  t.same(sent, [])
  await emit.to({ sessionId: 's1', groupId: undefined }).emit('said', { sessionId: 's1', text: 'a' })
  await emit.to({ sessionId: 's1' }).emit('listed', ['a'])
  await emit.to({ sessionId: 's2' }).emit('advised', [{ sessionId: 's2' }, { sessionId: 's2' }])
  t.same(sent.map(one => one.rooms[0]), ['session:s1', 'session:s1', 'session:s2'])
})

t.test('a room parameter that nobody knows is refused by name', async t => {
  const { sent, emit } = door()
  await t.rejects(emit.to({ sessionId: 's1' }).emit('said', { sessionId: 's1', text: 'a' }), refused(/^said needs teacherId in its target$/))
  await t.rejects(emit.to({ sessionId: 's1', teacherId: '' }).emit('said', { sessionId: 's1', text: 'a' }), refused(/needs teacherId/))
  const ignorant = door({ lookup: async () => ({}) })
  await t.rejects(ignorant.emit.to({ sessionId: 's1' }).emit('said', { sessionId: 's1', text: 'a' }), refused(/needs teacherId/))
  t.same([...sent, ...ignorant.sent], [])
})

t.test('the lookup is asked for what is missing, once, and only then', async t => {
  const asked: unknown[] = []
  const lookup: Lookup = async (target, missing) => {
    asked.push([target, missing])
    return { teacherId: 't9' }
  }
  const { sent, emit } = door({ lookup })
  await emit.to({ sessionId: 's1', teacherId: 't1' }).emit('said', { sessionId: 's1', text: 'a' })
  t.same(asked, [])
  await emit.to({ sessionId: 's1' }).emit('said', { sessionId: 's1', text: 'a' })
  t.same(asked, [[{ sessionId: 's1' }, ['teacherId']]])
  t.same(sent.map(one => one.rooms[1]), ['teacher:t1', 'teacher:t9'])
})

t.test('a parameter may stand in the payload under another name, and the payload has the last word', async t => {
  const { sent, emit } = door()
  await emit.to({ sessionId: 's1' }).emit('measured', { sessionId: 's1', category: 'heat' })
  await emit.to({ sessionId: 's1', metric: 'noise' }).emit('measured', { sessionId: 's1', category: 'heat' })
  t.same(sent.map(one => one.rooms), [['metric:s1:heat'], ['metric:s1:heat']])
  t.equal(sent[0]?.kept, false)
})

t.test('a failure of the transport reaches the caller and is not counted', async t => {
  const counted: string[] = []
  const emit = createEmit(lobby, {
    transport: { send: async () => { throw new Error('gone') } }, onEmit: (_, event) => counted.push(event)
  })
  await t.rejects(emit.to({ sessionId: 's1' }).emit('listed', ['a']), { message: 'gone' })
  t.same(counted, [])
})

t.test('a check names the first fault', async t => {
  const { check, explain } = checker(Closed({ sessionId: Id, deep: Type.Object({ at: Timestamp }) }))
  t.ok(check({ sessionId: 's1', deep: { at: '2024-01-02T03:04:05Z' } }))
  t.notOk(check({ sessionId: 's1', deep: { at: 'yesterday' } }), 'the format is really checked')
  t.match(explain({ sessionId: 's1', deep: { at: 'yesterday' } }), /^\/deep\/at /)
  t.notOk(check({ sessionId: 's1', deep: { at: '2024-01-02T03:04:05Z' }, more: 1 }))
  t.equal(explain({ sessionId: 's1', deep: { at: '2024-01-02T03:04:05Z' } }), 'does not fit', 'also asked by mistake it answers')
})
