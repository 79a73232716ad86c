import { randomUUID } from 'node:crypto'
import { runner, type Run } from './batch.ts'
import { key } from './key.ts'

/** So long an answer is kept (ms): longer than any caller waits, and than `redis.ts` sends a command again. */
export const answerLifeMs = 10_000

export const onceKeys = {
  answer: key('core:answer:{keys}:{call}', { ttl: `${answerLifeMs / 1000} s`, purpose: 'The answer of a call, for a client that missed it and asks again', holds: 'words' })
}

/** Names one call, so that a script recognises it when the client sends it again after a lost answer: twelve hexadecimal digits of chance, which Node has in store. */
export function newCall (): string { return randomUUID().slice(24) }

/** A runner for what must not be done twice when the client sends a command again: its answer is kept meanwhile. */
export function runnerOnce (source: string): Run {
  const run = runner(answeringOnce(source))
  return async (redis, keys, args) => {
    const answer = onceKeys.answer({ keys: slotOf(keys[0] as string), call: newCall() })
    return await run(redis, [...keys, answer], args)
  }
}

/** Lua whose last key holds the answer. A refusal of the arguments has changed nothing and is not kept. */
export function answeringOnce (source: string): string {
  return `local kept = table.remove(KEYS)
local known = redis.call('GET', kept)
if known then return cmsgpack.unpack(known) end
local function answer ()
${source}
end
local reply = answer()
if type(reply) ~= 'table' or not reply.err then redis.call('SET', kept, cmsgpack.pack(reply), 'PX', ${answerLifeMs}) end
return reply
`
}

/** What makes a cluster put a key into the slot of another one. */
function slotOf (name: string): string { return /\{[^}]+\}/.exec(name)?.[0] ?? `{${name}}` }
