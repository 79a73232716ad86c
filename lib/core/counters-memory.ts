import { countedName, type Counters, type Verdict } from './counters.ts'

export interface MemoryCountersOptions {
  /** Milliseconds of a clock that is never set back. */
  now?: () => number
  /** How many names are remembered for each length of window; past it the oldest windows are forgotten. */
  maxNames?: number
}

interface Window { count: number, endsAt: number }

/** Counters of this process alone. */
export function createMemoryCounters ({ now = () => performance.now(), maxNames = 10_000 }: MemoryCountersOptions = {}): Counters {
  // One map for each length: its windows end in the order in which they were opened, so the oldest stand in front.
  const lengths = new Map<number, Map<string, Window>>()

  function windowsOf (windowMs: number, at: number): Map<string, Window> {
    let windows = lengths.get(windowMs)
    if (!windows) lengths.set(windowMs, windows = new Map())
    for (const [name, { endsAt }] of windows) {
      if (endsAt > at) break
      windows.delete(name)
    }
    return windows
  }

  function open (windows: Map<string, Window>, name: string, endsAt: number): void {
    for (const oldest of windows.keys()) {
      if (windows.size < maxNames) break
      windows.delete(oldest)
    }
    windows.set(name, { count: 1, endsAt })
  }

  function decide (given: string, limit: number, windowMs: number, counts: boolean): Verdict {
    const name = countedName(given, limit, windowMs)
    const at = now()
    const windows = windowsOf(windowMs, at)
    const window = windows.get(name)
    if ((window?.count ?? 0) >= limit) return { allowed: false, retryAfterMs: window ? Math.ceil(window.endsAt - at) : windowMs }
    if (counts && window) window.count++
    else if (counts) open(windows, name, at + windowMs)
    return { allowed: true, retryAfterMs: 0 }
  }

  return {
    take: async (name, limit, windowMs) => decide(name, limit, windowMs, true),
    peek: async (name, limit, windowMs) => decide(name, limit, windowMs, false)
  }
}
