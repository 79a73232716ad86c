import type { Namespace, Socket } from 'socket.io'
import type { Role, User } from './access.ts'
import type { Counters } from './counters.ts'
import { ClasswavesError, toWireError, type ErrorCode } from './errors.ts'
import type { Leases } from './leases.ts'
import type { Limits } from './limits.ts'
import type { Metrics } from './metrics.ts'
import { networkOf } from './network.ts'
import type { FastifyBaseLogger } from 'fastify'

export interface AdmitDependencies {
  authenticate: (token: unknown) => User
  counters: Counters
  leases: Leases
  limits: Limits
  metrics: Metrics
  log: FastifyBaseLogger
  /** A namespace as a label: a host may make any number of its own. */
  labelOf: (namespace: string) => string
  /** The process goes away; new sockets belong on another. */
  isDraining: () => boolean
  addressOf?: (headers: Record<string, string | string[] | undefined>, address: string) => string
}

/** Who may connect to a namespace, and with how many sockets each. */
export interface Admission { roles: readonly Role[], socketsPerUser?: number }

/** The user of an admitted socket, and where they are. */
export const userOfSocket = new WeakMap<Socket, User>()
export const addressOfSocket = new WeakMap<Socket, string>()

/**
 * The door of a namespace: nobody passes without a valid token of an admitted role. One connection gets one socket
 * here, counted before the first await, so that a flood of CONNECT packets cannot overtake the check.
 */
export function guard (namespace: Namespace, admission: () => Admission, { authenticate, counters, leases, limits, metrics, log, labelOf, isDraining, addressOf }: AdmitDependencies): void {
  const connections = new WeakSet<object>()
  const count = (result: 'ok' | ErrorCode): void => metrics.connects.inc({ namespace: labelOf(namespace.name), result })

  async function admit (socket: Socket): Promise<User> {
    if (isDraining()) throw new ClasswavesError('UNAVAILABLE', 'This server is going away; connect again.', { retryAfterMs: 1_000 })
    const address = addressOf?.(socket.handshake.headers, socket.handshake.address) ?? socket.handshake.address
    addressOfSocket.set(socket, address)
    const network = networkOf(address)
    const failures = await counters.peek(`connects:failed:${network}`, limits.failedConnectsPerMinute, 60_000)
    if (!failures.allowed) throw new ClasswavesError('RATE_LIMITED', 'Too many refused connects from this address.', { retryAfterMs: failures.retryAfterMs })
    const { roles, socketsPerUser } = admission()
    const user = await verified(socket, network, roles)
    const connects = await counters.take(`connects:${network}`, limits.connectsPer10Seconds, 10_000)
    if (!connects.allowed) throw new ClasswavesError('RATE_LIMITED', undefined, { retryAfterMs: connects.retryAfterMs })
    if (socketsPerUser === undefined) return user
    const sockets = `sockets:${namespace.name}:${user.userId}`
    const lease = await leases.hold(sockets, socket.id, socketsPerUser)
    if (!lease.held) throw new ClasswavesError('RATE_LIMITED', `You may have ${socketsPerUser} sockets here.`, { retryAfterMs: 0 })
    onceGone(socket, () => leases.release(sockets, socket.id), log)
    return user
  }

  async function verified (socket: Socket, network: string, roles: readonly Role[]): Promise<User> {
    try {
      const user = authenticate(socket.handshake.auth.token)
      if (!roles.includes(user.role)) throw new ClasswavesError('FORBIDDEN', `${namespace.name} does not admit the role ${user.role}.`)
      return user
    } catch (error) {
      await counters.take(`connects:failed:${network}`, limits.failedConnectsPerMinute, 60_000)
      // An expired token is a bad token to the one who connects; AUTH_EXPIRED is for live sockets.
      throw error instanceof ClasswavesError && error.code === 'AUTH_EXPIRED' ? new ClasswavesError('AUTH_FAILED', 'The token has expired.') : error
    } finally {
      forgetSecrets(socket)
    }
  }

  namespace.use((socket, next) => {
    if (connections.has(socket.client)) {
      count('RATE_LIMITED')
      return next(refusal(new ClasswavesError('RATE_LIMITED', 'This connection has a socket here already.', { retryAfterMs: 0 })))
    }
    connections.add(socket.client)
    admit(socket).then(user => {
      userOfSocket.set(socket, user)
      socket.once('disconnect', () => connections.delete(socket.client))
      count('ok')
      next()
    }, error => {
      connections.delete(socket.client)
      const { code } = toWireError(error)
      if (code === 'INTERNAL') log.error({ err: error, namespace: namespace.name }, 'a connect failed')
      count(code)
      next(refusal(error))
    })
  })
}

/** What Socket.IO sends as `connect_error`: the message, and `data` with the code. */
function refusal (thrown: unknown): Error {
  const wire = toWireError(thrown)
  return Object.assign(new Error(wire.message), { data: wire })
}

/** Headers in which nobody sends what opens a door. */
const harmless = ['host', 'origin', 'user-agent', 'accept-language', 'x-forwarded-for', 'x-forwarded-proto']

/**
 * A socket can outlive its handshake by hours, and `fetchSockets` publishes it to all processes: once looked at, the
 * token goes, and with it whatever else might be one, in a query or in a header of any name.
 */
function forgetSecrets ({ handshake }: Socket): void {
  delete handshake.headers.authorization // these are the connection's own, and the next namespace asks for them as well
  delete handshake.headers.cookie
  const headers = Object.fromEntries(harmless.filter(name => name in handshake.headers).map(name => [name, handshake.headers[name]]))
  const [url = ''] = handshake.url.split('?')
  Object.assign(handshake, { auth: {}, query: {}, headers, url })
}

/** Also for a socket whose connection breaks before it was admitted: then there is no `disconnect` to wait for. */
function onceGone (socket: Socket, clean: () => Promise<unknown>, log: FastifyBaseLogger): void {
  const gone = (): void => {
    socket.conn.off('close', gone)
    socket.off('disconnect', gone)
    clean().catch((error: unknown) => log.error({ err: error }, 'a lease was not released'))
  }
  if (socket.conn.readyState !== 'open') return gone()
  socket.conn.once('close', gone)
  socket.once('disconnect', gone)
}
