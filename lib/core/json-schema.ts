import type { TSchema } from 'typebox'
import { Bytes } from './schema.ts'

/** A schema as a document carries it: plain JSON. */
export type JsonSchema = Record<string, unknown>

/** What a document says of itself. */
export interface DocumentInfo {
  title: string
  version: string
  description?: string
}

const schemaMaps = new Set(['properties', 'patternProperties', '$defs'])
const schemas = new Set(['items', 'additionalProperties', 'anyOf', 'oneOf', 'allOf', 'not'])

/**
 * A TypeBox schema as the JSON Schema of a document. It says what TypeBox leaves to its own validator: the
 * type of an enum, and that a refinement stands for bytes.
 */
export function jsonSchema (schema: TSchema): JsonSchema {
  if (isBytes(schema)) {
    return { type: 'string', format: 'binary', description: 'A Buffer on Node, an ArrayBuffer view in a browser; it travels as a binary attachment.' }
  }
  const out: JsonSchema = {}
  for (const [name, value] of Object.entries(schema)) {
    if (name === 'enum' && !('type' in schema)) out.type = typeOf(value)
    if (schemaMaps.has(name)) out[name] = Object.fromEntries(Object.entries(value as Record<string, TSchema>).map(([key, one]) => [key, jsonSchema(one)]))
    else if (schemas.has(name)) out[name] = nested(value)
    else out[name] = structuredClone(value)
  }
  return out
}

/** `additionalProperties` may be a boolean, and `anyOf` and its like are lists. */
function nested (value: unknown): unknown {
  if (Array.isArray(value)) return value.map(nested)
  return typeof value === 'object' && value !== null ? jsonSchema(value) : value
}

/** By its refinement and not by identity, because TypeBox copies a schema that it makes optional. */
function isBytes (schema: TSchema): boolean {
  return '~refine' in schema && schema['~refine'] === Bytes['~refine']
}

function typeOf (values: readonly unknown[]): string | string[] {
  const types = [...new Set(values.map(value => value === null ? 'null' : typeof value))]
  return types.length === 1 ? types[0] as string : types
}
