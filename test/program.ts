import { execFile } from 'node:child_process'
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

/** The environment of a process whose clock is wrong by so much. (The program itself would stand between us and its process.) */
export async function wrongClock (by: string): Promise<Record<string, string>> {
  const { stdout } = await run(await find(['faketime'], 'faketime'), ['-f', '+0', 'sh', '-c', 'echo "$LD_PRELOAD"'])
  return { LD_PRELOAD: stdout.trim(), FAKETIME: by }
}
