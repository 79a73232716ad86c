import { spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import type { Owner } from '../redis.ts'

/** An example that runs as a process of its own, as a reader would start it. It ends with the test. */
export interface Running {
  child: ChildProcess
  stdout: () => string
  stderr: () => string
  /** Resolves when the output matches; rejects when the process ends, or three minutes pass, without. */
  says: (pattern: RegExp) => Promise<RegExpExecArray>
  /** The exit code, when it has ended and said all it had to say. */
  ended: Promise<number | null>
}

const variables = ['PORT', 'HOST', 'JWT_SECRET', 'REDIS_URL']
const patienceMs = 180_000

export function run (t: Owner, file: string, args: readonly string[] = [], env: Record<string, string> = {}): Running {
  const inherited = Object.fromEntries(Object.entries(process.env).filter(([name]) => !variables.includes(name)))
  const child = spawn(process.execPath, [...file.endsWith('.ts') ? ['--import=tsx'] : [], file, ...args], { env: { ...inherited, ...env }, stdio: ['pipe', 'pipe', 'pipe'] })
  const said = { stdout: '', stderr: '' }
  const watchers = new Set<() => void>()
  for (const stream of ['stdout', 'stderr'] as const) {
    child[stream].setEncoding('utf8').on('data', (text: string) => {
      said[stream] += text
      for (const look of watchers) look()
    })
  }
  const ended = once(child, 'close').then(([code]) => code as number | null)
  t.teardown(async () => {
    child.kill('SIGKILL')
    await ended
  })
  return {
    child,
    stdout: () => said.stdout,
    stderr: () => said.stderr,
    ended,
    says: async pattern => await new Promise((resolve, reject) => {
      const done = (settle: () => void): void => {
        clearTimeout(timer)
        watchers.delete(look)
        settle()
      }
      const look = (): void => {
        const match = pattern.exec(said.stdout + said.stderr)
        if (match) done(() => resolve(match))
      }
      const fail = (what: string): void => done(() => reject(new Error(`${file} ${what} without ${String(pattern)}:\n${said.stdout}${said.stderr}`)))
      const timer = setTimeout(() => fail('said nothing'), patienceMs)
      watchers.add(look)
      ended.then(code => fail(`ended with ${String(code)}`), reject)
      look()
    })
  }
}
