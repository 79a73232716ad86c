import { askStore, type ClientOf } from './ask.ts'
import type { Meta } from './contract.ts'
import { isEventName } from './event-name.ts'
import { journalBounds, type Heard, type Journal, type Kept, type Position } from './journal.ts'
import { key } from './key.ts'
import { isObject } from './options.ts'
import type { RedisClient } from './redis.ts'
import { script } from './script.ts'

export const journalKeys = {
  log: key('events:log:{room}', { ttl: 'session TTL after the last event or reader', purpose: 'Epoch and offset of a home room' }),
  events: key('events:kept:{room}', { ttl: 'session TTL after the last event', purpose: 'The last 1,000 kept events of a home room: transcripts, messages, prompts', holds: 'words' }),
  ids: key('events:ids:{room}', { ttl: 'session TTL after the last event', purpose: 'Ids of the kept events of a home room' })
} as const

const channel = 'classwaves:events'

const append = script('core_journal_append', ['log', 'events', 'ids'], ['id', 'head', 'body', 'channel', 'events', 'ttlSeconds'],
  reply => positionOf(reply as string[]), { often: true })

const read = script('core_journal_read', ['log', 'events', 'ids'], ['epoch', 'offset', 'limit', 'ttlSeconds'], reply => {
  const [epoch, offset, lost, ...entries] = reply as string[]
  const events: Kept[] = []
  for (let i = 0; i + 2 < entries.length; i += 3) {
    const [, place] = (entries[i] as string).split('-')
    events.push(keptOf({ epoch: epoch as string, offset: Number(place) }, entries[i + 1] as string, entries[i + 2] as string))
  }
  return { events, position: positionOf([epoch as string, offset as string]), lost: lost === '1' }
})

export const journalScripts = [append, read] as const

interface Head { namespace: string, rooms: readonly string[] }
interface Body { event: string, payload: unknown, meta: Meta }

export interface RedisJournalOptions {
  client: ClientOf
  /** Its own connection, for hearing; a worker that only sends has none. */
  subscription?: RedisClient
  ttlSeconds: number
  /** Events that are kept of a room. */
  events?: number
  /** Hears of messages on our channel that are not ours. */
  onForeign?: (error: unknown) => void
}

/** Kept events in Redis: appended, stored and published by one script, so every process hears one order. */
export function createRedisJournal ({ client, subscription, ttlSeconds, events = journalBounds.events, onForeign }: RedisJournalOptions): Journal {
  const keysOf = (namespace: string, room: string): { log: string, events: string, ids: string } => {
    const home = { room: `{${namespace}#${room}}` } // all keys in one slot of a cluster
    return { log: journalKeys.log(home), events: journalKeys.events(home), ids: journalKeys.ids(home) }
  }

  return {
    async append ({ namespace, rooms, event, payload, meta }) {
      const head = JSON.stringify({ namespace, rooms } satisfies Head)
      const body = JSON.stringify({ event, payload, meta } satisfies Body)
      return await askStore(client, async redis => await append(redis, keysOf(namespace, rooms[0] as string), {
        id: meta.id, head, body, channel, events, ttlSeconds
      }))
    },
    async position (namespace, room) {
      return (await askStore(client, async redis => await read(redis, keysOf(namespace, room), { epoch: '', offset: 0, limit: 0, ttlSeconds }))).position
    },
    async read (namespace, room, after, limit) {
      return await askStore(client, async redis => await read(redis, keysOf(namespace, room), { ...after, limit, ttlSeconds }))
    },
    async oldest (namespace, room, limit) {
      return await askStore(client, async redis => await read(redis, keysOf(namespace, room), { epoch: '', offset: '', limit, ttlSeconds }))
    },
    listen (hear, reconnected) {
      if (!subscription) return
      subscription.on('message', (from: string, message: string) => {
        if (from !== channel) return
        try {
          hear(parse(message))
        } catch (error) {
          onForeign?.(error)
        }
      })
      // Asked again with each connection, because the answer says from when on nothing is missed.
      const subscribe = (): void => { subscription.subscribe(channel).then(reconnected, (error: unknown) => onForeign?.(error)) }
      subscription.on('ready', subscribe)
      if (subscription.status === 'ready') subscribe()
    },
    async close () { subscription?.disconnect() }
  }
}

/** `<epoch> <offset> <head>\n<body>`. The body is read only by those who look at it. */
function parse (message: string): Heard {
  const end = message.indexOf('\n')
  const [, epoch, offset, head] = /^(\d+) (\d+) (.*)$/.exec(message.slice(0, end)) ?? []
  if (end < 0 || epoch === undefined || offset === undefined || head === undefined) throw new Error('not a message of ours')
  return lazily({ epoch, offset: Number(offset) }, head, message.slice(end + 1))
}

function keptOf (position: Position, head: string, body: string): Kept {
  const { namespace, rooms } = JSON.parse(head) as Head
  const { event, payload, meta } = JSON.parse(body) as Body
  if (!isEventName(event) || !isObject(meta)) throw new Error('not a message of ours')
  return { namespace, rooms, event, payload, meta: { ...meta, ...position } }
}

/** Most processes have no reader for most events; they need the head and the place only. */
function lazily (position: Position, head: string, body: string): Heard {
  const { namespace, rooms } = JSON.parse(head) as Partial<Head>
  if (typeof namespace !== 'string' || !Array.isArray(rooms) || rooms.length === 0 || rooms.some(room => typeof room !== 'string')) throw new Error('not a message of ours')
  return { namespace, rooms, position, open: () => keptOf(position, head, body) }
}

function positionOf ([epoch, offset]: readonly string[]): Position {
  return { epoch: epoch as string, offset: Number(offset) }
}
