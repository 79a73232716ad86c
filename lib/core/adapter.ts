import { createAdapter } from '@socket.io/redis-adapter'
import { decode, encode } from 'notepack.io'
import type { RedisClient } from './redis.ts'

/**
 * The stock Redis adapter between two guards. It drops the promises of its publishes and subscriptions, so each
 * failure would be an unhandled rejection; and it takes whatever bytes come on its channels, so one foreign message
 * would end the process.
 */
export function clusterAdapter (client: RedisClient, subscription: RedisClient, onFailure: (error: unknown) => void) {
  const caught = async (promise: Promise<unknown>): Promise<unknown> => await promise.catch(onFailure)
  const away = new Error('Redis is away')

  const publisher = {
    publish: (channel: string, message: string | Buffer): unknown =>
      client.status === 'ready' ? caught(client.publish(channel, message)) : onFailure(away),
    send_command: async (command: string, args: string[]) => await client.call(command, ...args),
    on: client.on.bind(client),
    off: client.off.bind(client)
  }
  const subscriptions = {
    psubscribe: async (pattern: string) => await caught(subscription.psubscribe(pattern)),
    punsubscribe: async (pattern: string) => await caught(subscription.punsubscribe(pattern)),
    subscribe: async (channels: string[]) => await caught(subscription.subscribe(...channels)),
    unsubscribe: async (channels: string[]) => await caught(subscription.unsubscribe(...channels)),
    on: subscription.on.bind(subscription),
    off: subscription.off.bind(subscription)
  }
  return createAdapter(publisher, subscriptions, { parser: { encode, decode: tolerant(decode, onFailure) } })
}

/** Foreign bytes become a message without a packet, which the adapter passes over. */
function tolerant (decodeMessage: (bytes: Buffer) => unknown, onFailure: (error: unknown) => void) {
  return (bytes: Buffer): unknown => {
    try {
      const message = decodeMessage(bytes)
      return Array.isArray(message) ? message : []
    } catch (error) {
      onFailure(error)
      return []
    }
  }
}
