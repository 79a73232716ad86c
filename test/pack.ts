import { execFile } from 'node:child_process'
import { cp, mkdir, mkdtemp, readdir, readFile, rm, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'

/** The package as those see it who install it. */

interface Owner { teardown (handler: () => unknown): unknown }

export interface Manifest {
  version: string
  exports: Record<string, string | Record<string, string>>
  dependencies: Record<string, string>
  peerDependencies: Record<string, string>
}

export const root = fileURLToPath(new URL('..', import.meta.url))
export const run = promisify(execFile)

export async function folder (t: Owner): Promise<string> {
  const path = await mkdtemp(join(tmpdir(), 'classwaves-package-'))
  t.teardown(() => rm(path, { recursive: true, force: true }))
  return path
}

/** Packs a copy, so that neither a build nor another test sees its files come and go. */
export async function pack (t: Owner): Promise<string> {
  const path = await folder(t)
  const copy = join(path, 'copy')
  const left = new Set(['node_modules', '.git', '.tap', '.built', 'dist', 'coverage'])
  await mkdir(copy)
  // What is made, and made anew by other tests, is not copied: it could go while it is read.
  const filter = (file: string): boolean => !/\/sdk\.js/.test(file)
  for (const name of (await readdir(root)).filter(name => !left.has(name))) await cp(join(root, name), join(copy, name), { recursive: true, filter })
  await symlink(join(root, 'node_modules'), join(copy, 'node_modules'))
  await run('npm', ['pack', '--pack-destination', path], { cwd: copy })
  const tarball = (await readdir(path)).find(name => name.endsWith('.tgz'))
  if (tarball === undefined) throw new Error('npm pack made no tarball')
  return join(path, tarball)
}

/**
 * An empty folder with the package and Fastify in it. In CI npm installs it, from the registry; elsewhere, where
 * tests need no network, it stands beside links to the dependencies that it declares, and sees no others.
 */
export async function install (t: Owner, tarball: string): Promise<string> {
  const path = await folder(t)
  await writeFile(join(path, 'package.json'), '{ "name": "host", "private": true, "type": "module" }')
  if (process.env.CI) {
    const { version } = JSON.parse(await readFile(join(root, 'node_modules/fastify/package.json'), 'utf8')) as Manifest
    await run('npm', ['install', '--prefer-offline', '--no-audit', '--no-fund', tarball, `fastify@${version}`], { cwd: path })
    return path
  }
  const own = join(path, 'node_modules/fastify-classwaves')
  await mkdir(own, { recursive: true })
  await run('tar', ['-xzf', tarball, '--strip-components', '1', '-C', own])
  const { dependencies, peerDependencies } = await manifestIn(path)
  for (const name of Object.keys({ ...dependencies, ...peerDependencies })) await link(path, name)
  return path
}

/** Puts a package that the project has beside the installed one, for hosts that have it too. */
export async function link (path: string, name: string): Promise<void> {
  const place = join(path, 'node_modules', name)
  await mkdir(dirname(place), { recursive: true })
  await rm(place, { recursive: true, force: true })
  await symlink(join(root, 'node_modules', name), place)
}

export async function manifestIn (path: string): Promise<Manifest> {
  return JSON.parse(await readFile(join(path, 'node_modules/fastify-classwaves/package.json'), 'utf8')) as Manifest
}
