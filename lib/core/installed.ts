import { existsSync, readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'

/** The package of this name as `from` gets it. Not all of them let their package.json be imported. */
export function packageOf (name: string, from: string): { file: string, version: string } {
  const file = createRequire(from).resolve(name)
  for (let folder = dirname(file); folder !== dirname(folder); folder = dirname(folder)) {
    const described = join(folder, 'package.json')
    const found = existsSync(described) ? JSON.parse(readFileSync(described, 'utf8')) as { name?: string, version?: string } : {}
    if (found.name === name && found.version !== undefined) return { file, version: found.version }
  }
  return { file, version: 'not found' }
}
