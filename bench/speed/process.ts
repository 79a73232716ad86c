import { fork, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { connect, type Socket } from 'node:net'
import { compiled } from '../../test/compiled.ts'
import type { Memory, Started } from './servers/serve.ts'

/** Servers to measure: each in a process of its own, which is asked what it used. */

export interface Launched {
  /** What it said when it was ready. */
  readonly started: Started
  /** CPU so far, user and system (us). */
  cpu (): Promise<number>
  /** After a collection. */
  memory (): Promise<Memory>
  /** Has the server do something and waits for its answer. */
  ask<T> (name: string, argument?: unknown): Promise<T>
  /** Has the server publish so many times, in as few of its ticks as the wire allows. */
  publish (times: number): void
  close (): Promise<void>
}

/** Starts a server of `servers/`, or any script that calls `serve`. It ends with this process at the latest. */
export async function launch (script: string | URL, options: object = {}): Promise<Launched> {
  const file = await compiled(script instanceof URL ? script : new URL(`servers/${script}.ts`, import.meta.url))
  const child: ChildProcess = fork(file, [JSON.stringify(options)], { execArgv: ['--expose-gc', ...process.env.BENCH_NODE_ARGS?.split(' ') ?? []] })
  const atExit = (): void => { child.kill('SIGKILL') }
  process.once('exit', atExit)
  const gone = once(child, 'exit')
  const first = await Promise.race([once(child, 'message'), gone.then(() => { throw new Error(`${file} ended before it was ready`) })]) as [Started]
  const [started] = first
  const control: Socket = connect(started.control, '127.0.0.1')
  await once(control, 'connect')
  control.setNoDelay(true)
  let asked = 0
  const answers = new Map<number, (answer: { error?: string, value?: unknown }) => void>()
  child.on('message', (answer: { id: number, error?: string, value?: unknown }) => {
    answers.get(answer.id)?.(answer)
    answers.delete(answer.id)
  })

  async function ask<T> (name: string, argument?: unknown): Promise<T> {
    const id = ++asked
    const answer = new Promise<{ error?: string, value?: unknown }>(resolve => { answers.set(id, resolve) })
    child.send({ id, name, argument })
    const { error, value } = await Promise.race([answer, gone.then(() => ({ error: `${file} ended`, value: undefined }))])
    if (error !== undefined) throw new Error(error)
    return value as T
  }

  return {
    started,
    ask,
    cpu: async () => await ask<number>('cpu'),
    memory: async () => await ask<Memory>('memory'),
    publish: times => { control.write(Buffer.alloc(times, 1)) },
    async close () {
      process.off('exit', atExit)
      control.destroy()
      child.kill('SIGTERM')
      const timer = setTimeout(() => child.kill('SIGKILL'), 3_000)
      await gone
      clearTimeout(timer)
    }
  }
}
