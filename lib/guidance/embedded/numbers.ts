/** Small arithmetic that never leaves the finite numbers. */

/** State is kept short: five digits say all that these counters know. */
export function round (x: number): number {
  return Number.isFinite(x) ? Math.round(x * 1e4) / 1e4 : 0
}

export function clamp (x: number, low: number, high: number): number {
  return x >= low ? (x <= high ? x : high) : low
}

export function unit (x: number): number {
  return round(clamp(x, 0, 1))
}

export function sigmoid (x: number): number {
  return 1 / (1 + Math.exp(-clamp(x, -40, 40)))
}

/** What is left of 1 after `ms` with the half-life `halfMs`. */
export function decay (ms: number, halfMs: number): number {
  return ms <= 0 ? 1 : Math.pow(0.5, ms / halfMs)
}

export function finite (x: number | undefined | null, otherwise: number): number {
  return typeof x === 'number' && Number.isFinite(x) ? x : otherwise
}
