import { mkdir, rename, writeFile } from 'node:fs/promises'
import { dirname } from 'node:path'
import { fileURLToPath } from 'node:url'
import { build } from 'esbuild'

/**
 * One file for browsers, of the client SDK and socket.io-client, which the pages load: `pages/sdk.js`. Made when the
 * package is built, so that a host needs no build step and nothing from elsewhere.
 */

const root = fileURLToPath(new URL('..', import.meta.url))

/** Minified source of a module. */
export async function bundle (source: string): Promise<string> {
  const { outputFiles } = await build({
    stdin: { contents: source, resolveDir: root, loader: 'ts' }, bundle: true, format: 'esm', platform: 'browser', target: 'es2022', minify: true, legalComments: 'inline', write: false
  })
  return (outputFiles[0] as { text: string }).text
}

/** Writes `pages/sdk.js`, whole or not at all. */
export async function writeSdk (): Promise<void> {
  const file = fileURLToPath(new URL('../pages/sdk.js', import.meta.url))
  const whole = await bundle('export { io } from "socket.io-client"\nexport * from "./lib/client/index.ts"')
  await mkdir(dirname(file), { recursive: true })
  await writeFile(`${file}.${process.pid}`, `/* fastify-classwaves/client with socket.io-client (MIT, https://github.com/socketio/socket.io) */\n${whole}`)
  await rename(`${file}.${process.pid}`, file)
}

if (process.argv[1] === fileURLToPath(import.meta.url)) await writeSdk()
