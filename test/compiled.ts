import { randomUUID } from 'node:crypto'
import { mkdirSync, renameSync, writeFileSync } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { dirname, relative } from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'
import { build, type Plugin } from 'esbuild'

/**
 * Programs that are started by themselves, as plain JavaScript in a few files: what runs TypeScript directly takes seconds to
 * load the package, and adds work to each function that is made.
 */

const root = fileURLToPath(new URL('../', import.meta.url))
const made = new Map<string, Promise<string>>()

/** Wherever a part of it ends up, it still knows where it was written: it looks for what lies beside it there. */
const whereItWas: Plugin = {
  name: 'where it was',
  setup ({ onLoad }) {
    onLoad({ filter: /\.ts$/ }, async ({ path }) => ({
      loader: 'ts',
      contents: (await readFile(path, 'utf8'))
        .replaceAll('import.meta.url', JSON.stringify(pathToFileURL(path).href))
        .replaceAll('import.meta.filename', JSON.stringify(path))
        .replaceAll('import.meta.dirname', JSON.stringify(dirname(path)))
    }))
  }
}

/** Where the program is that a script of this project becomes. It is made once for each process. */
export function compiled (script: URL): Promise<string> {
  const known = made.get(script.href)
  if (known) return known
  const outdir = `${root}.built/${relative(root, fileURLToPath(script)).replaceAll('/', '-').replace(/\.\w+$/, '')}`
  mkdirSync(outdir, { recursive: true })
  // What the program loads when it is asked for is loaded then.
  const done = build({
    entryPoints: { program: fileURLToPath(script) }, outdir, bundle: true, splitting: true, packages: 'external', external: ['#*'], platform: 'node', format: 'esm', target: 'node20', plugins: [whereItWas], write: false
  }).then(({ outputFiles }) => {
    const program = `${outdir}/program.js`
    // Others may be making, or starting, the same: each file is there whole, and the first one when all others are.
    for (const { path, contents } of outputFiles.sort((one, other) => Number(one.path === program) - Number(other.path === program))) {
      const part = `${path}.${randomUUID()}`
      writeFileSync(part, contents)
      renameSync(part, path)
    }
    return program
  })
  made.set(script.href, done)
  return done
}
