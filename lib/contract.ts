import { roles } from './core/access.ts'
import { contract, type ClientEvents, type Contract, type ServerEvents } from './core/contract.ts'
import { classroom } from './classroom/contract.ts'
import { guidance } from './guidance/contract.ts'
import { sessions } from './sessions/contract.ts'

/** Every contract, in one list. Browser-safe: import it from `fastify-classwaves/contract`. */

/** The default namespace without the classroom: a place to connect, in which nothing is said. */
export const root = contract({
  namespace: '/',
  summary: 'The default namespace. It admits every role with a valid token; areas bring their events.',
  admits: roles,
  receives: {},
  sends: {}
})

export const contracts: readonly Contract[] = [classroom, sessions, guidance]

export { classroom, guidance, sessions }
export { heat } from './guidance/heat.ts'
export type ClassroomServerEvents = ServerEvents<typeof classroom>
export type ClassroomClientEvents = ClientEvents<typeof classroom>
export type SessionsServerEvents = ServerEvents<typeof sessions>
export type SessionsClientEvents = ClientEvents<typeof sessions>
export type GuidanceServerEvents = ServerEvents<typeof guidance>
export type GuidanceClientEvents = ClientEvents<typeof guidance>
export type { Answer, ClientEvents, Contract, Failure, Meta, ServerEvents } from './core/contract.ts'
export { errorCodes, errorTable, type ErrorCode, type WireError } from './core/errors.ts'
export { roles, type Role } from './core/access.ts'
export * from './sessions/schema.ts'
export * from './guidance/schema.ts'
export * from './classroom/schema.ts'
