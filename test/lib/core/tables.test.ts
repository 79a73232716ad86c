import t from 'tap'
import Type from 'typebox'
import { contract, Payload, receives, sends } from '../../../lib/core/contract.ts'
import { errorCodes } from '../../../lib/core/errors.ts'
import { key } from '../../../lib/core/key.ts'
import { room } from '../../../lib/core/room.ts'
import { Bytes, Closed, Id, Nullable, Timestamp } from '../../../lib/core/schema.ts'
import { errorTable, eventTable, keyTable, optionTable, table } from '../../../lib/core/tables.ts'

/** The cells of a table, as a reader of markdown sees them. */
function cells (text: string): string[][] {
  return text.split('\n').map(line => line.split(/(?<!\\)\|/).slice(1, -1).map(cell => cell.trim().replaceAll('\\|', '|')))
}

t.test('a pipe in a cell does not end it', async t => {
  const text = table(['A', 'B'], [['a|b', 'c'], ['', 'd']])
  t.equal(text, '| A | B |\n| --- | --- |\n| a\\|b | c |\n|  | d |')
  t.same(cells(text)[2], ['a|b', 'c'])
})

t.test('events of both directions', async t => {
  const [inward = '', outward = ''] = eventTable(contract({
    namespace: '/lobby',
    summary: 'A lobby.',
    admits: ['teacher', 'student'],
    receives: {
      say: receives({
        summary: 'Says.',
        payload: Closed({ text: Type.String(), mood: Type.Optional(Type.Enum(['glad', 'sad'])), data: Bytes }),
        ack: Type.Object({ id: Id, at: Timestamp, said: Type.Object({ text: Type.String() }) }),
        who: ['student']
      }),
      wave: receives({ summary: 'Waves.', payload: Closed({}), who: ['teacher', 'student', 'admin'], deprecated: true })
    },
    refuses: { shout: 'FORBIDDEN' },
    sends: {
      said: sends({
        summary: 'Said.',
        payload: Type.Array(Payload({ by: Nullable(Id), moods: Type.Array(Type.Enum(['glad', 'sad'])), code: Type.Enum(errorCodes) })),
        rooms: [room('lobby:{place}'), room('lobby')],
        kept: true
      }),
      done: sends({ summary: 'Done.', payload: Type.Union([Payload({ kind: Type.Literal('a') }), Payload({ any: Type.Unknown() })]), rooms: [], kept: false })
    }
  })).split('\n\n')
  t.same(cells(inward).slice(2), [
    ['`say`', "`{ text: string, mood?: 'glad'|'sad', data: binary }`", 'student', '`{ id: string, at: time, said: object }`', 'Says.'],
    ['`wave`', '`{}`', 'all', '', 'Deprecated. Waves.'],
    ['`shout`', 'any', 'all', '', 'Always refused with `FORBIDDEN`.']
  ])
  t.same(cells(outward).slice(2), [
    ['`said`', "`{ by: string|null, moods: ('glad'|'sad')[], code: error code }[]`", '`lobby:{place}`, `lobby`', 'yes', 'Said.'],
    ['`done`', "`{ kind: 'a' }|{ any: any }`", 'one socket alone', 'no', 'Done.']
  ])
})

t.test('a namespace without events says so', async t => {
  t.same(eventTable({ admits: ['teacher'], receives: {}, sends: {}, refuses: {} }).split('\n\n'), [
    'Clients send nothing of its own here.', 'Servers send nothing of its own here.'
  ])
})

t.test('every error has a row', async t => {
  const rows = cells(errorTable()).slice(2)
  t.same(rows.map(([code]) => code), errorCodes.map(code => `\`${code}\``))
  t.same(rows.find(([code]) => code === '`SESSION_NOT_FOUND`'), ['`SESSION_NOT_FOUND`', '404', 'There is no such session.'])
})

t.test('keys', async t => {
  const rows = cells(keyTable([key('a:{sessionId}', { ttl: '1 h', purpose: 'one', holds: 'words' }), key('b', { ttl: 'none', purpose: 'two' }), key('c', { ttl: '1 s', purpose: 'three', holds: 'names' })])).slice(2)
  t.same(rows, [['`a:{sessionId}`', '1 h', 'names, words', 'one'], ['`b`', 'none', '', 'two'], ['`c`', '1 s', 'names', 'three']])
})

t.test('options are named with dots, with their defaults', async t => {
  const rows = cells(optionTable(Closed({
    plain: Type.Integer({ default: 0, description: 'a number' }),
    name: Type.String({ description: 'no default' }),
    flag: Type.Boolean({ default: false, description: 'off' }),
    group: Closed({ inner: Type.String({ default: '/x|y', description: 'inside' }) }),
    area: Type.Union([Type.Literal(false), Closed({ deep: Closed({ er: Type.Integer({ default: 7, description: 'deeper' }) }) })], { description: 'an area' })
  }))).slice(2)
  t.same(rows, [
    ['`plain`', '`0`', 'a number'],
    ['`name`', '', 'no default'],
    ['`flag`', '`false`', 'off'],
    ['`group.inner`', '`"/x|y"`', 'inside'],
    ['`area`', '', 'an area'],
    ['`area.deep.er`', '`7`', 'deeper']
  ])
})
