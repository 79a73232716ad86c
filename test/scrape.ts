/** One line of what Prometheus reads. */
export interface Sample { name: string, labels: Record<string, string>, value: number }

/** The samples of a text in Prometheus' format. */
export function samplesOf (text: string): Sample[] {
  return text.split('\n').filter(line => line !== '' && !line.startsWith('#')).map(line => {
    const [, name = '', labels = '', value = ''] = /^([\w:]+)(?:\{(.*)\})? (\S+)$/.exec(line) ?? []
    if (name === '') throw new Error(`not a sample: ${line}`)
    return { name, labels: Object.fromEntries([...labels.matchAll(/(\w+)="((?:[^"\\]|\\.)*)"/g)].map(([, label = '', text = '']) => [label, text])), value: Number(value) }
  })
}

/** The metric that a sample is of: those of a histogram have endings. */
export function metricOf ({ name }: Sample): string { return name.replace(/_(bucket|sum|count)$/, '') }
