import { eventRequests, routeRequests, type Place } from '../requests.ts'
import type { Random } from './random.ts'
import { deep, names, written } from './values.ts'

/** Frames and requests for every door: well-formed ones from the contracts, and what becomes of them by chance. */

export type Frame = string | Buffer

/** Who attacks, and the classes that they name: their own, one that is not theirs, one that nobody has. */
export interface Attacker { token: string, places: readonly Place[] }

const events = Object.keys(eventRequests).map(name => name.split(' ') as [namespace: string, event: string])
const namespaces = ['/', '/sessions', '/guidance']
/** Doors that are not there, or are written as nobody writes them. */
const odd = ['/nowhere', '/sessions?token=x', '/Sessions', '//', '/__proto__', `/${'x'.repeat(2_000)}`, '/sessions/', '/\u202e']
const ids = ['', '0', '1', '7', '4294967296', '9007199254740993', '99999999999999999999999', '-1', '1.5', '00']

/** What opens doors. */
export function connects ({ token }: Attacker, random: Random): string[] {
  return namespaces.filter(() => random.maybe(0.8)).map(namespace => `40${namespace},${JSON.stringify({ token })}`)
}

/** What a member says first, so that what follows gets as far as it can. */
export function greetings ({ places: [own] }: Attacker, open: readonly string[]): Frame[] {
  const place = own as Place
  return [
    ...open.includes('/') ? [`42["joinSession",${JSON.stringify(place.code)}]`] : [],
    ...open.includes('/sessions') ? [`42/sessions,["session:join",${JSON.stringify({ sessionId: place.sessionId })}]`] : [],
    ...open.includes('/guidance') ? [`42/guidance,["session:guidance:subscribe",${JSON.stringify({ sessionId: place.sessionId })}]`, '42/guidance,["guidance:subscribe",{}]'] : []
  ]
}

/** One frame, with its attachments behind it, to the doors that are open. Most can be parsed, for what cannot ends its connection. */
export function frames (attacker: Attacker, open: readonly string[], random: Random): Frame[] {
  const lot = random.next()
  if (lot < 0.972) return event(attacker, open, random)
  if (lot < 0.974) return [packet(random)]
  if (lot < 0.996) return [`3${open.includes('/sessions') ? '/sessions,' : ''}${random.pick(ids)}[${written({ ok: true }, random, 1)}]`].map(text => `4${text}`)
  if (lot < 0.999) return [garbled(event(attacker, open, random)[0] as string, random)]
  return [engine(random)]
}

function event ({ token, places }: Attacker, open: readonly string[], random: Random): Frame[] {
  const [namespace, name] = random.pick(random.maybe(0.999) && open.length > 0 ? events.filter(([namespace]) => open.includes(namespace)) : events)
  const payload = unended(eventRequests[`${namespace} ${name}`]?.payload({ ...random.pick(places), token }))
  const binary = hasBytes(payload)
  const count = binary ? random.maybe(0.99) ? 1 : random.pick([2, 0]) : random.maybe(0.001) ? random.pick([1, 9, 10, 11, 1e9]) : undefined
  const said = random.maybe(0.02) ? random.pick(names) : name
  const to = random.maybe(0.001) ? random.pick([...namespaces, ...odd]) : namespace
  const args = Array.from({ length: random.pick([1, 1, 1, 1, 1, 1, 0, 2, 3]) }, () => written(payload, random, random.pick([0, 1, 1, 1, 2, 3])))
  const head = `4${count === undefined ? '2' : `5${count}-`}${to === '/' ? '' : `${to},`}${random.maybe(0.6) ? random.pick(ids.slice(0, 6)) : ''}`
  const attachments = Array.from({ length: Math.min(count ?? 0, 2) }, () => Buffer.alloc(random.pick([0, 1, 100, 5_000]), random.below(256)))
  return [`${head}${JSON.stringify([said]).slice(0, -1)}${args.map(arg => `,${arg}`).join('')}]`, ...attachments]
}

/** A class that has ended refuses all that follows at its door, so nobody may end it. */
function unended (payload: unknown): unknown {
  return typeof payload === 'object' && payload !== null && 'status' in payload && payload.status === 'ended' ? { ...payload, status: 'paused' } : payload
}

function hasBytes (value: unknown): boolean {
  return typeof value === 'object' && value !== null && Object.values(value).some(one => one instanceof Uint8Array)
}

/** Packets that are no events: connects, disconnects, errors, acknowledgements with bytes, types that nobody has. */
function packet (random: Random): Frame {
  const to = random.pick([...namespaces, ...namespaces, ...odd])
  const type = random.pick(['0', '0', '0', '1', '2', '3', '4', '50-', '51-', '61-', '6', '7', '9', ''])
  const data = random.pick(['', '{}', '[]', 'null', '{"token":"x.y.z"}', '{"token":{"a":1}}', '["__proto__"]', `{"token":"${'x'.repeat(20_000)}"}`, deep(random.pick([5, 40, 6_000, 100_000])).text, '{"__proto__":{"token":"x"}}'])
  return `4${type}${to === '/' && random.maybe(0.5) ? '' : `${to},`}${random.pick(ids)}${data}`
}

/** Bytes of a frame, changed without a thought for what they mean. */
function garbled (text: string, random: Random): Frame {
  const bytes = Buffer.from(text.slice(0, 4_000))
  for (let i = random.below(4); i >= 0; i--) {
    const at = random.below(bytes.length)
    switch (random.below(3)) {
      case 0: bytes[at] = random.below(256); break
      case 1: bytes[at] = (bytes[at] as number) ^ 1 << random.below(8); break
      default: bytes.copyWithin(at, random.below(bytes.length))
    }
  }
  const cut = random.maybe(0.3) ? bytes.subarray(0, random.below(bytes.length)) : bytes
  return random.maybe(0.9) ? cut.toString('utf8') : cut
}

/** Packets of the transport. */
function engine (random: Random): Frame {
  return random.pick<Frame>(['0', '1', '2', '2probe', '3', '3probe', '5', '6', '7', '', 'b4', '4', 'x', '\x1e', '40\x1e40', Buffer.alloc(random.below(300)), Buffer.alloc(0)])
}

export interface Asked { method: string, path: string, headers: Record<string, string>, body?: string }

const routes = Object.keys(routeRequests).map(name => name.split(' ') as [method: string, path: string])

/** A request to a route, and what becomes of it. Sessions are not made well-formed: they would be kept. */
export function request ({ token, places }: Attacker, random: Random): Asked {
  const [method, pattern] = random.pick(routes)
  const place = random.pick(pattern.endsWith('/end') ? places.filter(one => one !== places[0]) : places)
  const own = /^\/(health|metrics|openapi|asyncapi)/.test(pattern)
  const path = pattern.replace(/:(\w+)/g, (_, name: 'sessionId') => random.maybe(0.05) ? encodeURIComponent(random.pick(names)) : place[name])
  const query = random.maybe(0.2) ? `?${random.pick(['limit=-1', 'limit=1e9', 'cursor=%00', 'after=NaN', '__proto__=1', 'room=x&epoch=1&offset=-5', `x=${'y'.repeat(500)}`])}` : ''
  const payload = routeRequests[`${method} ${pattern}`]?.body?.(place) ?? {}
  const json = written(payload, random, method === 'POST' && pattern === '/sessions' ? 2 : random.pick([0, 1, 1, 2]))
  return {
    method: random.maybe(0.05) ? random.pick(['PUT', 'DELETE', 'PATCH', 'OPTIONS']) : method,
    path: `${own ? '' : '/api/v1'}${path}${query}`,
    headers: {
      ...(random.maybe(0.9) && { authorization: `Bearer ${random.maybe(0.1) ? `${token}x` : token}` }),
      'content-type': random.pick(['application/json', 'application/json', 'application/json', 'application/json', 'text/plain', 'application/json; charset=utf-16', '\tapplication/json'.trim(), 'multipart/form-data']),
      ...(random.maybe(0.1) && { 'idempotency-key': random.pick(['k', '1', 'x'.repeat(201), 'ok']) })
    },
    ...(method !== 'GET' && { body: random.maybe(0.1) ? json.slice(0, random.below(json.length)) : json })
  }
}
