import { parseArgs } from 'node:util'
import { attentionMeasures } from './eval/attention.ts'
import { choose } from './eval/chosen.ts'
import { costMeasures } from './eval/cost.ts'
import { dataFolder, load } from './eval/data.ts'
import type { Measure } from './eval/measure.ts'
import { shiftMeasures } from './eval/shifts.ts'
import { table } from './eval/table.ts'
import { confusionMeasures, uptakeMeasures } from './eval/talk.ts'
import { singleTurns, topicMeasures } from './eval/topic.ts'

/** `npm run eval -- [--data DIR] [--json]`: how good the embedded analyzer is on labelled talk. */
const { values } = parseArgs({ options: { data: { type: 'string' }, json: { type: 'boolean', default: false } } })
const began = Date.now()
const progress = (line: string): void => { process.stderr.write(`[${((Date.now() - began) / 1000).toFixed(0).padStart(3)} s] ${line}\n`) }

try {
  const data = load(dataFolder(values.data))
  progress(`${data.files.length} files from ${data.folder}`)
  const chosen = choose(data, progress)
  const measures: Measure[] = []
  const step = (what: string, found: readonly Measure[]): void => {
    measures.push(...found)
    progress(`${what}: ${found.length} rows`)
  }
  step('Off-topic talk', topicMeasures(data, chosen))
  step('Single turns', singleTurns(data, chosen))
  step('Confusion', confusionMeasures(data, chosen))
  step('Uptake', uptakeMeasures(data, chosen))
  step('Attention', attentionMeasures(data, chosen, progress))
  step('Tier2 shifts', shiftMeasures(data, chosen))
  step('Cost', await costMeasures(data))
  process.stdout.write(values.json ? `${JSON.stringify({ measures })}\n` : `${table(measures)}\n`)
} catch (error) {
  process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`)
  process.exitCode = 1
}
