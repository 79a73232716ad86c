import type { Namespace, Server } from 'socket.io'
import type { Meta } from './contract.ts'

/** Sends an event to the sockets of this process in the union of rooms, each once. `except`: ids of sockets. */
export type Broadcast = (namespace: Namespace, rooms: readonly string[], except: Iterable<string>, event: string, payload: unknown, meta: Meta) => void

export const stockBroadcast: Broadcast = (namespace, rooms, except, event, payload, meta) => {
  namespace.local.to([...rooms]).except([...except]).emit(event, payload, meta)
}

/** Whether a socket of this process is in one of the rooms. */
export function hasReaders (io: Server, namespace: string, rooms: Iterable<string>): boolean {
  const there = io._nsps.get(namespace)?.adapter.rooms // asked for by name, Socket.IO would make one
  if (there !== undefined) for (const room of rooms) if (there.has(room)) return true
  return false
}
