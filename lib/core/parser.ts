import { EventEmitter } from 'node:events'
import * as stock from 'socket.io-parser'
import { ClasswavesError } from './errors.ts'

/** What stands in place of a payload that was not parsed, so that its sender gets an answer all the same. */
export class Refused {
  readonly error: ClasswavesError
  constructor (error: ClasswavesError) { this.error = error }
}

export interface PacketLimits { depth: number, packetBytes: number }

/** What Socket.IO takes as its `parser`. */
export interface Parser {
  Encoder: typeof stock.Encoder
  Decoder: new () => EventEmitter & { add (chunk: unknown): void, destroy (): void }
}

/**
 * The stock parser behind a guard. A packet that is nested too deep or too large is not parsed: its name and
 * acknowledgement id are read from its head, and it goes the usual way with a `Refused` in place of its payload.
 * (Deep JSON is parsed without trouble, but whoever walks or writes it recursively afterwards ends the process.)
 */
export function guardedParser ({ depth, packetBytes }: PacketLimits): Parser {
  class Decoder extends EventEmitter {
    readonly #stock = new stock.Decoder()
    #bytes = 0

    constructor () {
      super()
      this.#stock.on('decoded', (packet: stock.Packet) => {
        const tooLarge = this.#bytes > packetBytes && packet.type === stock.PacketType.EVENT
        this.#bytes = 0
        if (tooLarge) packet.data = [packet.data[0], new Refused(new ClasswavesError('PAYLOAD_TOO_LARGE'))]
        this.emit('decoded', packet)
      })
    }

    add (chunk: unknown): void {
      if (typeof chunk !== 'string') {
        this.#bytes += (chunk as Uint8Array).byteLength ?? 0
        // Attachments wait in memory until the last one has come, and each may be as large as a message.
        if (this.#bytes > 2 * packetBytes) throw new ClasswavesError('PAYLOAD_TOO_LARGE')
        this.#stock.add(chunk)
        return
      }
      this.#bytes = Buffer.byteLength(chunk)
      const fault = this.#faultOf(chunk)
      const event = fault && headOf(chunk)
      if (!fault) this.#stock.add(chunk)
      else if (event) this.emit('decoded', { ...event, data: [event.name, new Refused(fault)] })
      else throw fault
    }

    destroy (): void {
      this.#stock.destroy()
      this.removeAllListeners()
    }

    #faultOf (text: string): ClasswavesError | undefined {
      if (this.#bytes > packetBytes) return new ClasswavesError('PAYLOAD_TOO_LARGE')
      if (deeperThan(text, depth + 1)) return new ClasswavesError('INVALID_PAYLOAD', `The payload is nested deeper than ${depth}.`)
      return undefined
    }
  }

  return { Encoder: stock.Encoder, Decoder }
}

/** Does JSON text open more than `limit` arrays and objects at once? Looks at brackets outside of strings only. */
export function deeperThan (text: string, limit: number): boolean {
  let open = 0
  let inString = false
  for (let i = 0; i < text.length; i++) {
    const char = text.charCodeAt(i)
    if (inString) {
      if (char === 92) i++
      else if (char === 34) inString = false
    } else if (char === 34) inString = true
    else if (char === 91 || char === 123) {
      if (++open > limit) return true
    } else if (char === 93 || char === 125) open--
  }
  return false
}

/** Names that Socket.IO keeps to itself. The stock parser takes no packet with one of them, so neither do we. */
const reserved = new Set(['connect', 'connect_error', 'disconnect', 'disconnecting', 'newListener', 'removeListener'])

/** Namespace, acknowledgement id and event name from the head of a text packet `2/sessions,17["name",...`. */
function headOf (text: string): { type: stock.PacketType, nsp: string, id?: number, name: string } | undefined {
  const match = /^2(?:(\/[^,]*),)?(\d{1,9})?\["((?:[^"\\]|\\.){0,200})"/.exec(text.slice(0, 1000))
  if (!match) return undefined
  const [, nsp = '/', id, name = ''] = match
  if (reserved.has(name)) return undefined
  return { type: stock.PacketType.EVENT, nsp, ...(id !== undefined && { id: Number(id) }), name }
}
