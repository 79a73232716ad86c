import fc from 'fast-check'
import { Encoder, PacketType, type Packet } from 'socket.io-parser'
import t from 'tap'
import { deeperThan, guardedParser, Refused } from '../../../lib/core/parser.ts'

const limits = { depth: 4, packetBytes: 1000 }

function decode (frames: readonly (string | Buffer)[]): Packet[] {
  const decoder = new (guardedParser(limits).Decoder)()
  const packets: Packet[] = []
  decoder.on('decoded', (packet: Packet) => packets.push(packet))
  for (const frame of frames) decoder.add(frame)
  decoder.destroy()
  return packets
}

const encode = (packet: Packet): (string | Buffer)[] => new Encoder().encode(packet)
const event = (data: unknown[], rest: Partial<Packet> = {}): Packet => ({ type: PacketType.EVENT, nsp: '/', data, ...rest })

t.test('what fits goes through unchanged', async t => {
  const packet = event(['name', { a: [1, { b: 'x' }] }], { nsp: '/sessions', id: 7 })
  t.match(decode(encode(packet)), [{ nsp: '/sessions', id: 7, data: ['name', { a: [1, { b: 'x' }] }] }])
})

t.test('what is nested too deep keeps its name, namespace and acknowledgement, and loses its payload', async t => {
  const deep = `2/sessions,12["na\\"me",${'['.repeat(50)}${']'.repeat(50)}]`
  const [packet] = decode([deep])
  t.match(packet, { nsp: '/sessions', id: 12 })
  t.equal(packet?.data[0], 'na\\"me')
  t.ok(packet?.data[1] instanceof Refused)
  t.equal(packet?.data[1].error.code, 'INVALID_PAYLOAD')
})

t.test('the event name itself is one level; the limit counts below it', async t => {
  t.notOk(decode(['2["e",[[[[1]]]]]'])[0]?.data[1] instanceof Refused)
  t.ok(decode(['2["e",[[[[[1]]]]]]'])[0]?.data[1] instanceof Refused)
})

t.test('what is too large is refused, text and binary alike', async t => {
  const [text] = decode([`20["e","${'x'.repeat(2000)}"]`])
  t.equal(text?.data[1].error.code, 'PAYLOAD_TOO_LARGE')
  const [binary] = decode(encode(event(['e', { data: Buffer.alloc(1500) }], { id: 3 })))
  t.equal(binary?.id, 3)
  t.equal(binary?.data[1].error.code, 'PAYLOAD_TOO_LARGE')
  t.match(decode(encode(event(['e', { data: Buffer.alloc(500) }]))), [{ data: ['e', { data: Buffer.alloc(500) }] }])
})

t.test('what has no readable head is a broken frame', async t => {
  t.throws(() => decode([`4${'['.repeat(50)}`]))
  t.throws(() => decode([`2/x,["${'n'.repeat(300)}",${'['.repeat(50)}${']'.repeat(50)}]`]))
})

t.test('depth is counted as JSON counts it', async t => {
  const depthOf = (value: unknown): number => typeof value === 'object' && value !== null ? 1 + Math.max(0, ...Object.values(value).map(depthOf)) : 0
  fc.assert(fc.property(fc.jsonValue({ maxDepth: 6 }), fc.integer({ min: 0, max: 7 }), (value, limit) => {
    t.equal(deeperThan(JSON.stringify(value), limit), depthOf(value) > limit)
  }), { seed: 7, numRuns: 500 })
})
