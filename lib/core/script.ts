import { createHash } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'

/** The little of ioredis that a script needs; a `Redis` and a `Cluster` both have it. */
export interface ScriptClient {
  evalsha (sha: string, keyCount: number, ...args: string[]): Promise<unknown>
  eval (source: string, keyCount: number, ...args: string[]): Promise<unknown>
}

/** The typed twin of a Lua file: keys by name, arguments by label, reply decoded. */
export interface Script<K extends string, A extends string, R> {
  (redis: ScriptClient, keys: Record<K, string>, args: Record<A, string | number>): Promise<R>
  readonly file: string
  readonly keys: readonly K[]
  readonly args: readonly A[]
  readonly source: string
}

/**
 * Loads `lua/<file>.lua` and binds it to its signature. The client is given with each call, so a script is
 * never tied to a connection that has died. A test compares the file's header with `keys` and `args`.
 *
 * @param decode turns Redis' reply into what the caller means
 */
export function script<const K extends string, const A extends string, R> (
  file: string,
  keys: readonly K[],
  args: readonly A[],
  decode: (reply: unknown) => R
): Script<K, A, R> {
  const source = read(file)
  const sha = createHash('sha1').update(source).digest('hex')
  const call = async (redis: ScriptClient, keyNames: Record<K, string>, values: Record<A, string | number>): Promise<R> => {
    const parameters = [...keys.map(name => keyNames[name]), ...args.map(label => String(values[label]))]
    try {
      return decode(await redis.evalsha(sha, keys.length, ...parameters))
    } catch (error) {
      if (!(error instanceof Error) || !error.message.startsWith('NOSCRIPT')) throw error
      return decode(await redis.eval(source, keys.length, ...parameters))
    }
  }
  return Object.assign(call, { file, keys, args, source })
}

/** A line `-- with <name>` stands for the functions of `lua/shared/<name>.lua`: each script is sent alone, and Redis has no include. */
function read (file: string): string {
  const text = readFileSync(fileURLToPath(import.meta.resolve(`#lua/${file}.lua`)), 'utf8')
  return text.replace(/^-- with (\w+)$/gm, (_line, name: string) => read(`shared/${name}`).trimEnd())
}
