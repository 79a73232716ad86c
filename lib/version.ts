import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'

/** The version of the package, as its manifest says it. */
export const { version } = JSON.parse(readFileSync(fileURLToPath(import.meta.resolve('#package')), 'utf8')) as { version: string }
