/** Something counted that fades by half each half-life: `weight` is its value as of `at`. */
export interface Decaying { weight: number, at: number }

/** What is left of a weight after `elapsedMs`; time that runs backwards changes nothing. */
export function decayed (weight: number, elapsedMs: number, halfLifeMs: number): number {
  return weight * 0.5 ** (Math.max(0, elapsedMs) / halfLifeMs)
}

/**
 * Adds an observation. A late one counts as if it had come in time and has decayed since, so the order of arrival
 * does not matter and stored time never goes back.
 */
export function observe (known: Decaying, amount: number, at: number, halfLifeMs: number): Decaying {
  const latest = Math.max(known.at, at)
  return {
    weight: decayed(known.weight, latest - known.at, halfLifeMs) + decayed(amount, latest - at, halfLifeMs),
    at: latest
  }
}

/** Five fresh acknowledgements silence the attention score for a while. */
const acknowledgementsForSilence = 5

/** How much of an attention score still counts: 1 without acknowledgements, 0 with plenty. */
export function pressure (ackCount: number): number {
  return Math.min(1, Math.max(0, 1 - ackCount / acknowledgementsForSilence))
}
