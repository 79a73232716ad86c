import Type, { type Static, type TObject, type TSchema } from 'typebox'
import { Value } from 'typebox/value'

/** Options as data: name, default, meaning. The tables in the docs and the checks at boot come from them. */

export const count = (value: number, description: string) => Type.Integer({ minimum: 1, default: value, description })
export const ms = (value: number, description: string) => Type.Integer({ minimum: 0, default: value, description: `${description} (ms)` })
export const flag = (value: boolean, description: string) => Type.Boolean({ default: value, description })

/** An option that is not data: a function, a client. `is` looks at it, `kind` says what was expected. */
export const thing = <T>(description: string, is: (value: unknown) => boolean, kind: string) => Type.Optional(Type.Refine(
  Type.Unsafe<T>({ description }), value => value === undefined || is(value), () => `must be ${kind}`
))
export const isFunction = (value: unknown): boolean => typeof value === 'function'
export const isObject = (value: unknown): boolean => typeof value === 'object' && value !== null

/** The settings of an area, or `false` to leave the area out. */
export const area = <T extends TObject>(schema: T, description: string) => Type.Union([Type.Literal(false), schema], { description })

/** Thrown at boot. */
export class OptionsError extends Error {
  override readonly name = 'OptionsError'
  readonly code = 'CLASSWAVES_OPTIONS'
}

/**
 * Fills in the defaults and checks.
 * @throws OptionsError with a sentence that names the option
 */
export function parse<S extends TObject> (schema: S, given: unknown = {}): Static<S> {
  const problem = firstProblem(schema, given, '')
  if (problem) throw new OptionsError(`fastify-classwaves: ${problem}`)
  return withDefaults(schema, given) as Static<S>
}

/** Walks the schema rather than a list of validator errors: an option has one fault worth a sentence. */
function firstProblem (schema: TSchema, value: unknown, path: string): string | undefined {
  const object = asObject(schema)
  if (object === undefined || value === false) return Value.Check(schema, value) ? undefined : `option ${path} ${expectation(schema, value)}`
  if (value === undefined) return undefined
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return `${path ? `option ${path}` : 'the options'} must be an object`
  for (const [name, entry] of Object.entries(value)) {
    const at = path ? `${path}.${name}` : name
    const property = Object.hasOwn(object.properties, name) ? object.properties[name] as TSchema : undefined
    if (property === undefined) return `option ${at} is not known${suggestion(name, Object.keys(object.properties))}`
    if (entry === undefined) continue
    const problem = firstProblem(property, entry, at)
    if (problem) return problem
  }
  return undefined
}

function asObject (schema: TSchema): TObject | undefined {
  if ('properties' in schema) return schema as TObject
  const { anyOf } = schema as { anyOf?: TSchema[] }
  return anyOf?.find(branch => 'properties' in branch) as TObject | undefined
}

function expectation (schema: TSchema, value: unknown): string {
  const messages = Value.Errors(schema, value).map(error => error.message)
  return messages.length > 0 ? messages.at(-1) as string : 'is not valid'
}

function suggestion (name: string, known: readonly string[]): string {
  const near = known.find(one => one.toLowerCase() === name.toLowerCase()) ?? known.find(one => distance(one.toLowerCase(), name.toLowerCase()) <= 2)
  return near ? `; did you mean ${near}?` : ''
}

/** Levenshtein distance. */
function distance (a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, i) => i)
  for (let i = 1; i <= a.length; i++) {
    const next = [i]
    for (let j = 1; j <= b.length; j++) {
      next.push(Math.min((row[j] as number) + 1, (next[j - 1] as number) + 1, (row[j - 1] as number) + (a[i - 1] === b[j - 1] ? 0 : 1)))
    }
    row = next
  }
  return row[b.length] as number
}

/** Defaults are filled in beside what was given; clients and functions stay the very same objects. */
function withDefaults (schema: TSchema, value: unknown): unknown {
  const object = asObject(schema)
  if (object === undefined || value === false) return value ?? (schema as { default?: unknown }).default
  const given = (value ?? {}) as Record<string, unknown>
  return Object.fromEntries(Object.entries(object.properties)
    .map(([name, property]) => [name, withDefaults(property as TSchema, given[name])])
    .filter(([, entry]) => entry !== undefined))
}
