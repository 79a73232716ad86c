import Type, { type Static, type TProperties, type TSchema } from 'typebox'
import type { Role } from './access.ts'
import { errorCodes, type ErrorCode } from './errors.ts'
import type { Room } from './room.ts'
import { Closed, Timestamp } from './schema.ts'

/**
 * An event is declared once, as data. Validation, handler and emitter types, client types, AsyncAPI, the
 * tables in the docs and metric labels all come from here. This file is browser-safe.
 */

/** An event that clients send. */
export interface Receives {
  summary: string
  payload: TSchema
  /** What an accepted acknowledgement carries besides `ok: true`. */
  ack?: TSchema
  /** Who may send it; there is no default, so an event without a policy does not compile. */
  who: readonly Role[]
  /** A rate of its own, on top of the socket's: tokens a second and the most that may be saved up. */
  limit?: { perSecond: number, burst: number }
  /** The event that tells the sender of a failure; `error` unless said. */
  failure?: string
  /** Said in the acknowledgement, for events that live on only for old clients. */
  deprecated?: boolean
}

/** An event that servers and workers send. */
export interface Sends {
  summary: string
  payload: TSchema
  /** The rooms it goes to, the home room first; it reaches each socket of their union once. None: to one socket alone. */
  rooms: readonly Room[]
  /** Kept for replay in its home room. What is not kept is newest-wins. */
  kept: boolean
  /** Room parameters that stand in the payload under another name. */
  params?: (payload: never) => Record<string, string>
  /** What an event that is not kept is the newest of; to a slow reader only the newest of each goes. The event itself unless said. */
  newest?: (payload: never) => string
}

export interface Contract {
  readonly namespace: string
  readonly summary: string
  /** Who may connect. */
  readonly admits: readonly Role[]
  readonly receives: Readonly<Record<string, Receives>>
  readonly sends: Readonly<Record<string, Sends>>
  /** Events that always get the same refusal, with any payload. */
  readonly refuses: Readonly<Record<string, ErrorCode>>
}

type Definition = Omit<Contract, 'refuses'> & { refuses?: Record<string, ErrorCode> }

/** Declares a namespace. What every namespace has (`auth:refresh`, `error`, ...) is added by the core. */
export function contract<const D extends Definition> (definition: D): D & { refuses: Record<string, ErrorCode> } {
  for (const [name, event] of Object.entries(definition.sends)) {
    if (event.kept && event.rooms.length === 0) throw new TypeError(`${definition.namespace} ${name} is kept but has no home room`)
  }
  return { ...definition, refuses: definition.refuses ?? {} }
}

/** Declares a received event. */
export function receives<const E extends Receives> (event: E): E { return event }

/** Declares a sent event. */
export function sends<P extends TSchema, const R extends readonly Room[]> (
  event: { summary: string, payload: P, rooms: R, kept: boolean, params?: (payload: Static<P>) => Record<string, string>, newest?: (payload: Static<P>) => string }
): typeof event { return event }

/** Declares an event for one socket alone: a confirmation or a failure. */
export function confirms<P extends TSchema> (summary: string, payload: P) {
  return sends({ summary, payload, rooms: [], kept: false })
}

/** A sent payload: open for fields that come later, so that clients must not refuse what they do not know. */
export function Payload<P extends TProperties> (properties: P) { return Type.Object(properties) }

export type PayloadOf<E extends { payload: TSchema }> = Static<E['payload']>
export type AckOf<E extends Receives> = E['ack'] extends TSchema ? Static<E['ack']> : Record<never, never>

/** The last argument of every event, after the payload. `epoch` and `offset` are there when the event is kept. */
export interface Meta {
  /** Unique for each emission. */
  id: string
  /** The home room, or the socket's own id for a reply. */
  room: string
  epoch?: string
  offset?: number
  /** When it was emitted: ISO 8601, UTC. */
  at: string
  traceId?: string
}

export interface Failure {
  ok: false
  error: { code: ErrorCode, message: string, details?: Record<string, unknown> }
}
export type Answer<A> = ({ ok: true } & A) | Failure

/** What every namespace receives. */
export const commonReceives = {
  'auth:refresh': receives({
    summary: 'Renews every socket of this connection with a newer token of the same user.',
    payload: Closed({ token: Type.String({ minLength: 1, maxLength: 16384 }) }),
    ack: Type.Object({ expiresAt: Timestamp }),
    who: ['student', 'teacher', 'instructor', 'admin', 'super_admin', 'parent', 'staff', 'partner', 'worker']
  })
} as const

/** What every namespace sends. */
export const commonSends = {
  'auth:expiring': confirms('The token of this socket ends soon; answer with auth:refresh.', Payload({ expiresAt: Timestamp })),
  'server:draining': confirms('This server goes away; reconnect after the given time.', Payload({ retryAfterMs: Type.Integer({ minimum: 0 }) })),
  error: confirms('An event of this socket failed.', Payload({
    code: Type.Enum(errorCodes),
    message: Type.String(),
    event: Type.String(),
    details: Type.Optional(Type.Record(Type.String(), Type.Unknown()))
  }))
} as const

type All<C extends Contract, D extends 'receives' | 'sends'> = C[D] & (D extends 'receives' ? typeof commonReceives : typeof commonSends)

/** Types for `Socket<ServerEvents<C>, ClientEvents<C>>` of socket.io-client. */
export type ServerEvents<C extends Contract> = {
  [E in keyof All<C, 'sends'>]: All<C, 'sends'>[E] extends Sends | typeof commonSends['error']
    ? (payload: PayloadOf<All<C, 'sends'>[E]>, meta: Meta) => void
    : never
}
export type ClientEvents<C extends Contract> = {
  [E in keyof All<C, 'receives'>]: All<C, 'receives'>[E] extends Receives
    ? (payload: PayloadOf<All<C, 'receives'>[E]>, ack?: (answer: Answer<AckOf<All<C, 'receives'>[E]>>) => void) => void
    : never
}
