import { createHash } from 'node:crypto'
import type { ScriptClient } from './script.ts'

/** Runs a script with its keys and arguments. */
export type Run = (redis: ScriptClient, parameters: readonly string[]) => Promise<unknown>

interface Question { parameters: readonly string[], resolve: (reply: unknown) => void, reject: (error: unknown) => void }

/** So many run in one command at most: Redis does nothing else meanwhile. */
const together = 64

/** A script by its digest; Redis gets the text when it does not know that. */
export function runner (source: string, keyCount: (parameters: readonly string[]) => number): Run {
  const sha = createHash('sha1').update(source).digest('hex')
  return async (redis, parameters) => {
    const keys = keyCount(parameters)
    try {
      return await redis.evalsha(sha, keys, ...parameters)
    } catch (error) {
      if (!(error instanceof Error) || !error.message.startsWith('NOSCRIPT')) throw error
      return await redis.eval(source, keys, ...parameters)
    }
  }
}

/**
 * The same for a script that is asked often: what is asked in one turn of the event loop goes to Redis as one command, in
 * which the script runs for each question in the order of asking, and each gets its own answer or its own error. A command
 * of its own costs more than what such a script does. In a cluster the keys lie apart, and each question goes alone.
 */
export function batching (source: string, keyCount: number, parameterCount: number, alone: Run): Run {
  const questionsOf = new WeakMap<ScriptClient, Question[]>()
  const many = runner(manyTimes(source, keyCount, parameterCount - keyCount), ({ length }) => length / parameterCount * keyCount)

  function send (redis: ScriptClient): void {
    const questions = questionsOf.get(redis) ?? []
    questionsOf.delete(redis)
    for (let i = 0; i < questions.length; i += together) ask(redis, questions.slice(i, i + together))
  }

  function ask (redis: ScriptClient, questions: readonly Question[]): void {
    const [first] = questions
    if (first && questions.length === 1) {
      alone(redis, first.parameters).then(first.resolve, first.reject)
      return
    }
    const keys = questions.flatMap(({ parameters }) => parameters.slice(0, keyCount))
    const args = questions.flatMap(({ parameters }) => parameters.slice(keyCount))
    many(redis, [...keys, ...args]).then(replies => {
      questions.forEach(({ resolve, reject }, i) => {
        const reply = (replies as unknown[])[i]
        if (reply instanceof Error) reject(reply)
        else resolve(reply)
      })
    }).catch((error: unknown) => { for (const { reject } of questions) reject(error) })
  }

  return async (redis, parameters) => {
    if (redis.isCluster) return await alone(redis, parameters)
    return await new Promise((resolve, reject) => {
      const questions = questionsOf.get(redis)
      if (questions) questions.push({ parameters, resolve, reject })
      else {
        questionsOf.set(redis, [{ parameters, resolve, reject }])
        setImmediate(send, redis)
      }
    })
  }
}

/** Lua that runs a script once for each group of keys and arguments; an error is the answer of that one alone. */
function manyTimes (source: string, keyCount: number, argCount: number): string {
  return `local function one(KEYS, ARGV)
${source}
end
local replies = {}
for i = 0, #KEYS / ${keyCount} - 1 do
  local ok, reply = pcall(one, { unpack(KEYS, i * ${keyCount} + 1, (i + 1) * ${keyCount}) }, { unpack(ARGV, i * ${argCount} + 1, (i + 1) * ${argCount}) })
  if not ok and type(reply) ~= 'table' then reply = { err = tostring(reply) } end
  replies[i + 1] = reply
end
return replies`
}
