import { connect, type Socket } from 'node:net'
import { namespace } from './servers/payload.ts'

/**
 * Many Socket.IO clients that cost little: WebSocket frames are counted, not read. Shared by all sides of a comparison.
 */

export interface ReadersOptions {
  /** What a reader shows at the door. */
  auth: (index: number) => object
  /** Rooms that it enters. */
  rooms: readonly string[]
  /** How many connect at a time. */
  atOnce?: number
}

/** Long enough for a busy machine; whoever waits longer has lost something. */
const patienceMs = 30_000

export class Readers {
  readonly #readers: Reader[] = []
  readonly #waiting = new Set<() => void>()
  /** Events and acknowledgements that have come, to all readers together. */
  events = 0
  acknowledgements = 0
  /** Told of each acknowledgement. */
  onAcknowledgement: (reader: number) => void = () => {}

  static async open (url: string, count: number, options: ReadersOptions): Promise<Readers> {
    const readers = new Readers()
    let begun = 0
    await Promise.all(Array.from({ length: Math.min(count, options.atOnce ?? 64) }, async () => {
      while (begun < count) await readers.#enter(url, begun++, options)
    }))
    return readers
  }

  get size (): number { return this.#readers.length }

  /** Waits until so many events have come; says how many are missing when they do not. */
  async until (what: 'events' | 'acknowledgements', count: number): Promise<void> {
    if (this[what] >= count) return
    await new Promise<void>((resolve, reject) => {
      const look = (): void => {
        if (this[what] < count) return
        clearTimeout(timer)
        this.#waiting.delete(look)
        resolve()
      }
      const timer = setTimeout(() => reject(new Error(`${count - this[what]} of ${count} ${what} are missing`)), patienceMs)
      this.#waiting.add(look)
    })
  }

  /** Sends frames of text from one reader, in one write. */
  send (reader: number, ...texts: string[]): void {
    this.#readers[reader]?.socket.write(Buffer.concat(texts.map(frame)))
  }

  close (): void { for (const { socket } of this.#readers) socket.destroy() }

  async #enter (url: string, index: number, { auth, rooms }: ReadersOptions): Promise<void> {
    await new Promise<void>((resolve, reject) => {
      const timer = setTimeout(() => reject(new Error('a reader did not come in')), patienceMs)
      const reader = new Reader(url, kind => {
        if (kind === '0') reader.socket.write(frame(`40${namespace},${JSON.stringify(auth(index))}`))
        else if (kind === '2') reader.socket.write(frame('3'))
        else if (kind === '40') reader.socket.write(frame(`42${namespace},0["bench:enter",${JSON.stringify({ rooms })}]`))
        else if (kind === '42') this.#note('events')
        else if (kind === '43' && reader.isIn) {
          this.#note('acknowledgements')
          this.onAcknowledgement(index)
        } else if (kind === '43') {
          reader.isIn = true
          clearTimeout(timer)
          this.#readers[index] = reader
          resolve()
        } else if (kind === '44') reject(new Error('a reader was refused'))
      })
      reader.socket.once('error', reject)
      reader.socket.once('close', () => reject(new Error('a reader was cut off')))
    })
  }

  #note (what: 'events' | 'acknowledgements'): void {
    this[what]++
    for (const look of this.#waiting) look()
  }
}

/** All connections read into one piece of memory: nothing of it is kept. */
const shared = Buffer.allocUnsafe(256 * 1024)
const upgraded = Buffer.from('\r\n\r\n')

/** One connection. Of each frame only the first two characters are looked at: its kind. */
class Reader {
  readonly socket: Socket
  isIn = false
  readonly #hear: (kind: string) => void
  #upgradeSeen = 0
  /** Head of a frame: at most ten bytes of length and two of text. */
  readonly #head = Buffer.alloc(12)
  #headLength = 0
  #rest = 0

  constructor (url: string, hear: (kind: string) => void) {
    const { hostname, port } = new URL(url)
    this.#hear = hear
    this.socket = connect({ host: hostname, port: Number(port), onread: { buffer: shared, callback: (bytes, buffer) => { this.#take(buffer as Buffer, bytes); return true } } })
    this.socket.setNoDelay(true)
    this.socket.write(`GET /socket.io/?EIO=4&transport=websocket HTTP/1.1\r\nHost: ${hostname}:${port}\r\nConnection: Upgrade\r\n` +
      'Upgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n')
  }

  #take (buffer: Buffer, end: number): void {
    let at = 0
    while (at < end && this.#upgradeSeen < upgraded.length) {
      this.#upgradeSeen = buffer[at] === upgraded[this.#upgradeSeen] ? this.#upgradeSeen + 1 : buffer[at] === upgraded[0] ? 1 : 0
      at++
    }
    while (at < end) {
      if (this.#rest > 0) {
        const step = Math.min(this.#rest, end - at)
        this.#rest -= step
        at += step
        continue
      }
      this.#head[this.#headLength++] = buffer[at++] as number
      const length = this.#lengthOf()
      if (length === undefined) continue
      const prefix = this.#prefix()
      if (this.#headLength < prefix + Math.min(2, length)) continue
      this.#rest = length - (this.#headLength - prefix)
      const kind = this.#head.toString('latin1', prefix, this.#headLength)
      this.#headLength = 0
      this.#hear(kind.startsWith('4') ? kind : kind.slice(0, 1))
    }
  }

  #prefix (): number {
    const short = (this.#head[1] as number) & 0x7f
    return short === 127 ? 10 : short === 126 ? 4 : 2
  }

  #lengthOf (): number | undefined {
    if (this.#headLength < 2 || this.#headLength < this.#prefix()) return undefined
    const short = (this.#head[1] as number) & 0x7f
    return short === 127 ? Number(this.#head.readBigUInt64BE(2)) : short === 126 ? this.#head.readUInt16BE(2) : short
  }
}

/** A text frame as clients send it; a mask of zeros leaves the text as it is. */
function frame (text: string): Buffer {
  const { length } = Buffer.from(text)
  const head = length < 126 ? Buffer.from([0x81, 0x80 | length, 0, 0, 0, 0]) : Buffer.from([0x81, 0x80 | 126, length >> 8, length & 0xff, 0, 0, 0, 0])
  return Buffer.concat([head, Buffer.from(text)])
}
