import { setTimeout as sleep } from 'node:timers/promises'
import { io, type Socket } from 'socket.io-client'
import type { Answer, GuidanceClientEvents, GuidanceServerEvents, GuidanceState } from '../../lib/contract.ts'
import { unreachable } from './rest.ts'
import { Complaint } from './talk.ts'

type Ack<A> = (answer: Answer<A>) => void
type Heard = Pick<GuidanceServerEvents, 'guidance:analytics' | 'teacher:alert' | 'teacher:recommendations'>
/** What is done with each event that a teacher's screen would show. */
export type Ears = { [E in keyof Heard]: (payload: Parameters<Heard[E]>[0]) => void }

/** A teacher's screen: a socket on `/guidance`. */
export interface Listener {
  subscribe (sessionId: string, ears: Ears): Promise<void>
  unsubscribe (sessionId: string): Promise<void>
  /** The guidance as it stands. When it answers, every event before it has arrived: a socket keeps the order. */
  state (sessionId: string): Promise<GuidanceState>
  /** Throws when the connection was lost, for then something was missed. */
  check (): void
  close (): void
}

const patienceMs = 10_000

export async function createListener (url: string, token: string): Promise<Listener> {
  const socket: Socket<GuidanceServerEvents, GuidanceClientEvents> = io(new URL('/guidance', url).href, {
    auth: { token }, transports: ['websocket'], forceNew: true, reconnection: false, timeout: patienceMs
  })
  let trouble: Complaint | null = null
  let closing = false
  socket.on('disconnect', cause => {
    if (!closing) trouble ??= new Complaint(`The connection to /guidance was lost (${cause}); what came after it is missing.`)
  })
  socket.on('error', ({ code, message, event }) => { trouble ??= new Complaint(`/guidance refused ${event}: ${code}: ${message}`) })
  await new Promise<void>((resolve, reject) => {
    socket.once('connect', resolve)
    socket.once('connect_error', (error: Error & { data?: { code?: string } }) => {
      socket.close()
      const code = error.data?.code
      reject(code === undefined
        ? unreachable(url, error.message)
        : new Complaint(`/guidance at ${url} refuses this token: ${code}: ${error.message}`))
    })
  })

  const once = <A>(event: string, send: (ack: Ack<A>) => void): Promise<Answer<A>> => new Promise((resolve, reject) => {
    const timer = setTimeout(() => {
      reject(trouble ?? new Complaint(`/guidance did not answer ${event} within ${patienceMs / 1000} s.`))
    }, patienceMs)
    send(answer => {
      clearTimeout(timer)
      resolve(answer)
    })
  })
  const ask = async <A>(event: string, send: (ack: Ack<A>) => void): Promise<A> => {
    for (;;) {
      const answer = await once(event, send)
      if (answer.ok) return answer
      const { code, message, details } = answer.error
      if (code !== 'RATE_LIMITED') throw trouble ?? new Complaint(`/guidance refused ${event}: ${code}: ${message}`)
      await sleep(typeof details?.retryAfterMs === 'number' ? details.retryAfterMs : patienceMs / 10)
    }
  }

  return {
    async subscribe (sessionId, ears) {
      for (const event of ['guidance:analytics', 'teacher:alert', 'teacher:recommendations'] as const) socket.off(event)
      socket.on('guidance:analytics', event => { ears['guidance:analytics'](event) })
      socket.on('teacher:alert', prompt => { ears['teacher:alert'](prompt) })
      socket.on('teacher:recommendations', prompts => { ears['teacher:recommendations'](prompts) })
      await ask('session:guidance:subscribe', ack => socket.emit('session:guidance:subscribe', { sessionId }, ack))
      await ask('analytics:subscribe', ack => socket.emit('analytics:subscribe', { sessionId, metrics: ['attention', 'tier2-shift'] }, ack))
    },
    async unsubscribe (sessionId) {
      await ask('analytics:unsubscribe', ack => socket.emit('analytics:unsubscribe', { sessionId }, ack))
      await ask('session:guidance:unsubscribe', ack => socket.emit('session:guidance:unsubscribe', { sessionId }, ack))
    },
    state: sessionId => ask<GuidanceState>('guidance:get_current_state', ack => socket.emit('guidance:get_current_state', { sessionId }, ack)),
    check () {
      if (trouble) throw trouble
    },
    close () {
      closing = true
      socket.close()
    }
  }
}
