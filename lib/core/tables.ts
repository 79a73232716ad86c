import type { TSchema } from 'typebox'
import type { Role } from './access.ts'
import type { Contract, Receives, Sends } from './contract.ts'
import { errorTable as errors } from './errors.ts'
import { jsonSchema, type JsonSchema } from './json-schema.ts'
import type { Key } from './key.ts'

/** The declarations as markdown tables, for the documents that people read. */

/** A table; a pipe inside a cell is escaped, a line break is not possible in one. */
export function table (head: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]): string => `| ${cells.map(cell => cell.replaceAll('|', '\\|')).join(' | ')} |`
  return [line(head), line(head.map(() => '---')), ...rows.map(line)].join('\n')
}

const code = (text: string): string => `\`${text}\``

/** What clients send and what servers send. `all` are the roles that the namespace admits. */
export function eventTable ({ admits, receives, sends, refuses }: Pick<Contract, 'admits' | 'receives' | 'sends' | 'refuses'>): string {
  const senders = (who: readonly Role[]): string => admits.every(role => who.includes(role)) ? 'all' : who.join(', ')
  const inward = [
    ...Object.entries<Receives>(receives).map(([event, { payload, who, ack, summary, deprecated }]) =>
      [code(event), code(shape(payload, 3)), senders(who), ack ? code(shape(ack, 1)) : '', deprecated ? `Deprecated. ${summary}` : summary]),
    ...Object.entries(refuses).map(([event, refusal]) => [code(event), 'any', 'all', '', `Always refused with ${code(refusal)}.`])
  ]
  const outward = Object.entries<Sends>(sends).map(([event, { payload, rooms, kept, summary }]) =>
    [code(event), code(shape(payload, 3)), rooms.map(room => code(room.pattern)).join(', ') || 'one socket alone', kept ? 'yes' : 'no', summary])
  return [
    inward.length > 0 ? table(['From clients', 'Payload', 'Who', 'Acknowledgement', 'Meaning'], inward) : 'Clients send nothing of its own here.',
    outward.length > 0 ? table(['From servers', 'Payload', 'Rooms, the home room first', 'Kept', 'Meaning'], outward) : 'Servers send nothing of its own here.'
  ].join('\n\n')
}

export function errorTable (): string {
  return table(['Code', 'HTTP', 'Meaning'], Object.entries(errors).map(([name, { status, message }]) => [code(name), String(status), message]))
}

export function keyTable (keys: readonly Key[]): string {
  return table(['Key', 'Lives', 'Of people', 'Purpose'], keys.map(({ pattern, ttl, holds, purpose }) => [code(pattern), ttl, holds === 'words' ? 'names, words' : holds ?? '', purpose]))
}

/** One row an option; a nested option is named with dots. */
export function optionTable (schema: TSchema): string {
  return table(['Option', 'Default', 'Meaning'], optionRows(jsonSchema(schema), ''))
}

function optionRows (schema: JsonSchema, path: string): string[][] {
  const inner = [schema, ...(schema.anyOf ?? []) as JsonSchema[]].find(one => one.properties !== undefined)
  const nested = Object.entries((inner?.properties ?? {}) as Record<string, JsonSchema>)
    .flatMap(([name, property]) => optionRows(property, path ? `${path}.${name}` : name))
  if (path === '' || (inner && schema.description === undefined)) return nested
  const preset = schema.default === undefined ? '' : code(JSON.stringify(schema.default))
  return [[code(path), preset, String(schema.description ?? '')], ...nested]
}

/** A schema in the words of a type, with objects opened `depth` levels deep. */
function shape (schema: TSchema, depth: number): string {
  return say(jsonSchema(schema), depth)
}

interface Parts {
  type?: string | string[]
  enum?: unknown[]
  const?: unknown
  anyOf?: JsonSchema[]
  items?: JsonSchema
  properties?: Record<string, JsonSchema>
  required?: string[]
  format?: string
}

function say (schema: JsonSchema, depth: number): string {
  const { type, enum: values, const: only, anyOf, items, properties, required = [], format } = schema as Parts
  if (only !== undefined) return quoted(only)
  if (values) return values.every(value => String(value) in errors) ? 'error code' : values.map(quoted).join('|')
  if (anyOf) return anyOf.map(one => say(one, depth)).join('|')
  if (items) return `${bracketed(say(items, depth))}[]`
  if (properties) {
    if (depth === 0) return 'object'
    const fields = Object.entries(properties).map(([name, one]) => `${name}${required.includes(name) ? '' : '?'}: ${say(one, depth - 1)}`)
    return fields.length > 0 ? `{ ${fields.join(', ')} }` : '{}'
  }
  if (format === 'binary') return 'binary'
  if (format === 'date-time') return 'time'
  return type === undefined ? 'any' : [type].flat().join('|')
}

const quoted = (value: unknown): string => typeof value === 'string' ? `'${value}'` : JSON.stringify(value)
const bracketed = (words: string): string => words.includes('|') && !words.startsWith('{') ? `(${words})` : words
