import type { Row } from './rows.ts'

/** Repeats of both sides in turn, and what they say together. */

export interface Outcome {
  row: Row
  ours: number
  theirs: number | undefined
  /** Median over the repeats of what one repeat says, and the least and the most of them. */
  figure: number
  least: number
  most: number
  reached: boolean
}

export async function compare (row: Row, repeats: number, redis: string, progress: (line: string) => void): Promise<Outcome> {
  const ours: number[] = []
  const theirs: number[] = []
  for (let repeat = 0; repeat < repeats; repeat++) {
    // Each side is the first in every other repeat: what grows worse or better while it runs meets both.
    const sides = [async () => { if (row.theirs) theirs.push(await row.theirs(redis)) }, async () => { ours.push(await row.ours(redis)) }]
    for (const side of repeat % 2 === 0 ? sides : sides.reverse()) await side()
    progress(`${row.name} ${repeat + 1}/${repeats}: ours ${text(row, ours.at(-1))}${row.theirs ? `, theirs ${text(row, theirs.at(-1))}` : ''}`)
  }
  const figures = ours.map((own, i) => {
    const other = theirs[i] ?? 1
    return row.compare === 'ratio' ? own / other : row.compare === 'difference' ? own - other : own
  })
  const figure = median(figures)
  return {
    row,
    ours: median(ours),
    theirs: row.theirs && median(theirs),
    figure,
    least: Math.min(...figures),
    most: Math.max(...figures),
    reached: 'most' in row.reach ? figure <= row.reach.most : figure >= row.reach.least
  }
}

export function median (values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b)
  const middle = sorted.length >> 1
  return sorted.length % 2 ? sorted[middle] as number : ((sorted[middle - 1] as number) + (sorted[middle] as number)) / 2
}

export function text ({ unit, digits }: Row, value: number | undefined): string {
  return value === undefined ? '' : `${value.toLocaleString('en', { minimumFractionDigits: digits, maximumFractionDigits: digits })} ${unit}`
}
