import t from 'tap'
import Type, { type TSchema } from 'typebox'
import { Value } from 'typebox/value'
import { contracts } from '../../../lib/contract.ts'
import { roles } from '../../../lib/core/access.ts'
import { commonReceives, commonSends, confirms, contract, Payload, sends, type Receives, type Sends } from '../../../lib/core/contract.ts'
import { errorTable } from '../../../lib/core/errors.ts'
import { room } from '../../../lib/core/room.ts'
import { Id } from '../../../lib/core/schema.ts'

const base = { namespace: '/lobby', summary: 'A lobby.', admits: ['teacher'], receives: {} } as const
const said = { summary: 'Something was said.', payload: Payload({ text: Type.String() }) }

t.test('an event that is kept needs a home room', async t => {
  const homeless = { said: sends({ ...said, rooms: [], kept: true }) }
  t.throws(() => contract({ ...base, sends: homeless }), new TypeError('/lobby said is kept but has no home room'))
  t.doesNotThrow(() => contract({ ...base, sends: { said: sends({ ...said, rooms: [room('lobby')], kept: true }) } }))
  t.doesNotThrow(() => contract({ ...base, sends: { said: sends({ ...said, rooms: [], kept: false }) } }))
})

t.test('a contract keeps what was declared, and refuses nothing unless said', async t => {
  const event = sends({ ...said, rooms: [room('lobby')], kept: false })
  const plain = contract({ ...base, sends: { said: event } })
  t.equal(plain.sends.said, event)
  t.same(plain.refuses, {})
  t.same(contract({ ...base, sends: {}, refuses: { shout: 'FORBIDDEN' } }).refuses, { shout: 'FORBIDDEN' })
})

t.test('a confirmation goes to one socket and is not kept', async t => {
  t.same(confirms('Done.', Payload({})), { summary: 'Done.', payload: Payload({}), rooms: [], kept: false })
})

t.test('sent payloads are open for fields to come', async t => {
  t.ok(Value.Check(Payload({ sessionId: Id }), { sessionId: 's1', later: true }))
})

/** The schemas inside a schema, itself included. */
function * within (schema: TSchema): Generator<TSchema> {
  yield schema
  const { properties = {}, items, anyOf = [] } = schema as { properties?: Record<string, TSchema>, items?: TSchema, anyOf?: TSchema[] }
  for (const inner of [...Object.values(properties), ...anyOf, ...items ? [items] : []]) yield * within(inner)
}

t.test('laws of every declared namespace', async t => {
  t.same(contracts.map(one => one.namespace), [...new Set(contracts.map(one => one.namespace))], 'one contract for each')
  let events = 0
  for (const { namespace, admits, receives, sends, refuses } of contracts) {
    t.ok(admits.length > 0 && admits.every(role => roles.includes(role)), `${namespace} admits known roles`)
    for (const [event, { payload, who, failure, summary }] of Object.entries<Receives>({ ...commonReceives, ...receives })) {
      events++
      const name = `${namespace} ${event}`
      t.match(summary, /\.$/, `${name} says in a sentence what it does`)
      t.ok([...within(payload)].every(one => !('properties' in one) || (one as { additionalProperties?: unknown }).additionalProperties === false), `${name} is closed at every level`)
      t.ok(who.length > 0 && (event in commonReceives || who.every(role => admits.includes(role))), `${name} is for roles that can connect`)
      t.ok(failure === undefined || failure in sends, `${name} fails through a declared event`)
      t.notOk(event in refuses, `${name} is not refused as well`)
    }
    for (const [event, { rooms, summary }] of Object.entries<Sends>({ ...commonSends, ...sends })) {
      t.match(summary, /\.$/, `${namespace} ${event} says in a sentence what it means`)
      t.equal(new Set(rooms.map(one => one.pattern)).size, rooms.length, `${namespace} ${event} names each room once`)
    }
    for (const event of [...Object.keys(commonReceives), ...Object.keys(commonSends)]) {
      t.notOk(event in receives || event in sends, `${namespace} leaves ${event} to the core`)
    }
    for (const code of Object.values(refuses)) t.ok(code in errorTable, code)
  }
  t.ok(events > 20, 'the events of the areas were looked at')
})
