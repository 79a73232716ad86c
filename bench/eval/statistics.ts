import { random } from './random.ts'

/** Area under the ROC curve by ranks, ties counted half; null without both classes. */
export function auc (scores: readonly number[], labels: readonly boolean[]): number | null {
  const ranks = rank(scores)
  let positives = 0; let sum = 0
  for (let i = 0; i < labels.length; i++) if (labels[i]) { positives++; sum += ranks[i]! }
  const negatives = labels.length - positives
  return positives === 0 || negatives === 0 ? null : (sum - positives * (positives + 1) / 2) / (positives * negatives)
}

export function spearman (a: readonly number[], b: readonly number[]): number | null {
  if (a.length < 3) return null
  const x = rank(a); const y = rank(b)
  const mean = (a.length + 1) / 2
  let xy = 0; let xx = 0; let yy = 0
  for (let i = 0; i < x.length; i++) {
    const dx = x[i]! - mean; const dy = y[i]! - mean
    xy += dx * dy; xx += dx * dx; yy += dy * dy
  }
  return xx === 0 || yy === 0 ? null : xy / Math.sqrt(xx * yy)
}

/** From 1, ties share their mean. */
function rank (values: readonly number[]): Float64Array {
  const order = Array.from(values.keys()).sort((a, b) => values[a]! - values[b]!)
  const ranks = new Float64Array(values.length)
  for (let i = 0; i < order.length;) {
    let j = i
    while (j + 1 < order.length && values[order[j + 1]!] === values[order[i]!]) j++
    for (let k = i; k <= j; k++) ranks[order[k]!] = (i + j) / 2 + 1
    i = j + 1
  }
  return ranks
}

export function median (values: readonly number[]): number | null {
  if (values.length === 0) return null
  const sorted = [...values].sort((a, b) => a - b)
  const middle = sorted.length >> 1
  return sorted.length % 2 === 1 ? sorted[middle]! : (sorted[middle - 1]! + sorted[middle]!) / 2
}

export function quantile (values: readonly number[], q: number): number | null {
  if (values.length === 0) return null
  const sorted = [...values].sort((a, b) => a - b)
  return sorted[Math.min(sorted.length - 1, Math.floor(q * sorted.length))]!
}

/**
 * A 95 % interval by drawing whole clusters (sessions) with replacement, each source by itself: turns of one session
 * are not independent.
 */
export function bootstrap<Part> (parts: readonly Part[], statistic: (parts: readonly Part[]) => number | null, seed: string, stratum: (part: Part) => string, draws = 200): [number | null, number | null] {
  const byStratum = new Map<string, Part[]>()
  for (const part of parts) byStratum.set(stratum(part), [...byStratum.get(stratum(part)) ?? [], part])
  const strata = [...byStratum.values()]
  if (parts.length < 2 * strata.length || parts.length < 2) return [null, null]
  const next = random(seed)
  const found: number[] = []
  for (let i = 0; i < draws; i++) {
    const value = statistic(strata.flatMap((one) => Array.from(one, () => one[Math.floor(next() * one.length)]!)))
    if (value !== null) found.push(value)
  }
  return found.length < draws / 2 ? [null, null] : [quantile(found, 0.025), quantile(found, 0.975)]
}
