/** Names that Socket.IO keeps to itself: its servers throw over them, its clients close the connection. */
const reserved = new Set<unknown>(['connect', 'connect_error', 'disconnect', 'disconnecting', 'newListener', 'removeListener'])

/** Whether an event may go over the wire under this name; bytes that others wrote may hold anything. */
export function isEventName (name: unknown): name is string {
  return typeof name === 'string' && !reserved.has(name)
}
