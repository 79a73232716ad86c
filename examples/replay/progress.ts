import { showTime } from './clock.ts'
import type { Moment } from './record.ts'

/** What a replay shows while it runs: moments as they come and, on a terminal, how far it is. */
export interface Progress {
  begin (title: string): void
  step (atSeconds: number, durationSeconds: number): void
  moment (group: string, moment: Moment): void
  end (): void
}

/** Where text goes: a stream of the process, or of a test. */
export interface Screen { write (text: string): unknown, isTTY?: boolean }

/** Without a terminal one line for each of these parts of a class. */
const parts = 4
const barWidth = 20

export function createProgress (out: Screen): Progress {
  let at = 0
  let part = 0
  const clear = out.isTTY ? '\r\u001b[K' : ''
  const bar = (share: number): string => '█'.repeat(Math.round(share * barWidth)).padEnd(barWidth, '░')
  return {
    begin (title) {
      at = 0
      part = 0
      out.write(`${clear}${title}\n`)
    },
    step (atSeconds, durationSeconds) {
      at = atSeconds
      const share = durationSeconds > 0 ? atSeconds / durationSeconds : 1
      const text = `${showTime(atSeconds)} of ${showTime(durationSeconds)}`
      if (out.isTTY) out.write(`${clear}${bar(share)} ${text}`)
      else if (Math.floor(share * parts) > part) {
        part = Math.floor(share * parts)
        out.write(`${text}\n`)
      }
    },
    moment: (group, moment) => { out.write(`${clear}  ${showTime(Math.max(moment.at, 0) || at).padStart(5)} ${group}: ${moment.text}\n`) },
    end: () => { if (clear) out.write(clear) }
  }
}
