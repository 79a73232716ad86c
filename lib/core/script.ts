import { randomBytes } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { batching, runner } from './batch.ts'
import { key } from './key.ts'

export const scriptKeys = {
  answer: key('core:answer:{keys}:{call}', { ttl: '10 s', purpose: 'The answer of a call, for a client that missed it and asks again' })
}

/** The little of ioredis that a script needs; a `Redis` and a `Cluster` both have it. */
export interface ScriptClient {
  evalsha (sha: string, keyCount: number, ...args: string[]): Promise<unknown>
  eval (source: string, keyCount: number, ...args: string[]): Promise<unknown>
  readonly isCluster?: boolean
}

/** The typed twin of a Lua file: keys by name, arguments by label, reply decoded. */
export interface Script<K extends string, A extends string, R> {
  (redis: ScriptClient, keys: Record<K, string>, args: Record<A, string | number>): Promise<R>
  readonly file: string
  readonly keys: readonly K[]
  readonly args: readonly A[]
  readonly source: string
  /** What Redis gets: the source, or what answers for it once. */
  readonly sent: string
}

/**
 * Loads `lua/<file>.lua` and binds it to its signature. The client is given with each call, so a script is
 * never tied to a connection that has died. A test compares the file's header with `keys` and `args`.
 *
 * A client sends a command again when its connection broke before the answer. A script that would then do or say
 * something else is called `once`: its answer is kept for longer than any caller waits, and given again.
 *
 * @param decode turns Redis' reply into what the caller means
 * @param often what is asked in one turn of the event loop goes to Redis together; for scripts that change one thing in little time
 */
export function script<const K extends string, const A extends string, R> (
  file: string,
  keys: readonly K[],
  args: readonly A[],
  decode: (reply: unknown) => R,
  { once = false, often = false }: { once?: boolean, often?: boolean } = {}
): Script<K, A, R> {
  const source = read(file)
  const sent = once ? answeringOnce(source) : source
  const count = keys.length + Number(once)
  const alone = runner(sent, () => count)
  const run = often ? batching(sent, count, count + args.length, alone) : alone
  const call = async (redis: ScriptClient, keyNames: Record<K, string>, values: Record<A, string | number>): Promise<R> => {
    const names = keys.map(name => keyNames[name])
    if (once) names.push(scriptKeys.answer({ keys: slotOf(names[0] as string), call: randomBytes(6).toString('hex') }))
    return decode(await run(redis, [...names, ...args.map(label => String(values[label]))]))
  }
  return Object.assign(call, { file, keys, args, source, sent })
}

/** A line `-- with <name>` stands for the functions of `lua/shared/<name>.lua`: each script is sent alone, and Redis has no include. */
function read (file: string): string {
  const text = readFileSync(fileURLToPath(import.meta.resolve(`#lua/${file}.lua`)), 'utf8')
  return text.replace(/^-- with (\w+)$/gm, (_line, name: string) => read(`shared/${name}`).trimEnd())
}

/** Its last key holds the answer. A refusal of the arguments has changed nothing and is not kept. */
function answeringOnce (source: string): string {
  return `local kept = table.remove(KEYS)
local known = redis.call('GET', kept)
if known then return cmsgpack.unpack(known) end
local function answer ()
${source}
end
local reply = answer()
if type(reply) ~= 'table' or not reply.err then redis.call('SET', kept, cmsgpack.pack(reply), 'PX', 10000) end
return reply
`
}

/** What makes a cluster put a key into the slot of another one. */
function slotOf (name: string): string { return /\{[^}]+\}/.exec(name)?.[0] ?? `{${name}}` }
