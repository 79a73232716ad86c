import { createHash } from 'node:crypto'
import { readdir, readFile } from 'node:fs/promises'
import { dirname, extname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import fp from 'fastify-plugin'
import { OptionsError } from '../lib/core/options.ts'
import { pagesRoutes, type PageFile, type PagesSettings } from '../routes/pages.ts'

const types: Record<string, string> = { '.html': 'text/html; charset=utf-8', '.js': 'text/javascript; charset=utf-8', '.css': 'text/css; charset=utf-8', '.svg': 'image/svg+xml' }

/** The pages of teacher and pupil, served when the host asks for them (`pages: true`). */
export default fp<PagesSettings>(async (fastify, settings) => {
  const files = await readPages(dirname(fileURLToPath(import.meta.resolve('#pages/style.css'))))
  if (!files.has('sdk.js')) throw new OptionsError('fastify-classwaves: option pages needs pages/sdk.js, which a checkout does not have: npm run build makes it')
  await fastify.register(async scope => { pagesRoutes(scope, files, settings) })
}, { name: 'fastify-classwaves-pages' })

async function readPages (folder: string): Promise<Map<string, PageFile>> {
  const files = new Map<string, PageFile>()
  for (const entry of await readdir(folder, { recursive: true, withFileTypes: true })) {
    const type = types[extname(entry.name)]
    if (!entry.isFile() || !type) continue
    const path = join(entry.parentPath, entry.name)
    const body = await readFile(path)
    files.set(path.slice(folder.length + 1).replaceAll('\\', '/'), { body, type, tag: `"${createHash('sha256').update(body).digest('base64url').slice(0, 20)}"` })
  }
  return files
}
