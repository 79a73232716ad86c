import type { Measure } from './measure.ts'

/** The rows as a table in Markdown, for the docs. */
export function table (measures: readonly Measure[]): string {
  const lines = ['| measure | source | value | 95 % | n | goal | met |', '|---|---|---|---|---|---|---|']
  for (const one of measures) {
    const interval = one.low === null || one.high === null ? '' : `${figure(one.low)} to ${figure(one.high)}`
    const met = one.met === null ? '' : one.met ? 'yes' : '**no**'
    lines.push(`| ${one.name}${one.seen ? ' (seen in the fit)' : ''} | ${one.source} | ${figure(one.value)} | ${interval} | ${one.n} | ${one.goal ?? ''} | ${met} |`)
  }
  return lines.join('\n')
}

function figure (value: number | null): string {
  if (value === null) return '-'
  if (Number.isInteger(value) || Math.abs(value) >= 100) return String(Math.round(value))
  return Math.abs(value) >= 10 ? value.toFixed(1) : value.toFixed(3)
}
