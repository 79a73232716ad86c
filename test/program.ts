import { execFile } from 'node:child_process'
import { rmSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { promisify } from 'node:util'

/** Programs that the tests need beside Node: found on the PATH, else installed as root on Debian. */

const run = promisify(execFile)

/**
 * The path of the first of these names that is there.
 * @throws Error with a sentence that says what to do
 */
export async function find (names: readonly string[], debian: string): Promise<string> {
  const found = await look(names)
  if (found) return found
  const refuse = (cause?: unknown): never => {
    throw new Error(`These tests need ${debian}: install it (Debian: apt-get install ${debian}) or put it on the PATH.`, { cause })
  }
  if (process.getuid?.() === 0) {
    await run('apt-get', ['update']).catch(refuse)
    await run('apt-get', ['-o', 'DPkg::Lock::Timeout=120', 'install', '-y', '--no-install-recommends', debian]).catch(refuse)
  }
  return await look(names) ?? refuse()
}

async function look (names: readonly string[]): Promise<string | undefined> {
  for (const name of names) {
    const found = await run('sh', ['-c', `command -v ${name}`]).then(({ stdout }) => stdout.trim(), () => undefined)
    if (found) return found
  }
}

/**
 * The environment of a process whose clock is wrong by so much: the library that the program would load, which lies beside
 * it; `$LIB` is the linker's. (The program itself would stand between us and its process, and it refuses to start where
 * one with its number was killed.)
 */
export async function wrongClock (by: string): Promise<Record<string, string>> {
  const program = await find(['faketime'], 'faketime')
  return { LD_PRELOAD: join(dirname(program), '../$LIB/faketime/libfaketime.so.1'), FAKETIME: by }
}

/** What a process with a wrong clock leaves in the memory that processes share, when it is killed. */
export function forgetClock (pid: number): void {
  for (const name of [`sem.faketime_sem_${pid}`, `faketime_shm_${pid}`]) rmSync(`/dev/shm/${name}`, { force: true })
}
