import { createHmac, randomUUID } from 'node:crypto'
import Fastify, { type FastifyInstance } from 'fastify'
import type { ManagerOptions, SocketOptions } from 'socket.io-client'
import type { Test } from 'tap'
import classwaves, { type ClasswavesOptions, type Session, type SessionPlan } from '../index.ts'
import type { Contract } from '../lib/core/contract.ts'
import type { WireError } from '../lib/core/errors.ts'
import type { guidance, sessions } from '../lib/contract.ts'
import { client, type Client } from './client.ts'
import { remember, spotless } from './leaks.ts'
import { census, declarations } from './monitor.ts'
import { useRedis, type Owner } from './redis.ts'

/** The package, booted and looked at from outside: by HTTP and by stock Socket.IO clients. */

export const secret = 'the secret of the tests'

/** `CLASSWAVES_FAST_WIRE=off npm test` runs all tests on Socket.IO's own way out. */
export const wayOfTests = { fastWire: process.env.CLASSWAVES_FAST_WIRE !== 'off' }

export type Claims = Record<string, unknown>

/** A token of a new user; it ends in an hour unless `exp` says otherwise. `undefined` leaves a claim out. */
export function token (claims: Claims = {}, key = secret, header: object = { alg: 'HS256', typ: 'JWT' }): string {
  const role = claims.role ?? 'teacher'
  const all = { sub: `${String(role)}-${randomUUID().slice(0, 8)}`, role, exp: inSeconds(3600), ...claims }
  const text = [header, all].map(part => Buffer.from(JSON.stringify(part)).toString('base64url')).join('.')
  return `${text}.${key && createHmac('sha256', key).update(text).digest('base64url')}`
}

export function inSeconds (seconds: number): number { return Math.floor(Date.now() / 1000) + seconds }

export interface Reply<T> { status: number, headers: Headers, body: T }
export type Body = Record<string, unknown>

/** A server somewhere: in this process or another. */
export interface Remote {
  readonly url: string
  /** `path` without the prefix `/api/v1`; one that starts with `//` is taken as it is. */
  call<T = Body> (method: string, path: string, body?: unknown, token?: string, headers?: Record<string, string>): Promise<Reply<T>>
  /** Creates a session, by default of two groups, and starts it unless told otherwise. */
  session (token: string, plan?: Partial<SessionPlan> & { start?: boolean }): Promise<Session>
  connect (namespace: '/sessions', auth: string | object, options?: Partial<ManagerOptions & SocketOptions>): Promise<Client<typeof sessions>>
  connect (namespace: '/guidance', auth: string | object, options?: Partial<ManagerOptions & SocketOptions>): Promise<Client<typeof guidance>>
  connect (namespace: string, auth: string | object, options?: Partial<ManagerOptions & SocketOptions>): Promise<Client>
  /** What a connect that must be refused is told. */
  refusal (namespace: string, auth: string | object): Promise<Partial<WireError>>
}

export interface App extends Remote {
  app: FastifyInstance
  /** All that was logged, and what of it from `warn` up. */
  log (): string
  warnings (): { level: number, msg: string }[]
}

/** Boots the package on a port of its own; it ends with the test, which fails when its log holds what it must not. `before` is the host, who comes first. */
export async function build (t: Owner, options: ClasswavesOptions = {}, before: (app: FastifyInstance) => unknown = () => {}): Promise<App> {
  const lines: string[] = []
  const app = Fastify({ logger: { level: 'trace', stream: { write: line => { lines.push(line) } } } })
  const log = (): string => lines.join('')
  t.teardown(async () => {
    const metrics = app.server.listening ? (await app.inject({ url: '/metrics', headers: { authorization: `Bearer ${token({ role: 'admin' })}` } })).body : ''
    await app.close()
    spotless('its log', log())
    spotless('what it measured', metrics)
  })
  await before(app)
  await app.register(classwaves, { jwt: { secret }, ...wayOfTests, ...options })
  const url = await app.listen({ port: 0, host: '127.0.0.1' })
  const warnings = (): ReturnType<App['warnings']> => lines.filter(line => Number(/^\{"level":(\d+)/.exec(line)?.[1]) >= 40).map(line => JSON.parse(line) as { level: number, msg: string })
  return { ...remote(t, url), app, log, warnings }
}

/** The same test on memory and on Redis; there what it leaves behind is looked at as well. */
export function onBoth (t: Test, name: string, body: (t: Test, options: { redis?: string }) => Promise<unknown>): void {
  t.test(`${name}, in memory`, t => body(t, {}))
  t.test(`${name}, on Redis`, async t => {
    const redis = await useRedis(t)
    await body(t, { redis: redis.url })
    t.same((await census(redis.client(), await declarations())).faults, [], 'each key is declared and has its end')
  })
}

export function remote (t: Owner, url: string): Remote {
  const clients = new Set<Client>()
  t.teardown(() => { for (const one of clients) one.close() })

  async function call<T> (method: string, path: string, body?: unknown, token?: string, headers: Record<string, string> = {}): Promise<Reply<T>> {
    remember(body)
    const response = await fetch(url + (path.startsWith('//') ? path.slice(1) : `/api/v1${path}`), {
      method,
      headers: { ...(token && { authorization: `Bearer ${token}` }), ...(body !== undefined && { 'content-type': 'application/json' }), ...headers },
      ...(body !== undefined && { body: typeof body === 'string' ? body : JSON.stringify(body) })
    })
    const text = await response.text()
    if (!response.ok) spotless(`${method} ${path}: the error`, text)
    const isJson = response.headers.get('content-type')?.startsWith('application/json') && text !== ''
    return { status: response.status, headers: response.headers, body: (isJson ? JSON.parse(text) : text) as T }
  }

  async function connect<C extends Contract> (namespace: string, auth: string | object, options?: Partial<ManagerOptions & SocketOptions>): Promise<Client<C>> {
    const one = client<C>(url, namespace, typeof auth === 'string' ? { token: auth } : auth, options)
    clients.add(one as unknown as Client)
    return await one.ready()
  }

  return {
    url,
    call,
    connect,
    async session (token, { start = true, ...plan } = {}) {
      const groups = [{ groupId: 'red', name: 'Red' }, { groupId: 'blue', name: 'Blue' }]
      // A store that was late: the machine is busy, and this is only where a test begins.
      const ask = async (path: string, body?: object, tries = 5): Promise<Session> => {
        const reply = await call<Session>('POST', path, body, token)
        if (reply.status === 503 && tries > 1) return await ask(path, body, tries - 1)
        if (reply.status >= 300) throw new Error(`no session: ${JSON.stringify(reply.body)}`)
        return reply.body
      }
      const made = await ask('/sessions', { topic: 'Why do rivers bend?', groups, ...plan })
      if (!start) return made
      try {
        return await ask(`/sessions/${made.sessionId}/start`)
      } catch (error) {
        // The first answer may be what was late: then it has started.
        const { body } = await call<Session>('GET', `/sessions/${made.sessionId}`, undefined, token)
        if (body.status === 'active') return body
        throw error
      }
    },
    async refusal (namespace, auth) {
      try {
        await connect(namespace, auth)
      } catch (error) {
        const { data = {} } = error as { data?: WireError }
        spotless(`the refusal of ${namespace}`, JSON.stringify(data))
        return data
      }
      throw new Error(`${namespace} let it in`)
    }
  }
}
