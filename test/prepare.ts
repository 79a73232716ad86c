import { browser } from './browser.ts'
import { startRedis } from './redis.ts'

/** Before the tests: what they need is found or installed once, and not by several of them at the same time. */

const ends: (() => unknown)[] = []
const owner = { teardown: (end: () => unknown) => ends.push(end) }
try {
  await startRedis(owner)
  await browser(owner)
} catch (error) {
  process.stderr.write(`${(error as Error).message}\n`)
  process.exitCode = 1
}
for (const end of ends.reverse()) await end()
