import { createHash } from 'node:crypto'
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import type { Weights } from '../lib/guidance/embedded/model.ts'
import { dataFolder, load, type Data } from './eval/data.ts'
import { fit } from './eval/fit/index.ts'
import { keysOf, provenancePath, type Provenance } from './eval/seen.ts'
import { attributions, measuredOnly } from './eval/sources.ts'

/** `npm run calibrate -- [--data DIR]`: fits weights and thresholds and writes them with where they come from. */
const { values } = parseArgs({ options: { data: { type: 'string' } } })
const data = load(dataFolder(values.data))
const strange = data.files.filter((file) => !attributions[file] && !measuredOnly.includes(file))
if (strange.length > 0) throw new Error(`Who made ${strange.join(' and ')}, and under which licence? Say so in bench/eval/sources.ts first.`)
const { whole } = fit(data)

const sources: Provenance['sources'] = data.files.filter((file) => attributions[file]).map((file) => {
  const content = readFileSync(join(data.folder, file))
  return { file, rows: content.toString('utf8').trim().split('\n').length, sha256: createHash('sha256').update(content).digest('hex'), ...attributions[file]! }
})
const provenance: Provenance = { command: 'npm run calibrate', sources, seen: keysOf(data) }
writeFileSync(provenancePath, `${JSON.stringify(provenance, null, 1)}\n`)
writeFileSync(fileURLToPath(new URL('../lib/guidance/embedded/weights.ts', import.meta.url)), file(whole, data))

function file (weights: Weights, { folder }: Data): string {
  process.stderr.write(`Fitted on ${folder}\n`)
  const { lexicon, version: _, ...numbers } = weights
  const version = createHash('sha256').update(JSON.stringify([rounded(numbers), packed(lexicon.background, -10), packed(lexicon.offTask, 100), packed(lexicon.social, 100)])).digest('hex').slice(0, 12)
  const cited = [...new Set(sources.map((one) => ` *   ${one.attribution} (${one.licence})`))].join('\n')
  return `import type { Trained } from './model.ts'

/**
 * Written by \`npm run calibrate\`; do not edit. Statistics derived from, with thanks:
${cited}
 * The files, their licences and their hashes are in bench/eval/provenance.json. No talk is in here.
 */
export const trained: Trained = {
  version: '${version}',
${Object.entries(rounded(numbers)).map(([name, value]) => `  ${name}: ${JSON.stringify(value).replaceAll('"', '').replaceAll(',', ', ').replaceAll(':', ': ').replaceAll('{', '{ ').replaceAll('}', ' }')}`).join(',\n')},
  // Each word: its stem or "one_two" for a pair, and its weight in tenths or hundredths.
  lexicon: {
    background: ${packed(lexicon.background, -10)},
    offTask: ${packed(lexicon.offTask, 100)},
    social: ${packed(lexicon.social, 100)}
  }
}
`
}

/** Four digits are more than the data can tell. */
function rounded<Value> (value: Value): Value {
  return JSON.parse(JSON.stringify(value, (_, one: unknown) => typeof one === 'number' ? Number(one.toPrecision(4)) : one)) as Value
}

/** One string in lines that a person can scroll past. */
function packed (map: ReadonlyMap<string, number>, scale: number): string {
  const words = [...map].sort(([a], [b]) => a < b ? -1 : 1).map(([word, value]) => `${word}:${Math.round(value * scale)}`).filter((word) => !word.endsWith(':0'))
  const lines: string[] = []
  for (const word of words) {
    if (lines.length === 0 || lines.at(-1)!.length + word.length > 150) lines.push(word)
    else lines[lines.length - 1] += ` ${word}`
  }
  return `[\n${lines.map((line) => `      '${line}'`).join(',\n')}\n    ].join(' ')`
}
