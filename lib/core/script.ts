import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { batching, runner } from './batch.ts'
import { answeringOnce, runnerOnce } from './once.ts'

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
  /** What Redis gets for one question: the source, or what answers for it once. */
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
  const make = once ? runnerOnce : runner
  const run = often ? batching(source, keys.length, args.length, make) : make(source)
  const call = async (redis: ScriptClient, keyNames: Record<K, string>, values: Record<A, string | number>): Promise<R> =>
    decode(await run(redis, keys.map(name => keyNames[name]), args.map(label => String(values[label]))))
  return Object.assign(call, { file, keys, args, source, sent })
}

/** A line `-- with <name>` stands for the functions of `lua/shared/<name>.lua`: each script is sent alone, and Redis has no include. */
function read (file: string): string {
  const text = readFileSync(fileURLToPath(import.meta.resolve(`#lua/${file}.lua`)), 'utf8')
  return text.replace(/^-- with (\w+)$/gm, (_line, name: string) => read(`shared/${name}`).trimEnd())
}
