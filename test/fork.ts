import { fork as start, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { createInterface } from 'node:readline'
import type { ClasswavesOptions } from '../index.ts'
import { remote, token, type Remote } from './app.ts'
import { compiled } from './compiled.ts'
import { spotless } from './leaks.ts'
import { forgetClock, wrongClock } from './program.ts'
import type { Owner } from './redis.ts'
import type { Ended } from './traced-server.ts'

/** Other processes: servers and workers. They end with the test, also when that ends badly. */

/** A server in another process. */
export interface Forked extends Remote {
  /** Closes it and waits until the process has gone by itself, or ends it after a minute; says how it went and how long that took (ms). */
  close (): Promise<{ code: number | null, ms: number }>
  /** Ends it as a power cut would. */
  kill (): Promise<void>
  /** What an operator sends: SIGTERM closes it, a second one ends it at once, SIGSTOP and SIGCONT let it stand still for a while. */
  signal (name: NodeJS.Signals): void
  /** The exit code, once it has gone; null for one that was killed. */
  readonly ended: Promise<number | null>
}

/** How a process is started. */
export interface Launch {
  /** By how much its clock is wrong, as faketime says it: `+600s`. */
  clock?: string
  /** Who hears each line that it logs, at all levels; else what it logs is looked at when it ends. */
  hear?: (line: string) => void
}

export async function fork (t: Owner, options: Omit<ClasswavesOptions, 'authorize'> = {}, how: Launch = {}): Promise<Forked> {
  const { child, gone, kill, server } = await serve(t, 'server.ts', options, how)
  return {
    ...server,
    kill,
    signal: name => { child.kill(name) },
    ended: gone.then(([code]) => code),
    async close () {
      const began = performance.now()
      child.send('close')
      const timer = setTimeout(() => child.kill('SIGKILL'), 60_000)
      const [code] = await gone
      clearTimeout(timer)
      return { code, ms: Math.round(performance.now() - began) }
    }
  }
}

/** A server in another process whose host traces. */
export interface Traced extends Remote { spans (): Promise<Ended[]>, kill (): Promise<void> }

export async function forkTraced (t: Owner, options: Omit<ClasswavesOptions, 'authorize'> = {}): Promise<Traced> {
  const { child, kill, server } = await serve(t, 'traced-server.ts', options)
  return {
    ...server,
    kill,
    async spans () {
      const answer = once(child, 'message') as Promise<[Ended[]]>
      child.send('spans')
      return (await answer)[0]
    }
  }
}

/** A worker in another process: sends as it is told, and says `ok` or the code of the refusal. */
export interface Worker { emit (area: 'sessions' | 'guidance', target: object, event: string, payload: unknown): Promise<string> }

export async function forkWorker (t: Owner, redis: string, how: Launch = {}): Promise<Worker> {
  const { child } = await launch(t, 'worker.ts', { redis }, how)
  return {
    async emit (area, target, event, payload) {
      const answer = once(child, 'message') as Promise<[string]>
      child.send({ area, target, event, payload })
      return (await answer)[0]
    }
  }
}

/** One that was sent no signal and is there at the end of the test is asked what it measured. */
async function serve (t: Owner, script: string, options: object, how?: Launch) {
  const started = await launch(t, script, options, how)
  const server = remote(t, started.first as string)
  t.teardown(async () => {
    if (started.child.killed || started.child.exitCode !== null) return
    spotless(`what ${script} measured`, (await server.call<string>('GET', '//metrics', undefined, token({ role: 'admin' }))).body)
  })
  return { ...started, server }
}

/** Holds what a process logs until it ends, and lets errors and whatever is no log through. */
function watch (t: Owner, script: string): (line: string) => void {
  const lines: string[] = []
  t.teardown(() => spotless(`the log of ${script}`, lines.join('\n')))
  return line => {
    lines.push(line)
    if (!/^\{"level":[1-4]0,/.test(line)) process.stderr.write(`${line}\n`)
  }
}

export async function launch (t: Owner, script: string, options: object, { clock, hear = watch(t, script) }: Launch = {}) {
  let over = false
  t.teardown(() => { over = true })
  const program = await compiled(new URL(script, import.meta.url))
  const env = { ...process.env, ...clock !== undefined && await wrongClock(clock) }
  // A test that has failed meanwhile would not end what it starts now.
  if (over) throw new Error(`The test was over before ${script} began`)
  const child: ChildProcess = start(program, [JSON.stringify(options)], { execArgv: [], env, silent: true })
  for (const input of [child.stdout, child.stderr]) if (input) createInterface({ input }).on('line', hear)
  const gone = once(child, 'exit') as Promise<[number | null]>
  if (clock !== undefined) child.once('exit', () => forgetClock(child.pid as number))
  const atExit = (): void => { child.kill('SIGKILL') }
  process.once('exit', atExit)
  async function kill (): Promise<void> {
    process.off('exit', atExit)
    child.kill('SIGKILL')
    await gone
  }
  t.teardown(kill)
  const [first] = await Promise.race([once(child, 'message'), gone.then(([code]) => { throw new Error(`${script} ended with ${code}`) })]) as [unknown]
  return { child, gone, kill, first }
}
