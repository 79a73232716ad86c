import { randomUUID } from 'node:crypto'
import type { Meta } from './contract.ts'
import type { RedisClient } from './redis.ts'

/** Newest-wins events between processes. They are not kept: one that is lost is followed by a newer one. */

export interface LiveEvent {
  namespace: string
  rooms: readonly string[]
  event: string
  payload: unknown
  meta: Meta
  /** What it is the newest of; of two with the same only the later one matters. */
  thing: string
}

export interface Live {
  /** To the other processes; never waits and never throws. */
  send (event: LiveEvent): void
  /** Hears what the others send. */
  listen (hear: (event: LiveEvent) => void): void
}

/** One process has no others. */
export const noOthers: Live = { send () {}, listen () {} }

const channel = 'classwaves:live'

export interface RedisLiveOptions {
  redis: RedisClient
  /** Its own connection, for hearing; a worker that only sends has none. */
  subscription?: RedisClient
  /** Hears of each event that did not leave this process, and of messages that are not ours. */
  onFailure: (error: unknown) => void
}

export function createRedisLive ({ redis, subscription, onFailure }: RedisLiveOptions): Live & { publish (event: LiveEvent): Promise<void> } {
  const sender = randomUUID()

  async function publish (event: LiveEvent): Promise<void> {
    await redis.publish(channel, JSON.stringify({ sender, ...event }))
  }

  return {
    publish,
    send (event) {
      if (redis.status === 'ready') publish(event).catch(onFailure)
      else onFailure(new Error('Redis is away'))
    },
    listen (hear) {
      if (!subscription) return
      subscription.on('message', (from: string, message: string) => {
        if (from !== channel) return
        try {
          const event = read(message)
          if (event.sender !== sender) hear(event)
        } catch (error) {
          onFailure(error)
        }
      })
      subscription.subscribe(channel).catch(onFailure)
    }
  }
}

function read (message: string): LiveEvent & { sender: string } {
  const event = JSON.parse(message) as Partial<LiveEvent & { sender: string }> | null
  const ours = typeof event?.sender === 'string' && typeof event.namespace === 'string' && Array.isArray(event.rooms) &&
    event.rooms.every(room => typeof room === 'string') && typeof event.event === 'string' && typeof event.meta === 'object'
  if (!ours) throw new Error('not a message of ours')
  return event as LiveEvent & { sender: string }
}
