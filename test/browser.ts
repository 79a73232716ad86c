import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { setTimeout as pause } from 'node:timers/promises'
import { chromium, type Browser, type Page } from 'playwright-core'
import { find } from './program.ts'
import type { Owner } from './redis.ts'

/** A real browser: Debian's chromium, found or installed, headless. */

const names = ['chromium', 'chromium-browser', 'google-chrome']

/** @param flags more of Chromium's, such as for a microphone that is none */
export async function browser (t: Owner, flags: string[] = []): Promise<Browser> {
  const one = await chromium.launch({ executablePath: await find(names, 'chromium'), args: ['--no-sandbox', '--disable-dev-shm-usage', ...flags] })
  t.teardown(() => one.close())
  return one
}

export const desktop = { width: 1280, height: 860 }
export const phone = { width: 390, height: 844 }

/** What went wrong in a page: errors, refused parts, dialogs. A test wants none. */
export function faultsOf (page: Page): string[] {
  const faults: string[] = []
  page.on('pageerror', error => faults.push(String(error)))
  page.on('dialog', dialog => { faults.push(`dialog ${dialog.message()}`); void dialog.dismiss() })
  page.on('console', message => { if (/Content Security Policy|Trusted Type/i.test(message.text())) faults.push(message.text()) })
  return faults
}

const axe = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8')

/** What axe-core finds, as `rule: selector`. */
export async function barriers (page: Page): Promise<string[]> {
  // Through the debugger, because the policy of the page lets no script in.
  const violations = await page.evaluate(`${axe}; axe.run().then(({ violations }) => violations.flatMap(({ id, nodes }) => nodes.map(({ target }) => id + ': ' + target.join(' '))))`)
  return violations as string[]
}

/** Waits for an expression of the page to be true. (`waitForFunction` would need a policy that allows eval.) */
export async function holds (page: Page, expression: string): Promise<void> {
  const deadline = Date.now() + 20_000
  while (!await page.evaluate(expression)) {
    if (Date.now() > deadline) throw new Error(`never true: ${expression}`)
    await pause(30)
  }
}
