import { soundAnswer, type Answers, type Tier } from '../answer.ts'
import { shorten } from '../embedded/evidence.ts'
import type { Tier2Insights } from '../schema.ts'
import { RemoteFailure } from './failure.ts'
import { withoutContacts } from './redact.ts'

/** A teacher reads them in passing, and who talks to a pupil's group talks to the model too. */
const bounds = { recommendations: 3, messageChars: 240 } as const

/**
 * The answer in a chat completion, checked.
 * @throws RemoteFailure
 */
export function read<T extends Tier> (tier: T, completion: unknown, restore: (text: string) => string): Answers[T] {
  const answer = soundAnswer(tier, parse(contentOf(completion)))
  if (answer === undefined) throw new RemoteFailure('ANALYZER_SHAPE')
  if (!('recommendations' in answer)) return answer
  return { ...answer, recommendations: recommendationsOf(answer, restore) }
}

function recommendationsOf ({ recommendations }: Tier2Insights, restore: (text: string) => string): Tier2Insights['recommendations'] {
  return recommendations.slice(0, bounds.recommendations)
    .map(one => ({ ...one, message: shorten(restore(withoutContacts(one.message)), bounds.messageChars, 4 * bounds.messageChars) }))
    .filter(one => one.message !== '')
}

function contentOf (completion: unknown): string {
  const { choices } = (completion ?? {}) as { choices?: unknown }
  const first: unknown = Array.isArray(choices) ? choices[0] : undefined
  const { content } = ((first ?? {}) as { message?: { content?: unknown } | null }).message ?? {}
  if (typeof content !== 'string') throw new RemoteFailure('ANALYZER_SHAPE')
  return content
}

/** In JSON mode many models wrap their answer in a code block. */
function parse (content: string): unknown {
  try {
    return JSON.parse(content.trim().replace(/^```(?:json)?\s*([\s\S]*?)\s*```$/, '$1'))
  } catch {
    // The parser's own error quotes the answer.
    throw new RemoteFailure('ANALYZER_JSON')
  }
}
