import { fork as start } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import type { ClasswavesOptions } from '../index.ts'
import { remote, type Remote } from './app.ts'
import type { Owner } from './redis.ts'

/** A server in another process. */
export interface Forked extends Remote {
  readonly pid: number
  /** Closes it and waits until the process has gone by itself, or ends it after 10 s; says how it went and how long that took (ms). */
  close (): Promise<{ code: number | null, ms: number }>
  /** Ends it as a power cut would. */
  kill (): Promise<void>
}

/** Starts `test/server.ts`, which is to end with the test. */
export async function fork (t: Owner, options: Omit<ClasswavesOptions, 'authorize'> = {}): Promise<Forked> {
  const child = start(fileURLToPath(new URL('server.ts', import.meta.url)), [JSON.stringify(options)], { execArgv: ['--import=tsx'] })
  const gone = once(child, 'exit') as Promise<[number | null]>
  const atExit = (): void => { child.kill('SIGKILL') }
  process.once('exit', atExit)
  async function kill (): Promise<void> {
    process.off('exit', atExit)
    child.kill('SIGKILL')
    await gone
  }
  t.teardown(kill)
  const [url] = await Promise.race([once(child, 'message'), gone.then(([code]) => { throw new Error(`the server ended with ${code}`) })]) as [string]
  return {
    ...remote(t, url),
    pid: child.pid as number,
    kill,
    async close () {
      const began = performance.now()
      child.send('close')
      const timer = setTimeout(() => child.kill('SIGKILL'), 10_000)
      const [code] = await gone
      clearTimeout(timer)
      return { code, ms: Math.round(performance.now() - began) }
    }
  }
}
