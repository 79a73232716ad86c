/**
 * A running mean and variance in constant space (Welford 1962). Deviations are taken from the running mean, so
 * samples far from zero lose no digits, as a sum of squares would.
 */
export interface Baseline { mean: number, variance: number, count: number }

export const emptyBaseline: Readonly<Baseline> = { mean: 0, variance: 0, count: 0 }

/** From here on old samples fade: each new one weighs a millionth, instead of less and less. */
const countLimit = 1_000_000

/** Fewer samples, or samples that hardly vary, say nothing about what is unusual. */
const countNeeded = 3
const sigmaNeeded = 0.01

/** The baseline with one more sample; `variance` is the population's. */
export function fold (baseline: Baseline, sample: number): Baseline {
  const count = Math.min(baseline.count + 1, countLimit)
  const delta = sample - baseline.mean
  const mean = baseline.mean + delta / count
  const variance = Math.max(0, baseline.variance + (delta * (sample - mean) - baseline.variance) / count)
  return { mean, variance, count }
}

/** How many standard deviations a sample lies from the baseline; 0 while the baseline is too young or too flat. */
export function zScore (baseline: Baseline, sample: number): number {
  const sigma = Math.sqrt(baseline.variance)
  if (baseline.count < countNeeded || sigma <= sigmaNeeded) return 0
  return (sample - baseline.mean) / sigma
}
