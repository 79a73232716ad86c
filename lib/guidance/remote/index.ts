import Type, { type Static } from 'typebox'
import { count, isObject, OptionsError, parse } from '../../core/options.ts'
import { Closed } from '../../core/schema.ts'
import type { Answers, Tier } from '../answer.ts'
import type { Analyzer, AnalyzerCall, GroupContext, Window } from '../analyzer.ts'
import { read } from './answer.ts'
import { Breaker } from './breaker.ts'
import { RemoteFailure } from './failure.ts'
import { question, responseFormat } from './question.ts'
import { post, type Endpoint } from './request.ts'
import { Slots } from './slots.ts'

/** Every option of `openaiAnalyzer`. */
export const OpenaiOptions = Closed({
  baseUrl: Type.Refine(Type.String({ description: 'what stands before /chat/completions' }), isBase, () => 'must be an http or https address without a user, a query or a fragment'),
  // Neither the key nor a part of it may be in a sentence about it.
  apiKey: Type.Optional(Type.Refine(Type.String({ description: 'sent as a bearer token' }), isKey, () => 'must be a text without blanks and line breaks')),
  model: Type.String({ minLength: 1, description: 'as the endpoint calls it' }),
  tiers: Type.Array(Type.Enum([1, 2]), { minItems: 1, default: [1, 2], description: 'which windows are sent' }),
  format: Type.Enum(['schema', 'json'], { default: 'schema', description: 'asks for the answer by JSON schema, or by JSON mode alone' }),
  request: Type.Refine(Type.Unsafe<Record<string, unknown>>({ default: { temperature: 0 }, description: 'further fields of each request' }), isObject, () => 'must be an object'),
  timeoutMs: count(8_000, 'longest exchange (ms); the engine waits 5 s for tier1 and 10 s for tier2 in any case'),
  concurrency: count(4, 'exchanges at once'),
  queue: count(32, 'windows that wait; more are left to the embedded analyzer'),
  maxTalkChars: count(12_000, 'talk of one window that is sent, the newest'),
  maxAnswerBytes: count(65_536, 'longest answer'),
  failures: count(5, 'failures in a row after which the endpoint is left alone'),
  openMs: count(30_000, 'for how long (ms); then one window probes it')
})
type Settings = Static<typeof OpenaiOptions>

export type OpenaiAnalyzerOptions = Partial<Settings> & Pick<Settings, 'baseUrl' | 'model'>

/**
 * An analyzer behind any endpoint that speaks OpenAI's chat completions: `{ guidance: { analyzer: openaiAnalyzer({ ... }) } }`.
 * What is sent has names and contacts taken out, as docs/guidance.md says. An answer that is late, wrong or missing
 * rejects, and the engine goes on with the embedded analyzer.
 * @throws OptionsError with a sentence that names the option
 */
export function openaiAnalyzer (given: OpenaiAnalyzerOptions): Analyzer {
  const settings = parse(OpenaiOptions, given)
  for (const name of ['baseUrl', 'model'] as const) {
    if (settings[name] === undefined) throw new OptionsError(`fastify-classwaves: option ${name} is missing`)
  }
  const endpoint = endpointOf(settings)
  const breaker = new Breaker(settings)
  const slots = new Slots(settings)

  async function ask<T extends Tier> (tier: T, window: Window, context: GroupContext, { signal }: AnalyzerCall): Promise<Answers[T]> {
    breaker.check()
    const free = await slots.take(signal)
    try {
      const { messages, restore } = question(tier, window, context, settings.maxTalkChars)
      const body = { ...settings.request, model: settings.model, messages, response_format: responseFormat(tier, settings.format), stream: false }
      const attempt = breaker.enter()
      try {
        const answer = read(tier, await post(endpoint, body, signal), restore)
        attempt.succeeded()
        return answer
      } catch (error) {
        attempt.failed(error instanceof RemoteFailure ? error.retryAfterMs : undefined)
        throw error
      }
    } finally {
      free()
    }
  }

  return {
    ...(settings.tiers.includes(1) && { tier1: async (window, context, call) => await ask(1, window, context, call) }),
    ...(settings.tiers.includes(2) && { tier2: async (window, context, call) => await ask(2, window, context, call) })
  }
}

function endpointOf ({ baseUrl, apiKey, maxAnswerBytes, timeoutMs }: Settings): Endpoint {
  return {
    url: new URL(`${baseUrl.replace(/\/+$/, '')}/chat/completions`),
    headers: apiKey === undefined ? {} : { authorization: `Bearer ${apiKey}` },
    maxAnswerBytes,
    timeoutMs
  }
}

function isBase (text: string): boolean {
  if (!URL.canParse(text)) return false
  const { protocol, username, password, search, hash } = new URL(text)
  return (protocol === 'https:' || protocol === 'http:') && `${username}${password}${search}${hash}` === ''
}

function isKey (text: string): boolean {
  return /^[\x21-\x7e]{1,4096}$/.test(text)
}
