import type { FastifyBaseLogger } from 'fastify'
import type { Emit } from '../core/emit.ts'
import type { Leases } from '../core/leases.ts'
import type { sessions as sessionsContract } from './contract.ts'

/** Who is in a session: announced with a user's first socket and with their last, on whatever process these are. */
export interface Presence {
  arrive (sessionId: string, userId: string, socketId: string): Promise<void>
  /** Who arrived says so, as pupils do: true for the first of the user's sockets. */
  join (sessionId: string, userId: string, socketId: string): Promise<boolean>
  leave (sessionId: string, userId: string, socketId: string): Promise<void>
}

export function createPresence (leases: Leases, emit: () => Emit<typeof sessionsContract>, log: FastifyBaseLogger): Presence {
  const here = (sessionId: string, userId: string): string => `presence:${sessionId}:${userId}`
  const said = (sessionId: string, userId: string): string => `joined:${sessionId}:${userId}`

  async function announce (sessionId: string, userId: string, status: 'connected' | 'disconnected'): Promise<void> {
    try {
      await emit().to({ sessionId, userId }).emit('presence:updated', { sessionId, userId, status })
    } catch (error) {
      log.warn({ err: error, sessionId }, 'a presence was not announced')
    }
  }

  return {
    async arrive (sessionId, userId, socketId) {
      const { first } = await leases.hold(here(sessionId, userId), socketId)
      if (first) await announce(sessionId, userId, 'connected')
    },
    async join (sessionId, userId, socketId) {
      return (await leases.hold(said(sessionId, userId), socketId)).first
    },
    async leave (sessionId, userId, socketId) {
      await leases.release(said(sessionId, userId), socketId)
      const { last } = await leases.release(here(sessionId, userId), socketId)
      if (last) await announce(sessionId, userId, 'disconnected')
    }
  }
}
