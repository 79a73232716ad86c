import Type, { type TSchema } from 'typebox'
import { Compile } from 'typebox/compile'
import type { Tier1Metrics } from './analyzer.ts'
import { Tier1Insights, Tier2Insights } from './schema.ts'

/** What an analyzer may answer, by tier. */
export const answerSchemas = { 1: Type.Omit(Tier1Insights, ['windowStart', 'windowEnd', 'summary']), 2: Tier2Insights } as const

export interface Answers { 1: Tier1Metrics, 2: Tier2Insights }
export type Tier = keyof Answers

const checks = { 1: Compile(answerSchemas[1] as TSchema), 2: Compile(answerSchemas[2] as TSchema) }

/** The answer when it fits its schema, without whatever the schema does not name: that must not travel. */
export function soundAnswer<T extends Tier> (tier: T, answer: unknown): Answers[T] | undefined {
  return checks[tier].Check(answer) ? named(answerSchemas[tier], answer) as Answers[T] : undefined
}

function named (schema: TSchema, value: unknown): unknown {
  if ('properties' in schema) {
    const properties = Object.entries(schema.properties as Record<string, TSchema>)
    return Object.fromEntries(properties.map(([name, one]) => [name, named(one, (value as Record<string, unknown>)[name])]))
  }
  return 'items' in schema ? (value as unknown[]).map(one => named(schema.items as TSchema, one)) : value
}
