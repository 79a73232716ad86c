import { randomUUID } from 'node:crypto'
import type { TSchema } from 'typebox'
import { Compile } from 'typebox/compile'
import type { Contract, Meta, PayloadOf, Sends } from './contract.ts'
import { ClasswavesError } from './errors.ts'

/** What an event is about; the declaration makes its rooms from it. */
export type Target = Readonly<Record<string, string | undefined>>

/** Carries a checked and stamped event to its rooms: Socket.IO on a server, Redis in a worker. */
export interface Transport {
  send (namespace: string, rooms: readonly string[], event: string, payload: unknown, meta: Meta, declaration: Sends): Promise<void>
}

/** The one door out of a namespace. */
export interface Emit<C extends Contract> {
  /** Names what the event is about, for instance `{ sessionId, groupId }`. */
  to (target: Target): {
    /**
     * Checks the payload, makes the rooms, stamps the metadata and sends. A kept event with an `id` that is known in its
     * home room is not sent again.
     * @throws ClasswavesError INVALID_PAYLOAD when the payload or the target does not fit the declaration
     * @throws ClasswavesError UNAVAILABLE when a kept event cannot be stored
     */
    emit<E extends keyof C['sends'] & string> (event: E, payload: PayloadOf<C['sends'][E]>, id?: string): Promise<void>
  }
  /** The same for a name and a payload that were not known when this was compiled. */
  dynamic (target: Target, event: string, payload: unknown): Promise<void>
}

/** What an event that is not kept is the newest of. */
export function newestOf ({ newest }: Sends, event: string, payload: unknown): string {
  return newest?.(payload as never) ?? event
}

/** Supplies what a target leaves out, for instance the teacher of a session. */
export type Lookup = (target: Target, missing: readonly string[]) => Promise<Target>

export interface EmitDependencies {
  transport: Transport
  lookup?: Lookup
  now?: () => number | Promise<number>
  /** The trace that this emission belongs to, when tracing is on. */
  traceId?: () => string | undefined
  /** Told of every emission, for the counters. */
  onEmit?: (namespace: string, event: string) => void
}

interface Outgoing { declaration: Sends, check: (payload: unknown) => boolean, explain: (payload: unknown) => string }

export function createEmit<C extends Contract> (contract: C, { transport, lookup, now = Date.now, traceId, onEmit }: EmitDependencies): Emit<C> {
  const outgoing = new Map<string, Outgoing>()
  for (const [name, declaration] of Object.entries<Sends>(contract.sends)) {
    if (declaration.rooms.length > 0) outgoing.set(name, { declaration, ...checker(declaration.payload) })
  }

  async function send (target: Target, event: string, payload: unknown, id: string = randomUUID()): Promise<void> {
    const known = outgoing.get(event)
    if (!known) throw new ClasswavesError('UNSUPPORTED_OPERATION', `${contract.namespace} does not send ${event}`)
    if (!known.check(payload)) throw new ClasswavesError('INVALID_PAYLOAD', `${event}: ${known.explain(payload)}`)
    const rooms = await roomsOf(known.declaration, event, target, payload, lookup)
    const trace = traceId?.()
    const meta: Meta = { id, room: rooms[0] as string, at: new Date(await now()).toISOString(), ...(trace && { traceId: trace }) }
    await transport.send(contract.namespace, rooms, event, payload, meta, known.declaration)
    onEmit?.(contract.namespace, event)
  }

  return {
    to: target => ({ emit: (event, payload, id) => send(target, event, payload, id) }),
    dynamic: send
  }
}

/** The names of an event's rooms, the home room first. */
async function roomsOf (declaration: Sends, event: string, target: Target, payload: unknown, lookup?: Lookup): Promise<string[]> {
  let known: Target = { ...target, ...declaration.params?.(payload as never) }
  const missing = [...new Set(declaration.rooms.flatMap(room => room.params))].filter(name => !known[name])
  if (missing.length > 0 && lookup) known = { ...known, ...await lookup(known, missing) }
  for (const name of missing) {
    if (!known[name]) throw new ClasswavesError('INVALID_PAYLOAD', `${event} needs ${name} in its target`)
  }
  for (const body of [payload].flat() as Record<string, unknown>[]) {
    const strange = Object.keys(target).find(name => body[name] !== undefined && target[name] !== undefined && body[name] !== target[name])
    if (strange) throw new ClasswavesError('INVALID_PAYLOAD', `${event}: ${strange} of the payload is not that of its target`)
  }
  return declaration.rooms.map(room => room(known as Record<string, string>))
}

/** Names in a path are the sender's own, and may be as long as a packet. */
const longestPath = 200
/** The validator walks all of a payload for its first fault, and some of it once for each member: a large one is not explained. */
const explained = 500

/** A compiled check, with the path of the first fault for the one who sent it. */
export function checker (schema: TSchema): { check: (value: unknown) => boolean, explain: (value: unknown) => string } {
  const validator = Compile(schema)
  return {
    check: value => validator.Check(value),
    explain: value => {
      if (hasMore(value, explained)) return 'does not fit'
      const [first] = validator.Errors(value)
      if (!first) return 'does not fit'
      const path = first.instancePath.slice(0, longestPath) || '/'
      return `${path} ${first.keyword === 'boolean' ? 'is not declared' : first.message}`
    }
  }
}

/** Has it more than so many members, at all levels together? Looks at no more than that. */
function hasMore (value: unknown, most: number): boolean {
  const open = [value]
  for (let seen = 0; open.length > 0; seen++) {
    if (seen > most) return true
    const one = open.pop()
    if (typeof one !== 'object' || one === null || ArrayBuffer.isView(one)) continue
    if (Array.isArray(one)) {
      if (one.length > most) return true
      open.push(...one)
    } else {
      for (const name in one) {
        if (open.push((one as Record<string, unknown>)[name]) > most) return true
      }
    }
  }
  return false
}
