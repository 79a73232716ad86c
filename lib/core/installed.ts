import { existsSync, readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'

/** Of what the short way of `wire.ts` reaches into. */
export type Versions = Record<'socket.io' | 'socket.io-adapter' | 'engine.io' | 'ws', string>

/** As they are found from a file of ours. */
export function installed (from = import.meta.url): Versions {
  const socketIo = packageOf('socket.io', from)
  const engine = packageOf('engine.io', socketIo.file)
  return {
    'socket.io': socketIo.version,
    'socket.io-adapter': packageOf('socket.io-adapter', socketIo.file).version,
    'engine.io': engine.version,
    ws: packageOf('ws', engine.file).version
  }
}

/** The package of this name as `from` gets it. Not all of them let their package.json be imported, and in a bundle there is none. */
export function packageOf (name: string, from: string): { file: string, version: string } {
  const file = resolved(name, from)
  if (file === undefined) return { file: from, version: 'not found' }
  for (let folder = dirname(file); folder !== dirname(folder); folder = dirname(folder)) {
    const described = join(folder, 'package.json')
    const found = existsSync(described) ? JSON.parse(readFileSync(described, 'utf8')) as { name?: string, version?: string } : {}
    if (found.name === name && found.version !== undefined) return { file, version: found.version }
  }
  return { file, version: 'not found' }
}

function resolved (name: string, from: string): string | undefined {
  try {
    return createRequire(from).resolve(name)
  } catch {
    return undefined
  }
}
