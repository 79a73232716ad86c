import { setTimeout as pause } from 'node:timers/promises'

/** How often, and how many times, something is tried again (ms): two minutes. */
const pauseMs = 500
const attempts = 240

/**
 * What is stored is to be told, whatever stands in the way at the moment: tries until it works, or for two minutes.
 * Keeps no process alive. Only for news with an id, which come once however often they are told.
 */
export async function again (tell: () => Promise<void>, onGivenUp: (error: unknown) => void): Promise<void> {
  for (let attempt = 1; ; attempt++) {
    await pause(pauseMs, undefined, { ref: false })
    try {
      return await tell()
    } catch (error) {
      if (attempt === attempts) return onGivenUp(error)
    }
  }
}
