import { fileURLToPath } from 'node:url'
import t from 'tap'
import ts from 'typescript'

const path = (name: string): string => fileURLToPath(new URL(name, import.meta.url))

/** What the compiler says of one file, under the project's own settings. */
function complaints (file: string): string[] {
  const { config } = ts.readConfigFile(path('../tsconfig.json'), ts.sys.readFile) as { config: { compilerOptions: object } }
  const { options } = ts.convertCompilerOptionsFromJson(config.compilerOptions, path('..'))
  const program = ts.createProgram([file], options)
  const source = program.getSourceFile(file)
  if (!source) throw new Error(`${file} was not compiled`)
  return [...program.getSyntacticDiagnostics(source), ...program.getSemanticDiagnostics(source)].map(({ start = 0, messageText }) =>
    `line ${source.getLineAndCharacterOfPosition(start).line + 1}: ${ts.flattenDiagnosticMessageText(messageText, '\n')}`)
}

t.test('what the types promise holds', async t => {
  // The compiler also complains of an expected error that does not come, so an empty list says that each of them did.
  t.same(complaints(path('types.ts')), [])
  t.ok((ts.sys.readFile(path('types.ts'))?.match(/@ts-expect-error/g)?.length ?? 0) > 20)
})
