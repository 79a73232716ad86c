import { connect, type Socket } from 'node:net'

/** One HTTP connection that asks one thing after the other and costs little. */
export class Caller {
  readonly #socket: Socket
  readonly #head: string
  #heard = ''
  #answer: ((text: string) => void) | undefined
  #fail: ((error: Error) => void) | undefined

  constructor (url: string, token: string) {
    const { hostname, port } = new URL(url)
    this.#head = `Host: ${hostname}\r\nAuthorization: Bearer ${token}\r\nContent-Type: application/json\r\nContent-Length: 2\r\n\r\n{}`
    this.#socket = connect({ host: hostname, port: Number(port), noDelay: true })
    this.#socket.setEncoding('latin1')
    this.#socket.on('data', (text: string) => this.#take(text))
    this.#socket.on('error', error => this.#fail?.(error))
  }

  /** The body of the answer; anything but a success is an error. */
  async post (path: string): Promise<string> {
    return await new Promise((resolve, reject) => {
      this.#answer = resolve
      this.#fail = reject
      this.#socket.write(`POST ${path} HTTP/1.1\r\n${this.#head}`)
    })
  }

  async once (path: string): Promise<string> {
    try {
      return await this.post(path)
    } finally {
      this.close()
    }
  }

  close (): void { this.#socket.destroy() }

  #take (text: string): void {
    this.#heard += text
    const end = this.#heard.indexOf('\r\n\r\n')
    if (end < 0) return
    const length = Number(/content-length: (\d+)/i.exec(this.#heard)?.[1] ?? 0)
    if (this.#heard.length < end + 4 + length) return
    const body = this.#heard.slice(end + 4, end + 4 + length)
    const ok = this.#heard.startsWith('HTTP/1.1 2')
    this.#heard = ''
    if (ok) this.#answer?.(body)
    else this.#fail?.(new Error(body))
  }
}
