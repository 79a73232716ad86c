/** Logistic regression for a few dense columns: Newton's method, weights per row, a ridge towards what was known before, signs that may be fixed. */
export interface Row { x: readonly number[], y: number, weight: number }

export function logistic (rows: readonly Row[], columns: number, ridge: number, sign: readonly (-1 | 0 | 1)[] = [], toward: readonly number[] = []): number[] {
  const w = new Array<number>(columns).fill(0)
  let free = Array.from({ length: columns }, (_, i) => i)
  // Columns whose sign comes out wrong leave one by one, the worst first.
  for (;;) {
    newton(rows, w, free, ridge, toward)
    const wrong = free.filter((i) => (sign[i] ?? 0) * w[i]! < 0).sort((a, b) => Math.abs(w[b]!) - Math.abs(w[a]!))[0]
    if (wrong === undefined) return w
    free = free.filter((i) => i !== wrong)
    w[wrong] = 0
  }
}

function newton (rows: readonly Row[], w: number[], free: readonly number[], ridge: number, toward: readonly number[]): void {
  const n = free.length
  for (let step = 0; step < 15; step++) {
    const gradient = new Float64Array(n)
    const hessian = Array.from({ length: n }, () => new Float64Array(n))
    for (const { x, y, weight } of rows) {
      let z = 0
      for (const i of free) z += w[i]! * x[i]!
      const p = 1 / (1 + Math.exp(-z))
      const error = weight * (p - y); const curve = weight * p * (1 - p)
      for (let a = 0; a < n; a++) {
        const xa = x[free[a]!]!
        if (xa === 0) continue
        gradient[a]! += error * xa
        for (let b = 0; b <= a; b++) hessian[a]![b]! += curve * xa * x[free[b]!]!
      }
    }
    for (let a = 0; a < n; a++) {
      // The first column is the intercept: not shrunk.
      const shrink = free[a] === 0 ? 1e-9 : ridge
      gradient[a]! += shrink * (w[free[a]!]! - (toward[free[a]!] ?? 0))
      hessian[a]![a]! += shrink
      for (let b = 0; b < a; b++) hessian[b]![a] = hessian[a]![b]!
    }
    const delta = solve(hessian, gradient)
    let most = 0
    for (let a = 0; a < n; a++) {
      const move = Math.max(-3, Math.min(3, delta[a]!))
      w[free[a]!]! -= move
      most = Math.max(most, Math.abs(move))
    }
    if (most < 1e-5) return
  }
}

/** Least squares with a ridge on all columns but the first. */
export function linear (rows: readonly Row[], columns: number, ridge: number): number[] {
  const matrix = Array.from({ length: columns }, () => new Float64Array(columns))
  const right = new Float64Array(columns)
  for (const { x, y, weight } of rows) {
    for (let a = 0; a < columns; a++) {
      right[a]! += weight * x[a]! * y
      for (let b = 0; b < columns; b++) matrix[a]![b]! += weight * x[a]! * x[b]!
    }
  }
  for (let a = 1; a < columns; a++) matrix[a]![a]! += ridge
  return [...solve(matrix, right)]
}

/** Gaussian elimination with pivots. */
function solve (matrix: Float64Array[], right: Float64Array): Float64Array {
  const n = right.length
  const m = matrix.map((row, i) => Float64Array.from([...row, right[i]!]))
  for (let c = 0; c < n; c++) {
    let pivot = c
    for (let r = c + 1; r < n; r++) if (Math.abs(m[r]![c]!) > Math.abs(m[pivot]![c]!)) pivot = r
    ;[m[c], m[pivot]] = [m[pivot]!, m[c]!]
    for (let r = 0; r < n; r++) {
      if (r === c) continue
      const f = m[r]![c]! / (m[c]![c]! || 1e-12)
      for (let k = c; k <= n; k++) m[r]![k]! -= f * m[c]![k]!
    }
  }
  return Float64Array.from(m, (row, i) => row[n]! / (row[i]! || 1e-12))
}

/** One document: what it has, whether it belongs to the class, how much it counts. */
export interface Document { has: readonly string[], y: number, weight: number }

/** Sparse logistic regression over words by AdaGrad with L2, in a fixed order; keeps what occurs `least` times. */
export function wordWeights (documents: readonly Document[], { least, ridge, epochs }: { least: number, ridge: number, epochs: number }): Map<string, number> {
  const counts = new Map<string, number>()
  for (const one of documents) for (const word of one.has) counts.set(word, (counts.get(word) ?? 0) + 1)
  const index = new Map<string, number>()
  for (const [word, count] of counts) if (count >= least) index.set(word, index.size)
  const w = new Float64Array(index.size); const g = new Float64Array(index.size).fill(1e-2)
  let bias = 0; let gb = 1e-2
  // Between one penalty a word and one an occurrence: measured, common words need a little more than the first.
  const ease = new Float64Array(index.size)
  for (const [word, id] of index) ease[id] = counts.get(word)! ** -0.3
  const sparse = documents.map((one) => ({ ids: one.has.map((word) => index.get(word)).filter((id) => id !== undefined), y: one.y, weight: one.weight }))
  // A fixed stride visits all documents in a mixed order.
  const n = sparse.length; let stride = Math.floor(n * 0.618) | 1
  while (gcd(stride, n) !== 1) stride += 2
  for (let epoch = 0; epoch < epochs; epoch++) {
    for (let k = 0, i = 0; k < n; k++, i = (i + stride) % n) {
      const one = sparse[i]!
      let z = bias
      for (const id of one.ids) z += w[id]!
      const error = one.weight * (1 / (1 + Math.exp(-z)) - one.y)
      gb += error * error; bias -= 0.3 * error / Math.sqrt(gb)
      for (const id of one.ids) {
        const d = error + ridge * w[id]! * ease[id]!
        g[id]! += d * d
        w[id]! -= 0.3 * d / Math.sqrt(g[id]!)
      }
    }
  }
  return new Map([...index].map(([word, id]) => [word, w[id]!]))
}

function gcd (a: number, b: number): number {
  return b === 0 ? a : gcd(b, a % b)
}
