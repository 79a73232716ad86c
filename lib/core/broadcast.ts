import type { Namespace } from 'socket.io'
import type { Meta } from './contract.ts'

/** Sends an event to the sockets of this process in the union of rooms, each once. `except`: ids of sockets. */
export type Broadcast = (namespace: Namespace, rooms: readonly string[], except: Iterable<string>, event: string, payload: unknown, meta: Meta) => void

export const stockBroadcast: Broadcast = (namespace, rooms, except, event, payload, meta) => {
  namespace.local.to([...rooms]).except([...except]).emit(event, payload, meta)
}
