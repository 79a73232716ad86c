/** What a busy machine does to a long test: Redis is late once, and whoever asked it then has no answer. */

/** True for what says that Redis gave no answer in time, or whose cause says so. */
export function tellsOfLate (error: unknown): boolean {
  if (!(error instanceof Error)) return false
  return /gave no answer in|did not answer within/.test(error.message) || tellsOfLate(error.cause)
}

/** Plays it again from its beginning when Redis was late in it. What is wrong is wrong each time. */
export async function unlessLate<T> (play: () => Promise<T>, tries = 5): Promise<T> {
  try {
    return await play()
  } catch (error) {
    if (tries > 1 && tellsOfLate(error)) return await unlessLate(play, tries - 1)
    throw error
  }
}
