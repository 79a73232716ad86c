import { createHash } from 'node:crypto'
import type { ScriptClient } from './script.ts'

/** Runs a script with its keys and arguments. */
export type Run = (redis: ScriptClient, keys: readonly string[], args: readonly string[]) => Promise<unknown>

interface Question { keys: readonly string[], args: readonly string[], resolve: (reply: unknown) => void, reject: (error: unknown) => void }

/** What is asked in one turn of the event loop and has not been sent, and whether some of it has. */
interface Turn { questions: Question[], hasSent: boolean }

/** So many run in one command at most. It leaves as soon as it is full: Redis does it while the next one is made. */
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
  const turns = new WeakMap<ScriptClient, Turn>()
  const alone = run(source)
  const many = run(manyTimes(source, keyCount, argCount))

  function begin (redis: ScriptClient): Turn {
    const turn: Turn = { questions: [], hasSent: false }
    turns.set(redis, turn)
    setImmediate(end, redis, turn)
    return turn
  }

  function end (redis: ScriptClient, { questions, hasSent }: Turn): void {
    turns.delete(redis)
    const [first] = questions
    if (!first) return
    // What is left over goes the same way as the rest: another script, of which Redis knows the text, would overtake.
    if (questions.length > 1 || hasSent) ask(redis, questions)
    else alone(redis, first.keys, first.args).then(first.resolve, first.reject)
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
      const turn = turns.get(redis) ?? begin(redis)
      if (turn.questions.push({ keys, args, resolve, reject }) < together) return
      turn.hasSent = true
      ask(redis, turn.questions.splice(0))
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
