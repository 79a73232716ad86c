import { parseArgs } from 'node:util'
import { OptionsError } from '../lib/core/options.ts'

/** Bad input; its message is a sentence that says what to change. */
export class Mistake extends Error {}

/**
 * The arguments by name; every command also takes --json.
 * @throws Mistake for one that is not known
 */
export function read<const N extends string> (args: string[], names: readonly N[]): { [K in N]?: string } & { json?: boolean } {
  const texts = Object.fromEntries(names.map(name => [name, { type: 'string' as const }]))
  try {
    return parseArgs({ args, options: { ...texts, json: { type: 'boolean' } }, strict: true, allowPositionals: false }).values as ReturnType<typeof read<N>>
  } catch (error) {
    throw new Mistake((error as Error).message.split('. ')[0])
  }
}

/** What options say when they make no sense, without the package's name before it. */
export function mistaken<T> (parse: () => T): T {
  try {
    return parse()
  } catch (error) {
    if (error instanceof OptionsError) throw new Mistake(error.message.replace(/^fastify-classwaves: /, ''))
    throw error
  }
}

/** A whole number within bounds. */
export function whole (name: string, text: string, min: number, max: number): number {
  const value = Number(text)
  if (!/^\d+$/.test(text) || value < min || value > max) throw new Mistake(`--${name} must be a whole number from ${min} to ${max}, not ${JSON.stringify(text)}.`)
  return value
}
