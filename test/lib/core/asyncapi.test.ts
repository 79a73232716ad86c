import { readFile, writeFile } from 'node:fs/promises'
import { Parser, type AsyncAPIDocumentInterface } from '@asyncapi/parser'
import t, { type Test } from 'tap'
import Type from 'typebox'
import { asyncapi } from '../../../lib/core/asyncapi.ts'
import { commonReceives, commonSends, confirms, contract, Payload, receives, sends, type Contract } from '../../../lib/core/contract.ts'
import { room } from '../../../lib/core/room.ts'
import { Bytes, Closed, Id } from '../../../lib/core/schema.ts'
import { contracts } from '../../../lib/contract.ts'

const info = { title: 'fastify-classwaves', version: '0.0.0' }
const goldenFile = new URL('../../golden/asyncapi.json', import.meta.url)

/** Parses as a reader of the document would; everything that the parser calls an error fails the test. */
async function parse (t: Test, document: object): Promise<AsyncAPIDocumentInterface> {
  const { document: parsed, diagnostics } = await new Parser().parse(JSON.stringify(document))
  t.same(diagnostics.filter(one => one.severity === 0).map(one => `${one.path.join('.')}: ${one.message}`), [], 'valid AsyncAPI')
  if (!parsed) throw new Error('the parser returned no document')
  return parsed
}

const lobby = contract({
  namespace: '/lobby/main',
  summary: 'A namespace of a host.',
  admits: ['teacher', 'student'],
  receives: {
    'chat/say': receives({
      summary: 'Says something.',
      payload: Closed({ text: Type.String(), mood: Type.Optional(Type.Enum(['glad', 'sad'])), picture: Type.Optional(Bytes) }),
      ack: Type.Object({ id: Id, note: Type.Optional(Type.String()) }),
      who: ['student'],
      limit: { perSecond: 1, burst: 5 },
      failure: 'chat:error'
    }),
    wave: receives({ summary: 'The old way to say hello.', payload: Closed({}), who: ['teacher', 'student'], deprecated: true })
  },
  refuses: { shout: 'UNSUPPORTED_OPERATION' },
  sends: {
    'chat/say': sends({
      summary: 'Something was said.',
      payload: Payload({ text: Type.String() }),
      rooms: [room('lobby:{place}'), room('lobby:all')],
      kept: true
    }),
    'chat:error': confirms('It could not be said.', Payload({ code: Type.String() }))
  }
})

/** Parsed once: parsing is by far the most of what these tests cost. */
const lobbyDocument = parse(t, asyncapi([lobby], info))

t.test('the document of the package is valid and names every event once', async t => {
  const parsed = await parse(t, asyncapi(contracts, info))
  const named = parsed.allOperations().all().map(operation => operation.id()).sort()
  const declared = contracts.flatMap((contract: Contract) => {
    const id = contract.namespace === '/' ? 'root' : contract.namespace.slice(1)
    return [
      ...Object.keys({ ...commonReceives, ...contract.receives, ...contract.refuses }).map(event => `${id}.receive.${event}`),
      ...Object.keys({ ...commonSends, ...contract.sends }).map(event => `${id}.send.${event}`)
    ]
  }).sort()
  t.ok(declared.includes('sessions.send.session:status_changed') && declared.includes('root.receive.auth:refresh'))
  t.same(named, declared)
  t.same(parsed.allChannels().all().map(channel => channel.address()).sort(), ['/', '/guidance', '/sessions'])
})

t.test('the document of the package is the one on record', async t => {
  const made = `${JSON.stringify(asyncapi(contracts, info), null, 1)}\n`
  if (process.env.UPDATE_GOLDEN) await writeFile(goldenFile, made)
  const recorded = await readFile(goldenFile, 'utf8')
  // One assertion on the text: a diff of thousands of lines helps nobody, the diff of the repository does.
  t.ok(made === recorded, 'the contracts changed what the world sees: if that is meant, run `UPDATE_GOLDEN=1 npx tap run test/lib/core/asyncapi.test.ts`')
})

t.test('each side of a received event', async t => {
  const parsed = await lobbyDocument
  const say = parsed.allOperations().get('lobby.main.receive.chat/say')
  t.ok(say?.isReceive())
  t.same(say?.channels().all()[0]?.address(), '/lobby/main')
  t.same(say?.extensions().get('x-roles')?.value(), ['student'])
  t.same(say?.extensions().get('x-socketio')?.value(), {
    acknowledgement: 'optional', failure: 'chat:error', limit: { perSecond: 1, burst: 5 }
  })
  const payload = say?.messages().all()[0]?.payload()
  t.match(payload?.json(), {
    type: 'object',
    required: ['text'],
    additionalProperties: false,
    properties: { mood: { type: 'string', enum: ['glad', 'sad'] }, picture: { type: 'string', format: 'binary' } }
  })
  const [accepted, failed] = say?.reply()?.messages().all()[0]?.payload()?.oneOf() ?? []
  t.match(accepted?.json(), { required: ['ok', 'id'], properties: { ok: { const: true }, id: { type: 'string' }, note: { type: 'string' } } })
  t.match(failed?.json(), { required: ['ok', 'error'], properties: { ok: { const: false }, error: { required: ['code', 'message'] } } })
})

t.test('deprecated and refused events say so', async t => {
  const parsed = await lobbyDocument
  const wave = parsed.allOperations().get('lobby.main.receive.wave')
  t.equal(wave?.extensions().get('x-deprecated')?.value(), true)
  t.equal(wave?.messages().all()[0]?.payload()?.deprecated(), true)
  t.match(wave?.reply()?.messages().all()[0]?.payload()?.oneOf()?.[0]?.json(), { required: ['ok'], properties: { ok: { const: true } } })
  const shout = parsed.allOperations().get('lobby.main.receive.shout')
  t.match(shout?.extensions().get('x-socketio')?.value(), { refused: 'UNSUPPORTED_OPERATION' })
  t.match(JSON.stringify(shout?.reply()?.messages().all()[0]?.payload()?.json()), '"const":"UNSUPPORTED_OPERATION"')
})

t.test('a sent event says its rooms, whether it is kept, and its last argument', async t => {
  const parsed = await lobbyDocument
  const said = parsed.allOperations().get('lobby.main.send.chat/say')
  t.ok(said?.isSend())
  t.same(said?.extensions().get('x-socketio')?.value(), { rooms: ['lobby:{place}', 'lobby:all'], kept: true })
  t.match(said?.messages().all()[0]?.headers()?.json(), { required: ['id', 'room', 'at'] })
  const failed = parsed.allOperations().get('lobby.main.send.chat:error')
  t.same(failed?.extensions().get('x-socketio')?.value(), { rooms: [], kept: false })
  t.match(failed?.description(), 'one socket')
})

t.test('the token, the common events and the roles of a namespace', async t => {
  const parsed = await lobbyDocument
  const server = parsed.servers().get('host')
  t.equal(server?.protocol(), 'socket.io')
  t.match(server?.security()[0]?.all()[0]?.scheme().description(), 'auth.token')
  const refresh = parsed.allOperations().get('lobby.main.receive.auth:refresh')
  t.same(refresh?.extensions().get('x-roles')?.value().sort(), ['student', 'teacher'], 'only roles that the namespace admits')
  for (const event of Object.keys(commonSends)) t.ok(parsed.allOperations().get(`lobby.main.send.${event}`), event)
})

t.test('the same contracts give the same bytes, and a channel has one contract', async t => {
  t.equal(JSON.stringify(asyncapi([lobby, ...contracts], info)), JSON.stringify(asyncapi([lobby, ...contracts], info)))
  t.throws(() => asyncapi([lobby, { ...lobby, namespace: '/lobby.main' }], info), { message: /share the channel lobby\.main/ })
})
