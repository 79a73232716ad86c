/** The names between braces in a pattern: `session:{sessionId}` has one, `sessionId`. */
export type Params<T extends string> = T extends `${string}{${infer P}}${infer Rest}` ? P | Params<Rest> : never

/** A typed room: call it with its parameters to get the name that Socket.IO uses. */
export interface Room<P extends string = string> {
  (params: Record<P, string>): string
  readonly pattern: string
  readonly params: readonly P[]
}

/** Fills `{name}` places of a pattern; an empty or missing value is a programming error. */
export function fill (pattern: string, params: Readonly<Record<string, string | undefined>>): string {
  return pattern.replace(/\{(\w+)\}/g, (_, name: string) => {
    const value = params[name]
    if (!value) throw new TypeError(`${pattern} needs ${name}`)
    return value
  })
}

/** The parameter names of a pattern, in order. */
export function paramsOf (pattern: string): string[] {
  return [...pattern.matchAll(/\{(\w+)\}/g)].map(match => match[1] as string)
}

/** Whether a name is one that a room's pattern makes. Parameters have no colon. */
export function isOf ({ pattern }: Room, name: string): boolean {
  const parts = name.split(':')
  const places = pattern.split(':')
  return parts.length === places.length && places.every((place, i) => place === parts[i] || (place.startsWith('{') && parts[i] !== ''))
}

/** Declares a room: `room('session:{sessionId}')`. */
export function room<const T extends string> (pattern: T): Room<Params<T>> {
  const name = (params: Record<string, string>): string => fill(pattern, params)
  return Object.assign(name, { pattern, params: paramsOf(pattern) }) as unknown as Room<Params<T>>
}
