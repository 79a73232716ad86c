import { createHash } from 'node:crypto'
import type { FastifyInstance, FastifyRequest } from 'fastify'
import { within } from '../lib/core/deadline.ts'
import { ClasswavesError } from '../lib/core/errors.ts'
import type { Idempotency } from '../lib/core/idempotency.ts'
import './scope.ts' // the caller of a request

declare module 'fastify' {
  interface FastifyContextConfig {
    /** For an answer that holds a secret: what is kept in place of it, and how that becomes the answer again. */
    kept?: { of: (body: string) => string, answer: (kept: string) => string }
  }
}

const mutations = new Set(['POST', 'PUT', 'PATCH', 'DELETE'])

/** Node joins repeated headers with a comma and a space, so a second one does not fit either. */
const wellFormed = /^[\x21-\x7e]{1,200}$/

/** How long a reply waits for its answer to be stored; past it the storing goes on without the reply. */
const storeWaitMs = 1000

/**
 * Lets the mutations of a Fastify scope be asked for twice and happen once, for callers that send `Idempotency-Key`.
 * Whoever asks must be known by then: authenticate in `onRequest`.
 *
 * An answer from 500 up, and 429, is not kept: nothing happened, and the next try may fare better.
 */
export function withIdempotency (scope: FastifyInstance, idempotency: Idempotency): void {
  const claims = new WeakMap<FastifyRequest, { key: string, bodyHash: string }>()

  scope.addHook('preHandler', async (request, reply) => {
    const header = request.headers['idempotency-key']
    if (header === undefined || !mutations.has(request.method)) return
    if (typeof header !== 'string' || !wellFormed.test(header)) {
      throw new ClasswavesError('INVALID_PAYLOAD', 'Idempotency-Key must be one header of 1 to 200 visible ASCII characters.')
    }
    const key = digest([callerOf(request), request.method, request.url, header])
    const bodyHash = digest(request.body ?? null)
    const claim = await idempotency.claim(key, bodyHash)
    if (claim.state === 'mismatch') throw new ClasswavesError('IDEMPOTENCY_MISMATCH')
    if (claim.state === 'new') {
      claims.set(request, { key, bodyHash })
      return
    }
    const { status, body } = claim.answer
    reply.code(status).header('idempotent-replayed', 'true')
    if (body === '') return reply.send()
    const { kept } = request.routeOptions.config
    return reply.type('application/json; charset=utf-8').send(kept && isSuccess(status) ? kept.answer(body) : body)
  })

  scope.addHook('onSend', async (request, reply, payload) => {
    const claim = claims.get(request)
    if (claim === undefined) return
    const { kept } = request.routeOptions.config
    const text = textOf(payload)
    const body = kept && isSuccess(reply.statusCode) ? kept.of(text) : text
    claims.delete(request)
    const isKept = reply.statusCode < 500 && reply.statusCode !== 429
    const stored = isKept
      ? idempotency.complete(claim.key, claim.bodyHash, { status: reply.statusCode, body })
      : idempotency.abandon(claim.key, claim.bodyHash)
    // The mutation is done or refused already; its caller gets the answer even when the store does not.
    const logged = stored.catch((error: unknown) => { request.log.error({ err: error }, 'the answer of an idempotent request was not stored') })
    await within(storeWaitMs, logged, () => {})
  })
}

const isSuccess = (status: number): boolean => status < 300

function callerOf ({ caller, ip }: FastifyRequest): string {
  return caller ? `user ${caller.userId}` : `address ${ip}`
}

function digest (value: unknown): string {
  return createHash('sha256').update(JSON.stringify(value)).digest('hex')
}

function textOf (payload: unknown): string {
  if (payload === undefined || payload === null) return ''
  if (typeof payload === 'string') return payload
  if (Buffer.isBuffer(payload)) return payload.toString()
  throw new TypeError('An idempotent route answers with text, which can be kept and sent again.')
}
