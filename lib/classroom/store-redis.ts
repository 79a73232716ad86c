import { askStore } from '../core/ask.ts'
import { ClasswavesError } from '../core/errors.ts'
import { key } from '../core/key.ts'
import type { RedisClient } from '../core/redis.ts'
import { script } from '../core/script.ts'
import { chatModes, type ChatMode } from './schema.ts'
import { heldBound, type ChatBounds, type ChatStore, type Content, type Lane, type Posted, type Stored } from './store.ts'

const ttl = 'session TTL after the last write, or while somebody is present'
const lane = key('classroom:lane:{sessionId}:{lane}', { ttl, purpose: 'order of the messages to the class, to one user, or that wait for approval (sorted set)' })

/** A lane has one family of keys under each of the names that a script knows it by. */
export const chatKeys = {
  state: key('classroom:state:{sessionId}', { ttl, purpose: 'chat mode, number of the last message, whether the chat is closed (hash)' }),
  messages: key('classroom:messages:{sessionId}', { ttl, purpose: 'messages by id (hash)', holds: 'words' }),
  reads: key('classroom:reads:{sessionId}', { ttl, purpose: 'how far each user has read (hash)' }),
  file: key('classroom:file:{sessionId}:{attachmentId}', { ttl, purpose: 'bytes of an attachment (string)', holds: 'words' }),
  held: lane,
  lane,
  from: lane,
  to: lane
} as const

const post = script('classroom_post', ['state', 'messages', 'held', 'lane', 'from', 'to'],
  ['messageId', 'content', 'heldContent', 'kind', 'rank', 'mode', 'bytes', 'maxBytes', 'maxMessages', 'maxAgeMs', 'maxHeld', 'ttlMs'], reply => {
    const [verdict, mode, row] = reply as [Posted['verdict'], string, string]
    return { verdict, mode: modeOf(mode), row }
  }, { once: true })
const change = script('classroom_change', ['state', 'messages', 'held', 'lane'], ['messageId', 'before', 'content', 'place', 'maxMessages', 'ttlMs'], reply => reply as string, { once: true })
const page = script('classroom_page', ['messages', 'lane'], ['before', 'after', 'limit', 'maxAgeMs'], reply => {
  const [more, words] = reply as [number, string[]]
  const messages: Stored[] = []
  for (let i = 0; i + 1 < words.length; i += 2) messages.push(storedOf(words[i] as string, words[i + 1] as string))
  return { more: more === 1, messages }
})
const state = script('classroom_state', ['state'], ['mode', 'closed', 'preset', 'ttlMs'], reply => ({ changed: reply === 1 }), { once: true })
const read = script('classroom_read', ['state', 'reads'], ['userId', 'seq', 'hidden', 'ttlMs'], reply => {
  const [seq, changed] = reply as [number, number]
  return { seq, changed: changed === 1 }
}, { once: true })

export const chatScripts = [post, change, page, state, read] as const

/** How often a change is tried against others of the same message, such as thirty reactions at once. */
const attempts = 100

/** The talk of classes in Redis, shared by every process. */
export function createRedisChatStore (redis: () => RedisClient, bounds: ChatBounds): ChatStore {
  const ttlMs = bounds.ttlSeconds * 1000
  const laneKey = (client: RedisClient, sessionId: string, name: Lane): string => lane({ sessionId, lane: name }, client.isCluster)
  const stateKey = (client: RedisClient, sessionId: string): string => chatKeys.state({ sessionId }, client.isCluster)
  const messagesKey = (client: RedisClient, sessionId: string): string => chatKeys.messages({ sessionId }, client.isCluster)
  const readsKey = (client: RedisClient, sessionId: string): string => chatKeys.reads({ sessionId }, client.isCluster)
  const fileKey = (client: RedisClient, sessionId: string, attachmentId: string): string => chatKeys.file({ sessionId, attachmentId }, client.isCluster)
  const ask = <T>(question: (client: RedisClient) => Promise<T>): Promise<T> => askStore(redis, question)

  async function get (sessionId: string, messageId: string): Promise<{ stored: Stored, row: string } | null> {
    const row = await ask(client => client.hget(messagesKey(client, sessionId), messageId))
    return row === null ? null : { stored: storedOf(messageId, row), row }
  }

  return {
    async post (sessionId, { messageId, content, rank, bytes }) {
      const { verdict, mode, row } = await ask(client => {
        const lanes: Lane[] = content.to === undefined ? ['main', 'main', 'main'] : ['direct', `direct:${content.userId}`, `direct:${content.to}`]
        const [main = '', from = '', to = ''] = lanes.map(name => laneKey(client, sessionId, name))
        const keys = { state: stateKey(client, sessionId), messages: messagesKey(client, sessionId), held: laneKey(client, sessionId, 'held'), lane: main, from, to }
        return post(client, keys, {
          messageId,
          content: JSON.stringify(content),
          heldContent: JSON.stringify({ ...content, held: true }),
          kind: content.to === undefined ? 'class' : 'direct',
          rank,
          mode: bounds.mode,
          bytes,
          maxBytes: bounds.bytes,
          maxMessages: bounds.messages,
          maxAgeMs: bounds.ageMs,
          maxHeld: heldBound,
          ttlMs
        })
      })
      if (verdict === 'refused' || verdict === 'closed' || verdict === 'full') return { verdict, mode }
      return { verdict, mode, stored: storedOf(messageId, row) }
    },

    async get (sessionId, messageId) { return (await get(sessionId, messageId))?.stored ?? null },

    async change (sessionId, messageId, update, place) {
      for (let attempt = 0; attempt < attempts; attempt++) {
        const found = await get(sessionId, messageId)
        const content = found && update(found.stored)
        if (!found || !content) return null
        const row = await ask(client => change(client, {
          state: stateKey(client, sessionId), messages: messagesKey(client, sessionId), held: laneKey(client, sessionId, 'held'), lane: laneKey(client, sessionId, 'main')
        }, { messageId, before: found.row, content: JSON.stringify(contentOf(content)), place: place ?? '', maxMessages: bounds.messages, ttlMs }))
        if (row !== '') return storedOf(messageId, row)
      }
      throw new ClasswavesError('UNAVAILABLE', 'Too many change this message at once; try again.')
    },

    page: (sessionId, name, { before = '', after = '', limit }) => ask(client =>
      page(client, { messages: messagesKey(client, sessionId), lane: laneKey(client, sessionId, name) }, { before, after, limit, maxAgeMs: bounds.ageMs })),

    async mode (sessionId) { return modeOf(await ask(client => client.hget(stateKey(client, sessionId), 'mode')) ?? bounds.mode) },

    setMode: (sessionId, mode) => ask(client => state(client, { state: stateKey(client, sessionId) }, { mode, closed: 0, preset: bounds.mode, ttlMs })),

    async close (sessionId) { await ask(client => state(client, { state: stateKey(client, sessionId) }, { mode: '', closed: 1, preset: bounds.mode, ttlMs })) },

    read: (sessionId, userId, seq, hidden) => ask(client =>
      read(client, { state: stateKey(client, sessionId), reads: readsKey(client, sessionId) }, { userId, seq, hidden: Number(hidden), ttlMs })),

    async readers (sessionId) {
      const rows = await ask(client => client.hgetall(readsKey(client, sessionId)))
      return Object.fromEntries(Object.entries(rows).flatMap(([userId, row]) => {
        const [seq, hidden] = row.split(' ')
        return hidden === '1' ? [] : [[userId, Number(seq)]]
      }))
    },

    async putFile (sessionId, attachmentId, data) {
      await ask(client => client.set(fileKey(client, sessionId, attachmentId), Buffer.from(data), 'PX', Math.max(ttlMs, bounds.ageMs)))
    },
    file: (sessionId, attachmentId) => ask(client => client.getBuffer(fileKey(client, sessionId, attachmentId))),
    async dropFile (sessionId, attachmentId) { await ask(client => client.del(fileKey(client, sessionId, attachmentId))) },

    async touch (sessionId) {
      await ask(client => Promise.all([
        stateKey(client, sessionId), messagesKey(client, sessionId), readsKey(client, sessionId), ...(['main', 'held', 'direct'] as const).map(name => laneKey(client, sessionId, name))
      ].map(name => client.pexpire(name, ttlMs))))
    }
  }
}

/** `<seq> <ms> <JSON>` */
function storedOf (messageId: string, row: string): Stored {
  const [, seq, at, json] = /^(\d+) (\d+) (.*)$/s.exec(row) ?? []
  if (json === undefined) throw new TypeError('a stored message has another shape')
  return { ...JSON.parse(json) as Content, messageId, seq: Number(seq), at: Number(at) }
}

/** What is stored as JSON: place and time stand before it. */
function contentOf ({ messageId, seq, at, ...content }: Content & Partial<Stored>): Content { return content }

function modeOf (text: string): ChatMode {
  const mode = chatModes.find(one => one === text)
  if (!mode) throw new TypeError('a stored chat mode is not known')
  return mode
}
