import t from 'tap'
import Type from 'typebox'
import { jsonSchema } from '../../../lib/core/json-schema.ts'
import { Bytes, Closed, Nullable } from '../../../lib/core/schema.ts'

t.test('an enum says its type', async t => {
  t.same(jsonSchema(Type.Enum(['a', 'b'])), { type: 'string', enum: ['a', 'b'] })
  t.same(jsonSchema(Type.Enum([1, 2])), { type: 'number', enum: [1, 2] })
  t.same(jsonSchema(Type.Enum(['a', 1])), { type: ['string', 'number'], enum: ['a', 1] })
})

t.test('bytes say that they are bytes, also when optional', async t => {
  const { properties, required } = jsonSchema(Closed({ data: Bytes, more: Type.Optional(Bytes) })) as { properties: Record<string, object>, required: string[] }
  t.match(properties.data, { type: 'string', format: 'binary' })
  t.same(properties.more, properties.data)
  t.same(required, ['data'])
})

t.test('another refinement stays what it is', async t => {
  t.same(jsonSchema(Type.Refine(Type.Integer(), value => value % 2 === 0, () => 'must be even')), { type: 'integer' })
})

t.test('goes down to every schema inside, and only to schemas', async t => {
  const Mood = Type.Enum(['glad', 'sad'])
  const typed = { type: 'string', enum: ['glad', 'sad'] }
  const made = jsonSchema(Type.Object({
    list: Type.Array(Mood),
    either: Nullable(Mood),
    record: Type.Record(Type.String(), Mood),
    enum: Type.Object({ items: Mood }),
    preset: Type.Object({}, { default: { enum: ['not a schema'] }, additionalProperties: false })
  }))
  t.match(made, {
    properties: {
      list: { type: 'array', items: typed },
      either: { anyOf: [typed, { type: 'null' }] },
      enum: { type: 'object', properties: { items: typed } },
      preset: { default: { enum: ['not a schema'] }, additionalProperties: false }
    }
  })
  t.match(JSON.stringify(made), '"patternProperties":{"^.*$":{"type":"string","enum":["glad","sad"]}}')
  t.notMatch(JSON.stringify(made), '["not a schema"],"type"', 'a default is data')
})

t.test('the document has a copy of its own', async t => {
  const schema = Type.Object({ at: Type.Integer({ examples: [1] }) })
  const made = jsonSchema(schema) as { properties: { at: { examples: number[] } }, required: string[] }
  made.properties.at.examples.push(2)
  made.required.pop()
  t.same(jsonSchema(schema), { type: 'object', required: ['at'], properties: { at: { type: 'integer', examples: [1] } } })
})
