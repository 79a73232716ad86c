import t from 'tap'
import { emptyBaseline, fold, zScore, type Baseline } from '../../../lib/guidance/welford.ts'

const baselineOf = (samples: Iterable<number>): Baseline => {
  let baseline: Baseline = emptyBaseline
  for (const sample of samples) baseline = fold(baseline, sample)
  return baseline
}

/** Samples with a known spread, the same in every run. */
function * samples (count: number, offset: number): Generator<number> {
  let state = 1
  for (let n = 0; n < count; n++) {
    state = (state * 48_271) % 2_147_483_647
    yield offset + (state % 1024) / 64
  }
}

t.test('mean and variance agree with two passes, at any offset', async t => {
  for (const offset of [0, 1e9, -1e9]) {
    // Sixteenths of small numbers: sums without the offset are exact.
    const plain = [...samples(100_000, 0)]
    const mean = plain.reduce((sum, sample) => sum + sample, 0) / plain.length
    const variance = plain.reduce((sum, sample) => sum + (sample - mean) ** 2, 0) / plain.length
    const found = baselineOf(samples(100_000, offset))
    t.ok(Math.abs(found.mean - mean - offset) <= 1e-9 * Math.max(1, Math.abs(offset)), `mean ${found.mean} at ${offset}`)
    t.ok(Math.abs(found.variance / variance - 1) <= 1e-9, `variance ${found.variance} is ${variance} at ${offset}`)
    t.equal(found.count, 100_000)
  }
})

t.test('a sample is compared with the baseline before it', async t => {
  t.equal(zScore(emptyBaseline, 9), 0)
  t.equal(zScore(baselineOf([1, 3]), 9), 0, 'two samples say nothing yet')
  t.equal(zScore({ mean: 2, variance: 4, count: 3 }, 5), 1.5)
  t.equal(zScore(baselineOf([5, 5.01, 5]), 9), 0, 'a spread below 0.01 says nothing')
  t.equal(zScore({ mean: 5, variance: 0.0001, count: 3 }, 9), 0, 'nor does one of exactly 0.01')
})

t.test('a very long class goes on learning', async t => {
  const old: Baseline = { mean: 10, variance: 4, count: 1_000_000 }
  const next = fold(old, 1_000_010)
  t.equal(next.count, 1_000_000)
  t.equal(next.mean, 11)
})

t.test('variance is never negative', async t => {
  t.ok(fold({ mean: 1e9, variance: 1e-300, count: 2 }, 1e9 + 1e-7).variance >= 0)
  t.equal(baselineOf([0.1, 0.1, 0.1]).variance, 0)
})
