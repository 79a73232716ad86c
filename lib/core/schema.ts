import Type from 'typebox'

/** Payload pieces that several areas share. Every object that comes in is closed: unknown fields are refused. */

/** An identifier: 1 to 64 characters that are safe in a room name, a Redis key and a URL. */
export const Id = Type.String({ minLength: 1, maxLength: 64, pattern: '^[A-Za-z0-9_.@-]+$', description: '1 to 64 of A-Z a-z 0-9 _ . @ -' })

/** ISO 8601, UTC. */
export const Timestamp = Type.String({ format: 'date-time', maxLength: 40, description: 'ISO 8601 in UTC' })

/** A score between 0 and 1. */
export const Unit = Type.Number({ minimum: 0, maximum: 1 })

/** Binary data: a Buffer on Node, an ArrayBuffer view in a browser. */
export const Bytes = Type.Refine(
  Type.Unsafe<Uint8Array>({ description: 'binary' }),
  (value) => value instanceof Uint8Array,
  () => 'must be binary'
)

/** A closed object: what is not declared is refused. */
export function Closed<P extends Type.TProperties> (properties: P, options: Type.TObjectOptions = {}) {
  return Type.Object(properties, { ...options, additionalProperties: false })
}

/** A value or null. */
export function Nullable<T extends Type.TSchema> (schema: T) {
  return Type.Union([schema, Type.Null()])
}
