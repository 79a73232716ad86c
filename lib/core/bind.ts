import type { FastifyBaseLogger } from 'fastify'
import type { Namespace, Socket } from 'socket.io'
import type { User } from './access.ts'
import { userOfSocket } from './admit.ts'
import { createContext, replyMeta, type Context, type Handlers, type Hooks } from './context.ts'
import { commonReceives, type Contract, type Receives } from './contract.ts'
import type { Delivery } from './delivery.ts'
import { checker, type Emit } from './emit.ts'
import { ClasswavesError, toWireError, type WireError } from './errors.ts'
import { Admitted } from './lifetime.ts'
import { Bucket } from './limit.ts'
import type { Limits } from './limits.ts'
import { reasonLabel, type Metrics } from './metrics.ts'
import { Refused } from './parser.ts'
import { Turn } from './turn.ts'

export interface BindDependencies {
  authenticate: (token: unknown) => User
  limits: Limits
  metrics: Metrics
  log: FastifyBaseLogger
  delivery: Delivery
  now: () => number
}

type Handler = (context: Context, payload: never) => unknown
interface Incoming { declaration: Receives, handle: Handler, check: (payload: unknown) => boolean, explain: (payload: unknown) => string }
type Acknowledge = (answer: object) => void

/** How often a socket is told the path of a fault; telling is far dearer than finding. */
const explanations = 50
/** Events of one socket that may wait for their turn. */
const waiting = 256

/** An admitted socket of a served namespace. */
class Bound extends Admitted {
  readonly bucket: Bucket
  readonly buckets = new Map<string, Bucket>()
  readonly turn = new Turn(waiting)
  explanations = explanations

  constructor (socket: Socket, user: User, limits: Limits, now: () => number) {
    super(socket, user, now)
    this.bucket = new Bucket(limits.eventsPerSecond, limits.eventBurst, performance.now())
  }
}

/**
 * Serves a contract in its namespace. Each event goes the same way: limit, role, validate, handle, acknowledge.
 * What is not declared is refused. Events of one socket are handled in the order in which they came.
 */
export function bind<C extends Contract> (
  namespace: Namespace, contract: C, handlers: Handlers<C>, hooks: Hooks<C>, emit: Emit<C>,
  { authenticate, delivery, limits, metrics, log, now }: BindDependencies
): void {
  const incoming = new Map<string, Incoming>()
  const bounds = new Map<string, Bound>()
  const refuses = new Map(Object.entries(contract.refuses))
  const declare = (name: string, declaration: Receives, handle: Handler): void => {
    incoming.set(name, { declaration, handle, ...checker(declaration.payload) })
  }
  for (const [name, declaration] of Object.entries<Receives>(contract.receives)) {
    declare(name, declaration, (handlers as Record<string, Handler>)[name] as Handler)
  }

  namespace.on('connection', (socket: Socket) => {
    const user = userOfSocket.get(socket)
    if (!user) {
      log.error({ namespace: contract.namespace }, 'a socket came past the door')
      socket.disconnect()
      return
    }
    const bound = new Bound(socket, user, limits, now)
    const context = createContext(socket, () => bound.user, { emit, delivery, log, now, roomLimit: limits.roomsPerSocket })
    bounds.set(socket.id, bound)
    metrics.sockets.inc({ namespace: contract.namespace })

    let left: string[] = []
    socket.on('disconnecting', () => { left = context.rooms() })
    socket.on('disconnect', reason => {
      bounds.delete(socket.id)
      metrics.sockets.dec({ namespace: contract.namespace })
      metrics.disconnects.inc({ namespace: contract.namespace, reason: reasonLabel(reason) })
      bound.turn.last(async () => hooks.disconnected?.(context, left))
        .catch((error: unknown) => log.error({ err: error, namespace: contract.namespace }, 'cleaning up after a socket failed'))
    })
    // Nothing is handed on to Socket.IO: it would emit on the socket whatever name the client chose, `disconnect` too.
    socket.use(([event, ...args]) => { receive(bound, context as unknown as Context, String(event), args) })
  })

  function receive (bound: Bound, context: Context, event: string, args: unknown[]): void {
    const acknowledge = typeof args.at(-1) === 'function' ? args.pop() as Acknowledge : undefined
    const declared = incoming.get(event)
    try {
      takeToken(bound, event, declared)
    } catch (error) {
      return fail(bound, event, declared, args[0], acknowledge, error)
    }
    const handled = bound.turn.take(() => handle(bound, context, event, declared, args, acknowledge))
    if (!handled) fail(bound, event, declared, args[0], acknowledge, new ClasswavesError('RATE_LIMITED', undefined, { retryAfterMs: 1000 }))
  }

  async function handle (bound: Bound, context: Context, event: string, declared: Incoming | undefined, args: unknown[], acknowledge?: Acknowledge): Promise<void> {
    try {
      const [payload = {}] = args
      if (payload instanceof Refused) throw payload.error
      const { declaration, handle } = known(event, declared)
      if (!declaration.who.includes(bound.user.role)) throw new ClasswavesError('FORBIDDEN')
      validate(bound, event, declared as Incoming, payload, args.length)
      const began = performance.now()
      let data: unknown
      try {
        data = await handle(context, payload as never)
      } finally {
        metrics.handled.observe({ namespace: contract.namespace, event }, (performance.now() - began) / 1000)
      }
      acknowledge?.({ ok: true, ...(data as object | undefined) })
      metrics.received.inc({ namespace: contract.namespace, event, result: 'ok' })
    } catch (error) {
      fail(bound, event, declared, args[0], acknowledge, error)
    }
  }

  function takeToken (bound: Bound, event: string, declared: Incoming | undefined): void {
    const at = performance.now() // a clock that is set back would hold them until it has caught up
    let retryAfterMs = bound.bucket.take(at)
    const own = declared?.declaration.limit
    if (retryAfterMs === 0 && own) {
      let bucket = bound.buckets.get(event)
      if (!bucket) bound.buckets.set(event, bucket = new Bucket(own.perSecond, own.burst, at))
      retryAfterMs = bucket.take(at)
    }
    if (retryAfterMs > 0) throw new ClasswavesError('RATE_LIMITED', undefined, { retryAfterMs })
  }

  function known (event: string, declared: Incoming | undefined): Incoming {
    if (declared) return declared
    const refused = refuses.get(event)
    throw new ClasswavesError(refused ?? 'UNSUPPORTED_OPERATION', refused ? undefined : `${contract.namespace} has no such event.`)
  }

  function validate (bound: Bound, event: string, { check, explain }: Incoming, payload: unknown, count: number): void {
    if (count > 1) throw new ClasswavesError('INVALID_PAYLOAD', `${event} takes one payload.`)
    if (check(payload)) return
    throw new ClasswavesError('INVALID_PAYLOAD', bound.explanations-- > 0 ? `${event}: ${explain(payload)}` : undefined)
  }

  /** Tells the sender, and only the sender: in the acknowledgement if there is one, else in an event. */
  function fail (bound: Bound, event: string, declared: Incoming | undefined, payload: unknown, acknowledge: Acknowledge | undefined, thrown: unknown): void {
    const error = toWireError(thrown)
    if (error.code === 'INTERNAL') log.error({ err: thrown, namespace: contract.namespace, event }, 'a handler failed')
    metrics.received.inc({ namespace: contract.namespace, event: declared || refuses.has(event) ? event : 'undeclared', result: error.code })
    const failure = declared?.declaration.failure
    acknowledge?.({ ok: false, error })
    if (failure) bound.socket.emit(failure, failurePayload(error, payload), replyMeta(bound.socket.id, now()))
    else if (!acknowledge) bound.socket.emit('error', { ...error, event: event.slice(0, 100) }, replyMeta(bound.socket.id, now()))
  }

  declare('auth:refresh', commonReceives['auth:refresh'], (context: Context, payload: { token: string }) => {
    const user = authenticate(payload.token)
    bounds.get(context.id)?.renew(user)
    return { expiresAt: new Date(user.exp * 1000).toISOString() }
  })
}

/** Failures that go out under another name than `error` say what they were about, as far as the sender said it. */
function failurePayload (error: WireError, payload: unknown): Record<string, unknown> {
  const said = (typeof payload === 'object' && payload !== null ? payload : {}) as Record<string, unknown>
  const text = (name: string): string => typeof said[name] === 'string' ? said[name].slice(0, 64) : ''
  return { sessionId: text('sessionId'), groupId: text('groupId'), code: error.code, message: error.message }
}
