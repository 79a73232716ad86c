import { spawnSync } from 'node:child_process'
import { existsSync, mkdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { setTimeout as pause } from 'node:timers/promises'
import { writeSdk } from '../bin/bundle.ts'
import { browser } from './browser.ts'
import { wrongClock } from './program.ts'
import { startRedis } from './redis.ts'

/** `npm pretest`: what the tests need is built, found or installed once, and not by several of them at the same time. */

const file = (name: string): string => fileURLToPath(new URL(`../${name}`, import.meta.url))
const stamp = file('node_modules/.tap-built')
const lock = file('node_modules/.tap-building')
/** A lock that is older was left behind (ms). */
const staleMs = 120_000

await buildTap()
await writeSdk()
const ends: (() => unknown)[] = []
const owner = { teardown: (end: () => unknown) => ends.push(end) }
try {
  await startRedis(owner)
  await browser(owner)
  await wrongClock('+0')
} catch (error) {
  process.stderr.write(`${(error as Error).message}\n`)
  process.exitCode = 1
}
for (const end of ends.reverse()) await end()

/** `tap build` writes tap anew, inside node_modules; of two at once neither comes out whole. So one builds, and only when it must. */
async function buildTap (): Promise<void> {
  const wanted = readFileSync(file('node_modules/tap/package.json'), 'utf8') + readFileSync(file('.taprc'), 'utf8')
  const built = (): boolean => existsSync(stamp) && readFileSync(stamp, 'utf8') === wanted
  while (!built()) {
    if (!locked()) {
      await pause(200)
      continue
    }
    const status = built() ? 0 : spawnSync(file('node_modules/.bin/tap'), ['build'], { cwd: file('.'), stdio: 'inherit' }).status
    if (status === 0) writeFileSync(stamp, wanted)
    rmSync(lock, { recursive: true, force: true })
    if (status !== 0) process.exit(status ?? 1)
  }
}

function locked (): boolean {
  if (Date.now() - (statSync(lock, { throwIfNoEntry: false })?.mtimeMs ?? Infinity) > staleMs) rmSync(lock, { recursive: true, force: true })
  try {
    mkdirSync(lock)
    return true
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') return false
    throw error
  }
}
