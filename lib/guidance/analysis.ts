import type { FastifyBaseLogger } from 'fastify'
import { within } from '../core/deadline.ts'
import type { Analyzer, GroupContext, Window } from './analyzer.ts'
import { soundAnswer, type Answers, type Tier } from './answer.ts'
import { summary, tier1 } from './embedded/index.ts'
import type { Tier1Insights, Tier2Insights } from './schema.ts'

/** How long a host's analyzer may think (ms); the embedded result takes its place after that. */
export const analyzerMs: Readonly<Record<Tier, number>> = { 1: 5_000, 2: 10_000 }

/** What a window means: by the host's analyzer when there is one and its answer is sound, else by the embedded one. */
export class Analysis {
  readonly #host: Analyzer
  readonly #log: FastifyBaseLogger
  readonly #onFailure: (tier: Tier) => void
  readonly #limitMs: Readonly<Record<Tier, number>>
  readonly #calls = new Set<AbortController>()
  /** Why the tier failed last, until it answers again: an outage is told once, and not once a window. */
  readonly #trouble = new Map<Tier, string>()
  #closed = false

  constructor (host: Analyzer | undefined, log: FastifyBaseLogger, onFailure: (tier: Tier) => void, limitMs = analyzerMs) {
    this.#host = host ?? {}
    this.#log = log
    this.#onFailure = onFailure
    this.#limitMs = limitMs
  }

  /** Does a window leave the process? Then nobody waits for it. */
  get remote (): boolean { return this.#host.tier1 !== undefined || this.readsTier2 }

  /** The embedded tier2 works on counters; only a host's reads what was said. */
  get readsTier2 (): boolean { return this.#host.tier2 !== undefined }

  /** @param paceScore how far the pace of the window is from the group's usual one, in standard deviations */
  async tier1 (window: Window, context: GroupContext, paceScore = 0): Promise<Tier1Insights> {
    const metrics = await this.#ask(1, window, async signal => await this.#host.tier1?.(window, context, { signal }), () => tier1(window, context))
    return {
      ...metrics,
      windowStart: new Date(window.start).toISOString(),
      windowEnd: new Date(window.end).toISOString(),
      summary: summary(metrics, paceScore)
    }
  }

  /** @param reading the embedded result, from when the window closed */
  async tier2 (window: Window, reading: Tier2Insights, context: GroupContext): Promise<Tier2Insights> {
    return await this.#ask(2, window, async signal => await this.#host.tier2?.(window, context, { signal }), () => reading)
  }

  /** Nobody waits for a host's analyzer any more; the windows that it had are finished by the embedded one. */
  close (): void {
    this.#closed = true
    for (const call of this.#calls) call.abort(new AnalyzerFailure('ANALYZER_CLOSED'))
  }

  async #ask<T extends Tier> (tier: T, { utterances }: Window, ask: (signal: AbortSignal) => Promise<unknown>, embedded: () => Answers[T]): Promise<Answers[T]> {
    if (!this.#host[`tier${tier}`] || utterances.length === 0 || this.#closed) return embedded()
    const call = new AbortController()
    this.#calls.add(call)
    try {
      const asked = Promise.race([ask(call.signal), aborted(call.signal)])
      const answer = soundAnswer(tier, await within(this.#limitMs[tier], asked, () => { throw new AnalyzerFailure('ANALYZER_LATE') }))
      if (answer === undefined) throw new AnalyzerFailure('ANALYZER_SHAPE')
      if (this.#trouble.delete(tier)) this.#log.info({ tier }, 'the host\'s analyzer answers again')
      return answer
    } catch (error) {
      call.abort(error)
      this.#failed(tier, codeOf(error))
      return embedded()
    } finally {
      this.#calls.delete(call)
    }
  }

  #failed (tier: Tier, code: string): void {
    this.#onFailure(tier)
    if (this.#trouble.get(tier) === code) return
    this.#trouble.set(tier, code)
    this.#log.warn({ tier, code }, 'the host\'s analyzer failed; the embedded one takes over its windows')
  }
}

class AnalyzerFailure extends Error {
  override readonly name = 'AnalyzerFailure'
  readonly code: string

  constructor (code: string) {
    super(code)
    this.code = code
  }
}

function aborted (signal: AbortSignal): Promise<never> {
  return new Promise((_resolve, reject) => { signal.addEventListener('abort', () => { reject(signal.reason) }, { once: true }) })
}

/** A message may quote what was said (a parser's does), so only an error's code or name is logged. */
function codeOf (error: unknown): string {
  if (!(error instanceof Error)) return 'unknown'
  const { code } = error as { code?: unknown }
  return typeof code === 'string' && /^[A-Z][A-Z0-9_]{1,48}$/.test(code) ? code : error.name
}
