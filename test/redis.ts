import { spawn, type ChildProcess } from 'node:child_process'
import { randomInt } from 'node:crypto'
import { once } from 'node:events'
import { mkdtemp, rm } from 'node:fs/promises'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import { Cluster, Redis, type RedisOptions } from 'ioredis'
import { Ear } from './ear.ts'
import { claimKey } from './monitor.ts'
import { find } from './program.ts'

/** The little of a tap test that is needed here; the test that gets it also ends what it started. */
export interface Owner { teardown (handler: () => unknown): unknown }

/** A Redis that a test may use as its own. */
export interface TestRedis {
  readonly url: string
  /** A client that is closed with the test. */
  client (options?: RedisOptions): Redis
}

/** A server of the test's own, which it may stop and start as a fault would. */
export interface RedisServer extends TestRedis {
  readonly port: number
  /** Ends it as an operator would. */
  stop (): Promise<void>
  /** Ends it without a warning (SIGKILL). */
  kill (): Promise<void>
  /** Starts it again on the same port and folder, after ending it if it still runs. */
  restart (): Promise<void>
}

export interface ServerOptions {
  /** Each write is with the system before it is answered, so that it survives `kill` and `restart`, though not a power cut. */
  persistent?: boolean
  /** More words for the command line: `['--cluster-enabled', 'yes']`. */
  args?: string[]
  /** Not where it is timed, or asks for a password: else what it is told is looked at. */
  unheard?: boolean
}

/** Starts a private redis-server on a free port; it ends with the test. */
export async function startRedis (t: Owner, options: ServerOptions = {}): Promise<RedisServer> {
  const program = await find(['redis-server'], 'redis-server')
  const dir = await mkdtemp(join(tmpdir(), 'classwaves-redis-'))
  const words = (port: number): string[] => [
    '--port', String(port), '--bind', '127.0.0.1', '--dir', dir, '--save', '',
    '--appendonly', options.persistent ? 'yes' : 'no', '--appendfsync', 'no', ...options.args ?? []
  ]
  const started = await onFreePort(port => launch(program, words(port), dir))
  const { port } = started
  let child = started.server
  const ear = options.unheard ? undefined : new Ear()
  await ear?.on(port)
  const end = async (signal: NodeJS.Signals): Promise<void> => {
    if (child.exitCode !== null || child.signalCode !== null) return
    const exited = once(child, 'exit')
    child.kill(signal)
    await exited
  }
  t.teardown(async () => {
    try {
      await ear?.off()
    } finally {
      await end('SIGKILL')
      await rm(dir, { recursive: true, force: true })
    }
  })
  const url = `redis://127.0.0.1:${port}`
  return {
    url,
    port,
    client: clients(t, url),
    stop: () => end('SIGTERM'),
    kill: () => end('SIGKILL'),
    async restart () {
      await end('SIGKILL')
      child = await launch(program, words(port), dir)
      await ear?.on(port)
    }
  }
}

/** One node that owns all slots: it refuses a script whose keys lie in more than one, as a wider cluster would. */
export async function startCluster (t: Owner): Promise<{ node: RedisServer, cluster: Cluster }> {
  const node = await startRedis(t, { args: ['--cluster-enabled', 'yes', '--cluster-announce-ip', '127.0.0.1'] })
  const admin = node.client()
  await admin.call('CLUSTER', 'ADDSLOTS', ...Array.from({ length: 16_384 }, (_, slot) => slot))
  while (!String(await admin.call('CLUSTER', 'INFO')).includes('cluster_state:ok')) await pause(20)
  const cluster = new Cluster([{ host: '127.0.0.1', port: node.port }])
  t.teardown(() => cluster.disconnect())
  if (cluster.status !== 'ready') await once(cluster, 'ready')
  return { node, cluster }
}

/**
 * The server that `REDIS_URL` names, in a database of its own that was empty and is emptied again; without
 * `REDIS_URL` a private server. Channels are shared by all databases of a server. Tests that break Redis use `startRedis`.
 */
export async function useRedis (t: Owner): Promise<TestRedis> {
  const given = process.env.REDIS_URL
  if (!given) return await startRedis(t)
  const db = await claimDatabase(t, given)
  const url = new URL(given)
  url.pathname = `/${db}`
  return { url: url.href, client: clients(t, url.href) }
}

/** The next time a client is ready; that it fails to connect until then is no failure, as it would be with `once` of node:events. */
export async function ready (client: { once (event: 'ready', listener: () => void): unknown }): Promise<void> {
  await new Promise<void>(resolve => client.once('ready', resolve))
}

function clients (t: Owner, url: string): TestRedis['client'] {
  return options => {
    const client = new Redis(url, { ...options })
    // Commands reject by themselves; without a listener a killed server would fill the test's output.
    client.on('error', () => {})
    t.teardown(() => client.disconnect())
    return client
  }
}

/** Only an empty database is taken, and one claim wins, so neither a developer's data nor another test is touched. */
async function claimDatabase (t: Owner, given: string): Promise<number> {
  const admin = new Redis(given)
  for (let db = 15; db > 0; db--) {
    await admin.select(db)
    if (await admin.dbsize() > 0 || !await admin.set(claimKey, process.pid, 'EX', 3600, 'NX')) continue
    t.teardown(async () => {
      await admin.flushdb()
      await admin.quit()
    })
    return db
  }
  await admin.quit()
  throw new Error('REDIS_URL has no empty database from 1 to 15 for the tests: empty one, or unset REDIS_URL.')
}

async function launch (program: string, words: string[], dir: string): Promise<ChildProcess> {
  const child = spawn(program, words, { stdio: ['ignore', 'pipe', 'pipe'] })
  watch(child, dir)
  let said = ''
  await new Promise<void>((resolve, reject) => {
    const listen = (bytes: Buffer): void => {
      said += bytes
      if (said.includes('Ready to accept connections')) resolve()
    }
    child.stdout.on('data', listen)
    child.stderr.on('data', listen)
    child.once('error', reject)
    child.once('exit', () => reject(new Error(`redis-server did not start:\n${said}`)))
  })
  return child
}

/** Ends the server also when the tests are killed: their end closes the pipe on which a shell waits. */
function watch (server: ChildProcess, dir: string): void {
  const shell = spawn('sh', ['-c', 'read _; kill -9 "$0"; rm -rf "$1"', String(server.pid), dir], { stdio: ['pipe', 'ignore', 'ignore'], detached: true })
  shell.unref()
  server.once('exit', () => shell.kill('SIGKILL'))
}

/** Another may take the port before it is used, then there is a next. */
async function onFreePort<T> (start: (port: number) => Promise<T>, tries = 3): Promise<{ port: number, server: T }> {
  const port = await freePort()
  try {
    return { port, server: await start(port) }
  } catch (error) {
    if (tries > 1 && /in use/i.test(String(error))) return await onFreePort(start, tries - 1)
    throw error
  }
}

/** None of those that a system gives to whoever asks for any: a server that is away for a while finds it free. */
async function freePort (): Promise<number> {
  const port = randomInt(10_000, 32_768)
  const server = createServer()
  const isFree = await new Promise<boolean>(resolve => {
    server.once('error', () => resolve(false)).listen(port, '127.0.0.1', () => resolve(true))
  })
  if (!isFree) return await freePort()
  server.close()
  await once(server, 'close')
  return port
}
