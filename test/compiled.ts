import { randomUUID } from 'node:crypto'
import { mkdirSync, renameSync } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { dirname, relative } from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'
import { build, type Plugin } from 'esbuild'

/**
 * Programs that are started by themselves, as one file of plain JavaScript: what runs TypeScript directly takes seconds to
 * load the package, and adds work to each function that is made.
 */

const root = fileURLToPath(new URL('../', import.meta.url))
const made = new Map<string, Promise<string>>()

/** In one file, each part of it still knows where it was written: it looks for what lies beside it there. */
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
  const outfile = `${root}.built/${relative(root, fileURLToPath(script)).replaceAll('/', '-').replace(/\.ts$/, '.js')}`
  // Others may be making, or starting, the same.
  const part = `${outfile}.${randomUUID()}`
  mkdirSync(dirname(outfile), { recursive: true })
  const done = build({
    entryPoints: [fileURLToPath(script)], outfile: part, bundle: true, packages: 'external', external: ['#*'], platform: 'node', format: 'esm', target: 'node20', plugins: [whereItWas]
  }).then(() => {
    renameSync(part, outfile)
    return outfile
  })
  made.set(script.href, done)
  return done
}
