import { spawnSync } from 'node:child_process'
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { Figure } from './tier.ts'

/**
 * `npm run test:faults`: the fault tests in their full size, one after the other, and at the end what they reached.
 * Takes test files to run only those.
 */

const root = fileURLToPath(new URL('../../', import.meta.url))
// Files by their names: of a folder beside files the runner takes nothing.
const faults = readdirSync(join(root, 'test/faults')).filter(name => name.endsWith('.test.ts')).map(name => `test/faults/${name}`)
const usual = [...faults, 'test/lib/core/delivery-interleavings.test.ts', 'test/plugins/slow-readers.test.ts', 'test/lib/guidance/gates-differential.test.ts']
const folder = mkdtempSync(join(tmpdir(), 'classwaves-figures-'))
const figures = join(folder, 'figures.jsonl')
const given = process.argv.slice(2)

const { status } = spawnSync(process.execPath, [
  join(root, 'node_modules/tap/dist/esm/run.mjs'), 'run', '--jobs=1', '--timeout=7200', ...(given.length > 0 ? given : usual)
], { cwd: root, stdio: 'inherit', env: { ...process.env, CLASSWAVES_FAULTS: 'full', CLASSWAVES_FIGURES: figures } })

const rows = existsSync(figures) ? readFileSync(figures, 'utf8').trim().split('\n').map(line => JSON.parse(line) as Figure) : []
rmSync(folder, { recursive: true })
process.stdout.write(`\n| what | reach | got |\n|---|---|---|\n${rows.map(({ what, reach, got }) => `| ${what} | ${reach} | ${got} |\n`).join('')}`)
process.exitCode = status ?? 1
