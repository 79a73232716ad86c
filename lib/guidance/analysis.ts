import type { TSchema } from 'typebox'
import { Compile } from 'typebox/compile'
import Type from 'typebox'
import type { FastifyBaseLogger } from 'fastify'
import { within } from '../core/deadline.ts'
import type { Analyzer, GroupContext, Tier1Metrics, Window } from './analyzer.ts'
import { summary, tier1, tier2, type Features } from './embedded/index.ts'
import { Tier1Insights, Tier2Insights } from './schema.ts'

const Metrics = Type.Omit(Tier1Insights, ['windowStart', 'windowEnd', 'summary'])
const isMetrics = Compile(Metrics as TSchema)
const isTier2 = Compile(Tier2Insights as TSchema)

/** How long a host's analyzer may think (ms); the embedded result takes its place after that. */
export const analyzerMs = { 1: 5_000, 2: 10_000 } as const

/** What a window means: by the host's analyzer when there is one and its answer is sound, else by the embedded one. */
export class Analysis {
  readonly #host: Analyzer
  readonly #log: FastifyBaseLogger
  readonly #onFailure: (tier: 1 | 2) => void

  constructor (host: Analyzer | undefined, log: FastifyBaseLogger, onFailure: (tier: 1 | 2) => void) {
    this.#host = host ?? {}
    this.#log = log
    this.#onFailure = onFailure
  }

  /** Does a window leave the process? Then nobody waits for it. */
  get remote (): boolean { return this.#host.tier1 !== undefined || this.#host.tier2 !== undefined }

  async tier1 (window: Window, context: GroupContext): Promise<Tier1Insights> {
    const metrics = await this.#ask(1, async () => await this.#host.tier1?.(window, context), isMetrics.Check.bind(isMetrics), () => tier1(window, context))
    return {
      ...metrics as Tier1Metrics,
      windowStart: new Date(window.start).toISOString(),
      windowEnd: new Date(window.end).toISOString(),
      summary: summary(metrics as Tier1Metrics)
    }
  }

  async tier2 (window: Window, features: Features, context: GroupContext): Promise<Tier2Insights> {
    return await this.#ask(2, async () => await this.#host.tier2?.(window, context), isTier2.Check.bind(isTier2), () => tier2(features, window.end, context)) as Tier2Insights
  }

  async #ask (tier: 1 | 2, ask: () => Promise<unknown>, fits: (answer: unknown) => boolean, embedded: () => unknown): Promise<unknown> {
    if (!this.#host[`tier${tier}`]) return embedded()
    try {
      const answer = await within(analyzerMs[tier], ask(), () => { throw new Error(`no answer in ${analyzerMs[tier]} ms`) })
      if (fits(answer)) return answer
      throw new Error('the answer does not fit the schema')
    } catch (error) {
      this.#onFailure(tier)
      this.#log.warn({ reason: error instanceof Error ? error.message : 'unknown', tier }, 'the embedded analyzer took over a window')
      return embedded()
    }
  }
}
