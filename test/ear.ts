import { said, tokens } from './leaks.ts'
import { commandOf, declarations, listen, type Listening } from './monitor.ts'

/** What a Redis of the tests is told: no tokens, and words only under keys that are declared to hold them. */

/** Bytes as `MONITOR` writes them. */
function asHeard (text: string): string {
  return Buffer.from(text).toString('latin1').replace(/["\\]/g, '\\$&').replace(/[^ -~]/g, char => `\\x${char.charCodeAt(0).toString(16).padStart(2, '0')}`)
}

/** What Redis was told and must not have been: tokens anywhere, words under keys that are not declared to hold them. */
export class Ear {
  readonly #lines = new Set<string>()
  readonly #tokens = new Set<string>()
  #listening: Listening | undefined

  /** Again after a restart. */
  async on (port: number): Promise<void> {
    this.#listening = await listen(port, line => this.#hear(line))
  }

  /** @throws for what was heard */
  async off (): Promise<void> {
    await this.#listening?.caughtUp()
    this.#listening?.stop()
    if (this.#tokens.size > 0) throw new Error(`Redis was told ${[...this.#tokens].join(', ')}`)
    if (this.#lines.size === 0) return
    const declared = await declarations()
    for (const line of this.#lines) {
      const { name, words } = commandOf(line) as { name: string, words: Buffer[] }
      const key = String(words[1])
      if (declared(key)?.holds !== 'words') throw new Error(`Redis was told in ${name} ${key} what was said`)
    }
  }

  #hear (line: string): void {
    for (const found of line.match(tokens) ?? []) this.#tokens.add(found)
    // A script gets all of its arguments at once, and what it does with them are commands of their own; channels carry events to whom they are for.
    if (said.size === 0 || /^\+[\d.]+ \[[^\]]+\] "(?:publish|eval|evalsha)"/i.test(line)) return
    for (const one of said) if (needlesOf(one).some(needle => line.includes(needle))) this.#lines.add(line)
  }
}

const known = new Map<string, string[]>()

function needlesOf (text: string): string[] {
  const needles = known.get(text) ?? [...new Set([text, JSON.stringify(text).slice(1, -1)].map(asHeard))]
  known.set(text, needles)
  return needles
}
