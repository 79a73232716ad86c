import { mkdir, mkdtemp, readFile, rm, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'
import ts from 'typescript'

/** The code in a document, compiled and run as its reader would. */

interface Owner { teardown (handler: () => unknown): unknown }

export interface Snippet { language: string, line: number, text: string }

export const root = fileURLToPath(new URL('..', import.meta.url))

export function snippetsIn (document: string): Snippet[] {
  return [...document.matchAll(/^```(\w*)\n(.*?)^```$/gms)].map(({ 1: language = '', 2: text = '', index }) =>
    ({ language, text, line: document.slice(0, index).split('\n').length + 1 }))
}

/** What stands around a snippet in a reader's own project. */
const surroundings = `
  import type { FastifyInstance } from 'fastify'
  import type { Tier2Insights } from 'fastify-classwaves'
  import type defaultExport from 'fastify-classwaves'
  declare global {
    const app: FastifyInstance
    const classwaves: typeof defaultExport
    const jwt: { secret: string }
    const token: string
    const sessionId: string
    const show: (groupId: string, what: string, why?: unknown) => void
    const isMentorOf: (userId: string, teacherId: string) => Promise<boolean>
    const speechToText: (audio: Uint8Array, mimeType: string) => Promise<string>
    const askModel: (question: { topic: string, goals: readonly string[], talk: string[] }) => Promise<Tier2Insights>
  }
`

/** A project that has the package installed, as its sources. */
export class Project {
  readonly folder: string

  private constructor (folder: string) { this.folder = folder }

  static async create (t: Owner): Promise<Project> {
    const folder = await mkdtemp(join(tmpdir(), 'classwaves-snippets-'))
    t.teardown(() => rm(folder, { recursive: true, force: true }))
    const place = (name: string): string => join(folder, 'node_modules', name)
    for (const name of ['@fastify/jwt', '@fastify/redis', '@opentelemetry/api', '@types/node', 'fastify', 'socket.io-client']) {
      await mkdir(dirname(place(name)), { recursive: true })
      await symlink(join(root, 'node_modules', name), place(name))
    }
    const own = place('fastify-classwaves')
    await mkdir(own)
    for (const file of ['index.ts', 'lib/contract.ts', 'lib/worker.ts']) await symlink(join(root, file), join(own, file.replace('lib/', '')))
    await writeFile(join(own, 'package.json'), JSON.stringify({
      type: 'module', exports: { '.': './index.ts', './contract': './contract.ts', './worker': './worker.ts' }
    }))
    await writeFile(join(folder, 'package.json'), '{ "type": "module" }')
    await writeFile(join(folder, 'surroundings.d.ts'), surroundings)
    return new Project(folder)
  }

  /** What the compiler says of the snippets, with their lines in the document. */
  async complaints (snippets: readonly Snippet[]): Promise<string[]> {
    const files = snippets.map(({ line }) => join(this.folder, `line-${line}.ts`))
    for (const [index, file] of files.entries()) await writeFile(file, `${snippets[index]?.text}\nexport {}\n`)
    const { config } = ts.readConfigFile(join(root, 'tsconfig.json'), ts.sys.readFile) as { config: { compilerOptions: object } }
    const { options } = ts.convertCompilerOptionsFromJson(config.compilerOptions, this.folder)
    const program = ts.createProgram([...files, join(this.folder, 'surroundings.d.ts')], { ...options, noUnusedLocals: false })
    return files.flatMap((file, index) => {
      const source = program.getSourceFile(file)
      if (!source) throw new Error(`${file} was not compiled`)
      return [...program.getSyntacticDiagnostics(source), ...program.getSemanticDiagnostics(source)].map(({ start = 0, messageText }) =>
        `line ${(snippets[index]?.line ?? 0) + source.getLineAndCharacterOfPosition(start).line}: ${ts.flattenDiagnosticMessageText(messageText, '\n')}`)
    })
  }

  /**
   * Runs a snippet with what stands around it, and hands out what it names at its top level.
   * @param places what the reader would change for their own machine: addresses, ports
   */
  async run (snippet: Snippet, around: Record<string, unknown>, places: readonly [string, string][] = []): Promise<Record<string, unknown>> {
    let { text } = snippet
    for (const [from, to] of places) {
      if (!text.includes(from)) throw new Error(`the snippet at line ${snippet.line} has no ${from}`)
      text = text.replaceAll(from, to)
    }
    const names = [...text.matchAll(/^(?:const|let) (?:(\w+)|\{ ([\w, ]+) \})/gm)].flatMap(([, one, several = '']) => one ?? several.split(', '))
    const file = join(this.folder, `run-${snippet.line}.ts`)
    await writeFile(file, `${text}\nexport { ${names.join(', ')} }\n`)
    Object.assign(globalThis, around)
    return await import(pathToFileURL(file).href) as Record<string, unknown>
  }
}

export async function documentText (name: string): Promise<string> {
  return await readFile(join(root, name), 'utf8')
}
