import { EventEmitter } from 'node:events'
import * as stock from 'socket.io-parser'
import { ClasswavesError } from './errors.ts'
import { isEventName } from './event-name.ts'

/** What stands in place of a payload that was not parsed, so that its sender gets an answer all the same. */
export class Refused {
  readonly error: ClasswavesError
  constructor (error: ClasswavesError) { this.error = error }
}

export interface PacketLimits { depth: number, packetBytes: number }

/** Members of arrays and objects in one packet. What is wider is dear to parse and dearer to look through. */
export const packetMembers = 10_000

/** What Socket.IO takes as its `parser`. */
export interface Parser {
  Encoder: typeof stock.Encoder
  Decoder: new () => EventEmitter & { add (chunk: unknown): void, destroy (): void }
}

/**
 * The stock parser behind a guard. A packet that is nested too deep, too wide or too large is not parsed: its name and
 * acknowledgement id are read from its head, and it goes the usual way with a `Refused` in place of its payload.
 * (Deep JSON is parsed without trouble, but whoever walks or writes it recursively afterwards ends the process.)
 */
export function guardedParser ({ depth, packetBytes }: PacketLimits): Parser {
  class Decoder extends EventEmitter {
    readonly #stock = new stock.Decoder()
    #bytes = 0
    /** A packet whose attachments have not all come. */
    #isOpen = false

    constructor () {
      super()
      this.#stock.on('decoded', (packet: stock.Packet) => {
        const tooLarge = this.#bytes > packetBytes && packet.type === stock.PacketType.EVENT
        this.#bytes = 0
        this.#isOpen = false
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
      if (this.#isOpen) throw new ClasswavesError('INVALID_PAYLOAD') // else text in between would set the count of bytes back
      this.#bytes = Buffer.byteLength(chunk)
      const fault = this.#faultOf(chunk)
      const event = fault && headOf(chunk)
      if (!fault) {
        this.#isOpen = true
        this.#stock.add(chunk)
      } else if (event) this.emit('decoded', { ...event, data: [event.name, new Refused(fault)] })
      else throw fault
    }

    destroy (): void {
      this.#stock.destroy()
      this.removeAllListeners()
    }

    #faultOf (text: string): ClasswavesError | undefined {
      if (this.#bytes > packetBytes) return new ClasswavesError('PAYLOAD_TOO_LARGE')
      const shape = measure(text, depth + 1, packetMembers)
      if (shape === 'deep') return new ClasswavesError('INVALID_PAYLOAD', `The payload is nested deeper than ${depth}.`)
      if (shape === 'wide') return new ClasswavesError('INVALID_PAYLOAD', `The payload has more than ${packetMembers} members.`)
      return undefined
    }
  }

  return { Encoder: stock.Encoder, Decoder }
}

/** Does JSON text open more than `limit` arrays and objects at once? */
export function deeperThan (text: string, limit: number): boolean {
  return measure(text, limit, Infinity) === 'deep'
}

/** Looks at brackets and commas outside of strings only, and no further than it must. */
function measure (text: string, depth: number, members: number): 'deep' | 'wide' | 'fine' {
  let open = 0
  let commas = 0
  let inString = false
  for (let i = 0; i < text.length; i++) {
    const char = text.charCodeAt(i)
    if (inString) {
      if (char === 92) i++
      else if (char === 34) inString = false
    } else if (char === 34) inString = true
    else if (char === 44) {
      if (++commas > members) return 'wide'
    } else if (char === 91 || char === 123) {
      if (++open > depth) return 'deep'
    } else if (char === 93 || char === 125) open--
  }
  return 'fine'
}

/** Namespace, acknowledgement id and event name from the head of a text packet `2/sessions,17["name",...`. */
function headOf (text: string): { type: stock.PacketType, nsp: string, id?: number, name: string } | undefined {
  const match = /^2(?:(\/[^,]*),)?(\d{1,9})?\["((?:[^"\\]|\\.){0,200})"/.exec(text.slice(0, 1000))
  if (!match) return undefined
  const [, nsp = '/', id, name = ''] = match
  if (!isEventName(name)) return undefined // nor does the stock parser take it
  return { type: stock.PacketType.EVENT, nsp, ...(id !== undefined && { id: Number(id) }), name }
}
