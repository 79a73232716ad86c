import { createHash } from 'node:crypto'
import type { ScriptClient } from './script.ts'

/** Runs a script with its keys and arguments. */
export type Run = (redis: ScriptClient, keys: readonly string[], args: readonly string[]) => Promise<unknown>

interface Question { keys: readonly string[], args: readonly string[], resolve: (reply: unknown) => void, reject: (error: unknown) => void }

/** So many run in one command at most: Redis does nothing else meanwhile, and what is more is on its way while these are answered. */
const together = 16

/** A script by its digest; Redis gets the text when it does not know that. */
export function runner (source: string): Run {
  const sha = createHash('sha1').update(source).digest('hex')
  return async (redis, keys, args) => {
    try {
      return await redis.evalsha(sha, keys.length, ...keys, ...args)
    } catch (error) {
      if (!(error instanceof Error) || !error.message.startsWith('NOSCRIPT')) throw error
      return await redis.eval(source, keys.length, ...keys, ...args)
    }
  }
}

/**
 * A script that is asked often: what is asked in one turn of the event loop goes to Redis as one command, in which the
 * script runs for each question in the order of asking, and each gets its own answer or its own error. A command of its
 * own costs more than what such a script does; and of a script that runs `once`, all answers of a command are kept
 * together. In a cluster the keys lie apart, and each question goes alone.
 *
 * @param run makes the runner: `runner` or `runnerOnce`
 */
export function batching (source: string, keyCount: number, argCount: number, run: (source: string) => Run): Run {
  const questionsOf = new WeakMap<ScriptClient, Question[]>()
  const alone = run(source)
  const many = run(manyTimes(source, keyCount, argCount))

  function send (redis: ScriptClient): void {
    const questions = questionsOf.get(redis) ?? []
    questionsOf.delete(redis)
    const [first] = questions
    if (first && questions.length === 1) alone(redis, first.keys, first.args).then(first.resolve, first.reject)
    // What is left over goes the same way as the rest: another script, of which Redis knows the text, would overtake.
    else for (let i = 0; i < questions.length; i += together) ask(redis, questions.slice(i, i + together))
  }

  function ask (redis: ScriptClient, questions: readonly Question[]): void {
    many(redis, questions.flatMap(({ keys }) => keys), questions.flatMap(({ args }) => args)).then(replies => {
      questions.forEach(({ resolve, reject }, i) => {
        const reply = (replies as unknown[])[i]
        if (reply instanceof Error) reject(reply)
        else resolve(reply)
      })
    }).catch((error: unknown) => { for (const { reject } of questions) reject(error) })
  }

  return async (redis, keys, args) => {
    if (redis.isCluster) return await alone(redis, keys, args)
    return await new Promise((resolve, reject) => {
      const questions = questionsOf.get(redis)
      if (questions) questions.push({ keys, args, resolve, reject })
      else {
        questionsOf.set(redis, [{ keys, args, resolve, reject }])
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
