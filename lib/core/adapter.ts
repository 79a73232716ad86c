import { RedisAdapter } from '@socket.io/redis-adapter'
import { decode, encode } from 'notepack.io'
import type { Namespace } from 'socket.io'
import type { Adapter } from 'socket.io-adapter'
import { within } from './deadline.ts'
import { isEventName } from './event-name.ts'
import type { RedisClient } from './redis.ts'

type Listener = (...args: unknown[]) => unknown

/** Redis that has not counted the servers by then is not waited for (ms). */
const countMs = 2_000

/**
 * The stock Redis adapter between two guards. It drops the promises of its publishes and subscriptions, and Socket.IO
 * that of its count of servers, so each failure would be an unhandled rejection; and it takes whatever bytes come on its
 * channels, messages and requests alike, so one foreign message would end the process.
 */
export function clusterAdapter (client: RedisClient, subscription: RedisClient, onFailure: (error: unknown) => void): (namespace: Namespace) => Adapter {
  const caught = async (promise: Promise<unknown>): Promise<unknown> => await promise.catch(onFailure)
  const away = new Error('Redis is away')

  const publisher = {
    publish: (channel: string, message: string | Buffer): unknown =>
      client.status === 'ready' ? caught(client.publish(channel, message)) : onFailure(away),
    // What the host asks of all servers (fetchSockets, emitWithAck) begins with a count of them, and that with this.
    send_command: (command: string, args: string[], done: (error: unknown, reply?: unknown) => void): void => {
      client.status === 'ready' ? client.call(command, ...args).then(reply => done(null, reply), done) : done(away)
    },
    ...('nodes' in client && { isCluster: true, nodes: () => client.nodes() }),
    on: client.on.bind(client),
    off: client.off.bind(client)
  }
  const subscriptions = {
    psubscribe: async (pattern: string) => await caught(subscription.psubscribe(pattern)),
    punsubscribe: async (pattern: string) => await caught(subscription.punsubscribe(pattern)),
    subscribe: async (channels: string[]) => await caught(subscription.subscribe(...channels)),
    unsubscribe: async (channels: string[]) => await caught(subscription.unsubscribe(...channels)),
    on: (event: string, listener: Listener) => subscription.on(event, event === 'error' ? listener : guarded(listener)),
    off: (event: string, listener: Listener) => subscription.off(event, guards.get(listener) ?? listener)
  }

  const guards = new WeakMap<Listener, Listener>()
  function guarded (listener: Listener): Listener {
    const guard = async (...args: unknown[]): Promise<void> => {
      try {
        await listener(...args)
      } catch (error) {
        onFailure(error)
      }
    }
    guards.set(listener, guard)
    return guard
  }

  const parser = { encode, decode: tolerant(decode, onFailure) }
  class GuardedAdapter extends RedisAdapter {
    constructor (namespace: Namespace) { super(namespace, publisher, subscriptions, { parser }) }

    /**
     * Never rejects: who broadcasts does not listen for that. Servers that could not be counted are more than will ever
     * answer, so that what was asked of all of them ends as late, with the answers there are, and not as complete.
     */
    override async serverCount (): Promise<number> {
      const late = (): never => { throw new Error(`Redis has not counted the servers in ${countMs} ms`) }
      try {
        return await within(countMs, super.serverCount(), late)
      } catch (error) {
        onFailure(error)
        return Infinity
      }
    }
  }
  // Socket.IO calls it with `new`, which an arrow function does not take.
  return function (namespace) { return new GuardedAdapter(namespace) }
}

/** A broadcast that no server of ours has sent becomes one without a packet, which the adapter passes over. Requests are no lists. */
function tolerant (decodeMessage: (bytes: Buffer) => unknown, onFailure: (error: unknown) => void) {
  return (bytes: Buffer): unknown => {
    try {
      const message = decodeMessage(bytes)
      return Array.isArray(message) && !isBroadcast(message) ? [] : message
    } catch (error) {
      onFailure(error)
      return []
    }
  }
}

/** An event, its name and its rooms: clients would fail over the first two, the adapter over the last. */
function isBroadcast (message: readonly unknown[]): boolean {
  const [, packet, options] = message as [unknown, { data?: unknown } | null | undefined, { rooms?: unknown, except?: unknown } | null | undefined]
  return Array.isArray(packet?.data) && isEventName(packet.data[0]) && Array.isArray(options?.rooms) && Array.isArray(options.except)
}
