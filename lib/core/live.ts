import { randomUUID } from 'node:crypto'
import type { Meta } from './contract.ts'
import { isEventName } from './event-name.ts'
import { isObject } from './options.ts'
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
  /** To the other processes; its caller waits for nothing, and it never throws. */
  send (event: LiveEvent): void
  /** What is still here leaves now: what its sender says next, on another way, does not overtake it. */
  flush (): void
  /** Hears what the others send. */
  listen (hear: (event: LiveEvent) => void): void
}

/** One process has no others. */
export const noOthers: Live = { send () {}, flush () {}, listen () {} }

const channel = 'classwaves:live'

export interface RedisLiveOptions {
  redis: RedisClient
  /** Its own connection, for hearing; a worker that only sends has none. */
  subscription?: RedisClient
  /** Hears of each event that did not leave this process, and of messages that are not ours. */
  onFailure: (error: unknown) => void
}

/** So many characters leave in one message at most; one event may be longer. */
const messageSize = 64 * 1024
/** The least time between two messages (ms), unless there is more to say than one holds. */
const everyMs = 2

export function createRedisLive ({ redis, subscription, onFailure }: RedisLiveOptions): Live & { publish (event: LiveEvent): Promise<void> } {
  /** How our own messages begin; we hear them too. */
  const own = `{"sender":"${randomUUID()}",`
  /**
   * As JSON, what leaves together: the events of one turn of the event loop or, soon after a message, those until
   * `everyMs` have passed. A message costs three processes more than the events in it.
   */
  let waiting: string[] = []
  let size = 0
  let timer: NodeJS.Timeout | undefined

  async function publish (events: readonly string[]): Promise<void> {
    await redis.publish(channel, `${own}"events":[${events.join()}]}`)
  }

  function flush (): void {
    const events = waiting
    if (events.length === 0) return
    waiting = []
    size = 0
    timer ??= setTimeout(() => {
      timer = undefined
      flush()
    }, everyMs)
    publish(events).catch((error: unknown) => { for (let i = 0; i < events.length; i++) onFailure(error) })
  }

  return {
    flush,
    publish: async event => await publish([JSON.stringify(event)]),
    send (event) {
      if (redis.status !== 'ready') return onFailure(new Error('Redis is away'))
      const json = JSON.stringify(event)
      if (size + json.length > messageSize) flush()
      size += json.length
      if (waiting.push(json) === 1 && !timer) setImmediate(flush)
    },
    listen (hear) {
      if (!subscription) return
      subscription.on('message', (from: string, message: string) => {
        if (from !== channel || message.startsWith(own)) return
        try {
          for (const event of read(message)) hear(event)
        } catch (error) {
          onFailure(error)
        }
      })
      subscription.subscribe(channel).catch(onFailure)
    }
  }
}

function read (message: string): LiveEvent[] {
  const { sender, events } = (JSON.parse(message) ?? {}) as { sender?: unknown, events?: unknown }
  if (typeof sender !== 'string' || !Array.isArray(events) || !events.every(isEvent)) throw new Error('not a message of ours')
  return events
}

function isEvent (event: Partial<LiveEvent> | null): event is LiveEvent {
  return typeof event?.namespace === 'string' && Array.isArray(event.rooms) && event.rooms.every(room => typeof room === 'string') &&
    isEventName(event.event) && isObject(event.meta) && typeof event.thing === 'string'
}
