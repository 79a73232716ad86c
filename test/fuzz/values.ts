import type { Random } from './random.ts'

/** What stands where something else should, and what is done to a payload that was well-formed. */

/** Names that mean something to JavaScript, to Socket.IO or to us. */
export const names = [
  '__proto__', 'constructor', 'prototype', 'toString', 'valueOf', 'hasOwnProperty', 'length', 'then', 'toJSON', '_placeholder', 'num', 'error', 'disconnect', 'disconnecting',
  'connect', 'connect_error', 'newListener', 'removeListener', 'sessionId', 'groupId', 'userId', 'role', 'since', 'data', '', ' ', '\0', '0', '-1', '*', 'x'.repeat(300)
]

const raw = (text: string): Raw => new Raw(text)

/** Text that goes into JSON as it stands. */
export class Raw {
  readonly text: string
  constructor (text: string) { this.text = text }
}

export const deep = (levels: number, open = '['): Raw => raw(open === '[' ? '['.repeat(levels) + ']'.repeat(levels) : `${'{"a":'.repeat(levels)}1${'}'.repeat(levels)}`)

/** What ends the connection that says it; it comes seldom, for nothing behind it is read. */
function fatal (random: Random): unknown {
  switch (random.below(3)) {
    case 0: return deep(random.pick([33, 100, 6_000, 100_000]), random.pick(['[', '{']))
    case 1: return raw(`[${'0,'.repeat(10_010)}0]`)
    default: return { _placeholder: true, num: random.pick<unknown>([0, 1, -1, 1e9, '0', null, '__proto__']) }
  }
}

function strange (random: Random): unknown {
  if (random.maybe(0.003)) return fatal(random)
  switch (random.below(13)) {
    case 0: return null
    case 1: return random.pick([0, -1, 1.5, 2 ** 53, -(2 ** 31), 1e21])
    case 2: return raw(random.pick(['1e400', '-0', '1e-400', '99999999999999999999999999', '0.1e1']))
    case 3: return random.pick([true, false])
    case 4: return random.pick(names)
    case 5: return random.pick(['session:x', 'a:b', '{x}', '*', '?', '../..', 'x\ny', '\u202e', '\ud800', '{{7*7}}', '<b>x</b>', "' or 1=1 --", '=cmd()', '\u001b[31m'])
    case 6: return 'x'.repeat(random.pick([64, 65, 1_000, 20_000]))
    case 7: return []
    case 8: return {}
    case 9: return deep(random.pick([1, 8, 20, 28]), random.pick(['[', '{']))
    case 10: return raw(`[${'0,'.repeat(random.pick([10, 10, 10, 600, 600, 9_900]))}0]`)
    case 11: return raw(`{${Array.from({ length: random.pick([3, 200, 2_000]) }, (_, i) => `"k${i}":${i}`).join()}}`)
    default: return raw(`{"${random.pick(names.slice(0, 12))}":${random.pick(['{}', '[]', 'null', '{"role":"admin"}'])}}`)
  }
}

/** JSON of a value in which some parts are not what they should be. */
export function written (value: unknown, random: Random, mutations: number): string {
  let changed = value
  for (let i = 0; i < mutations; i++) changed = mutated(changed, random)
  return text(changed)
}

function mutated (value: unknown, random: Random): unknown {
  if (typeof value !== 'object' || value === null || value instanceof Raw || Array.isArray(value) || random.maybe(0.1)) return random.maybe(0.8) ? strange(random) : [value]
  const fields = Object.entries(value)
  const at = random.below(fields.length + 1)
  const [name, old] = fields[at] ?? [random.pick(names), undefined]
  switch (random.below(4)) {
    case 0: return Object.fromEntries(fields.filter((_, i) => i !== at)) // one less
    case 1: return new Fields([...fields, [random.pick(names), strange(random)]]) // one more
    default: return new Fields([...fields.filter((_, i) => i !== at), [name, random.maybe(0.3) ? mutated(old, random) : strange(random)]])
  }
}

/** An object that may have a field twice, or one that a literal could not have. */
class Fields {
  readonly entries: readonly [string, unknown][]
  constructor (entries: readonly [string, unknown][]) { this.entries = entries }
}

function text (value: unknown): string {
  if (value instanceof Raw) return value.text
  if (value instanceof Fields) return `{${value.entries.map(([name, one]) => `${JSON.stringify(name)}:${text(one)}`).join()}}`
  if (Array.isArray(value)) return `[${value.map(text).join()}]`
  if (value instanceof Uint8Array) return '{"_placeholder":true,"num":0}'
  if (typeof value === 'object' && value !== null) return `{${Object.entries(value).filter(([, one]) => one !== undefined).map(([name, one]) => `${JSON.stringify(name)}:${text(one)}`).join()}}`
  return JSON.stringify(value) ?? 'null'
}
