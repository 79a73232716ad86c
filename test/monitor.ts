import { once } from 'node:events'
import { connect } from 'node:net'
import type { Redis } from 'ioredis'
import type { Key } from '../lib/core/key.ts'
import type { Owner } from './redis.ts'

/** What Redis is told, byte by byte, and whether its keys are those that the project declares. */

/** A command as Redis ran it: a client's, or one of a script (`lua`), which says what went into which key. */
export interface Command { name: string, words: Buffer[], isOfScript: boolean }

/** Hears all commands from now on, by Redis' own `MONITOR`. */
export async function monitor (t: Owner, port: number, password: string): Promise<Command[]> {
  const commands: Command[] = []
  t.teardown((await listen(port, line => {
    const command = commandOf(line)
    if (command) commands.push(command)
  }, password)).stop)
  return commands
}

export interface Listening { stop (): void, /** Once all that Redis was told so far has been heard. */ caughtUp (): Promise<void> }

/** Hears each line that `MONITOR` says. */
export async function listen (port: number, hear: (line: string) => void, password?: string): Promise<Listening> {
  const socket = connect(port, '127.0.0.1')
  let rest = ''
  let pong: (() => void) | undefined
  socket.setEncoding('latin1').on('data', (text: string) => {
    const lines = (rest + text).split('\r\n')
    rest = lines.pop() ?? ''
    for (const line of lines) line === '+PONG' ? pong?.() : hear(line)
  }).on('error', () => {}) // the server is ended by the test
  await once(socket, 'connect')
  socket.write(`${password ? `AUTH ${password}\r\n` : ''}MONITOR\r\n`)
  await once(socket, 'data')
  return {
    stop: () => { socket.destroy() },
    async caughtUp () {
      if (socket.destroyed) return
      await new Promise<void>(resolve => {
        pong = resolve
        socket.once('close', resolve).setTimeout(2_000, resolve).write('PING\r\n')
      })
    }
  }
}

const escapes: Record<string, string> = { n: '\n', r: '\r', t: '\t', a: '\x07', b: '\b' }

export function commandOf (line: string): Command | undefined {
  const [, isOfScript, said] = /^\+\d+\.\d+ \[\d+ ([^\]]+)\] (.*)$/.exec(line) ?? []
  if (said === undefined) return undefined
  const words = [...said.matchAll(/"((?:[^"\\]|\\.)*)"/g)].map(([, word = '']) =>
    Buffer.from(word.replace(/\\(?:x([0-9a-f]{2})|(.))/g, (_, hex: string | undefined, char: string) => hex ? String.fromCharCode(parseInt(hex, 16)) : escapes[char] ?? char), 'latin1'))
  return { name: String(words[0]).toLowerCase(), words, isOfScript: isOfScript === 'lua' }
}

export type Declared = (name: string) => Key | undefined

const cache: { declared?: Promise<Declared> } = {}

/** Finds the declaration of a key by its name. */
export async function declarations (): Promise<Declared> { return await (cache.declared ??= find()) }

/** What looks for them is loaded only where it is asked. */
async function find (): Promise<Declared> {
  const { declaredKeys } = await import('../docs/generate.ts')
  const all = (await declaredKeys()).map(key => ({
    key, pattern: new RegExp(`^${key.pattern.split(/\{\w+\}/).map(part => part.replace(/[^\w:]/g, '\\$&')).join('.+')}$`, 's')
  }))
  return name => all.find(({ pattern }) => pattern.test(name))?.key
}

/** Says that a database is taken for a test, and by which process. */
export const claimKey = 'classwaves-test-claim'

/** Every key that nobody declared, or that stays for ever; to be asked at any time. */
export async function census (redis: Redis, declared: Declared): Promise<{ keys: string[], faults: string[] }> {
  const keys: string[] = []
  for await (const some of redis.scanStream({ count: 1000 })) keys.push(...(some as string[]).filter(key => key !== claimKey))
  const lives = await Promise.all(keys.map(async key => await redis.pttl(key)))
  const faults = keys.flatMap((key, i) => !declared(key) ? [`${key} is not declared`] : lives[i] === -1 ? [`${key} has no end`] : [])
  return { keys, faults }
}
