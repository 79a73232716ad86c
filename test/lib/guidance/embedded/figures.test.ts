import t from 'tap'
import { linear, logistic, wordWeights } from '../../../../bench/eval/regression.ts'
import { auc, bootstrap, median, spearman } from '../../../../bench/eval/statistics.ts'

t.test('the statistics behind the figures', async t => {
  t.equal(auc([1, 2, 3, 4], [false, false, true, true]), 1)
  t.equal(auc([4, 3, 2, 1], [false, false, true, true]), 0)
  t.equal(auc([1, 1, 1, 1], [false, true, false, true]), 0.5)
  t.equal(auc([1, 2], [true, true]), null)
  t.equal(spearman([1, 2, 3, 4], [10, 20, 30, 90]), 1)
  t.equal(spearman([1, 2, 3, 4], [4, 3, 2, 1]), -1)
  t.equal(median([3, 1, 2, 10]), 2.5)
  const mean = (of: readonly number[]): number => of.reduce((sum, one) => sum + one, 0) / of.length
  const [low, high] = bootstrap([1, 2, 3, 4, 5, 6, 7, 8], mean, 'seed', () => 'one')
  t.ok(low! < 4.5 && high! > 4.5 && low! > 1 && high! < 8)
  t.same(bootstrap([1], mean, 'seed', () => 'one'), [null, null])
})

t.test('the fits find what was put in, and keep to their signs', async t => {
  const rows = Array.from({ length: 400 }, (_, i) => ({ x: [1, i % 7 - 3, (i * 5) % 11 - 5], y: (i % 7 - 3) + 0.1 * ((i * 13) % 10 - 5) > 0 ? 1 : 0, weight: 1 }))
  const free = logistic(rows, 3, 1)
  t.ok(free[1]! > 1 && Math.abs(free[2]!) < free[1]! / 5)
  t.equal(logistic(rows, 3, 1, [0, -1, 0])[1], 0)
  const line = linear(rows.map(({ x }) => ({ x, y: 2 + 3 * x[1]! - x[2]!, weight: 1 })), 3, 1e-9)
  line.forEach((w, i) => { t.ok(Math.abs(w - [2, 3, -1][i]!) < 1e-6) })
  const documents = Array.from({ length: 60 }, (_, i) => ({ has: i % 2 === 0 ? ['dog', 'the'] : ['bed', 'the'], y: i % 2 === 0 ? 1 : 0, weight: 1 }))
  const words = wordWeights(documents, { least: 3, ridge: 0.1, epochs: 6 })
  t.ok(words.get('dog')! > 0.5 && words.get('bed')! < -0.5 && Math.abs(words.get('the')!) < 0.5)
})
