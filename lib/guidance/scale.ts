import type { Driver } from './schema.ts'

/** Reasons for another score: each keeps its share, in whole points that add up to `score`, the largest first. */
export function scaleDrivers (drivers: readonly Driver[], score: number): Driver[] {
  const whole = drivers.reduce((sum, driver) => sum + driver.contribution, 0)
  if (whole === 0 || score === 0) return []
  const scaled = drivers.map(driver => {
    const exact = driver.contribution * score / whole
    return { driver, points: Math.floor(exact), rest: exact - Math.floor(exact) }
  })
  let missing = score - scaled.reduce((sum, one) => sum + one.points, 0)
  for (const one of [...scaled].sort((a, b) => b.rest - a.rest)) {
    if (missing-- <= 0) break
    one.points++
  }
  return scaled.filter(one => one.points > 0).map(({ driver, points }) => ({ ...driver, contribution: points })).sort((a, b) => b.contribution - a.contribution)
}
