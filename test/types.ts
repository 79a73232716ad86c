import type { Socket } from 'socket.io-client'
import Type, { type Static } from 'typebox'
import type { GuidanceClientEvents, GuidanceServerEvents, SessionsClientEvents, SessionsServerEvents } from '../lib/contract.ts'
import type { MetaSchema } from '../lib/core/asyncapi.ts'
import type { Context, Handlers } from '../lib/core/context.ts'
import { contract, Payload, receives, sends, type Meta } from '../lib/core/contract.ts'
import type { Emit } from '../lib/core/emit.ts'
import { ClasswavesError } from '../lib/core/errors.ts'
import { key } from '../lib/core/key.ts'
import { room } from '../lib/core/room.ts'
import { Closed, Id } from '../lib/core/schema.ts'
import type { guidance } from '../lib/guidance/contract.ts'
import type { sessions } from '../lib/sessions/contract.ts'

/**
 * What the types promise. Nothing here runs: the compiler reads it, and complains of an expected error that is none.
 * test/types.test.ts asks it.
 */

type Same<A, B> = (<T>() => T extends A ? 1 : 2) extends (<T>() => T extends B ? 1 : 2) ? true : false
const holds = <T extends true>(): T | undefined => undefined

export function emitters (emit: Emit<typeof sessions>, news: Emit<typeof guidance>): void {
  const to = emit.to({ sessionId: 's1', groupId: 'g1' })
  const timestamp = '2024-01-01T00:00:00Z'
  to.emit('session:status_changed', { sessionId: 's1', status: 'active', version: 2, timestamp })
  // @ts-expect-error the status is none
  to.emit('session:status_changed', { sessionId: 's1', status: 'started', version: 2, timestamp })
  // @ts-expect-error the version is missing
  to.emit('session:status_changed', { sessionId: 's1', status: 'active', timestamp })
  // @ts-expect-error the version is a text
  to.emit('session:status_changed', { sessionId: 's1', status: 'active', version: '2', timestamp })
  // @ts-expect-error the event is not declared
  to.emit('session:changed', { sessionId: 's1' })
  // @ts-expect-error clients send this, servers do not
  to.emit('group:join', { sessionId: 's1', groupId: 'g1' })
  // @ts-expect-error it belongs to another namespace
  to.emit('teacher:recommendations', [])
  news.to({ sessionId: 's1' }).emit('teacher:recommendations', [])
  // @ts-expect-error one prompt is not a list of prompts
  news.to({ sessionId: 's1' }).emit('teacher:recommendations', {})
}

export const lobby = contract({
  namespace: '/lobby',
  summary: 'A lobby.',
  admits: ['teacher'],
  receives: {
    say: receives({ summary: 'Says.', payload: Closed({ text: Type.String() }), ack: Type.Object({ id: Id }), who: ['teacher'] }),
    wave: receives({ summary: 'Waves.', payload: Closed({}), who: ['teacher'] })
  },
  sends: { said: sends({ summary: 'Said.', payload: Payload({ text: Type.String() }), rooms: [room('lobby')], kept: false }) }
})
type Lobby = typeof lobby

export function handlers (): unknown[] {
  const say = (_context: Context<Lobby>, { text }: { text: string }): { id: string } => ({ id: text })
  const complete: Handlers<Lobby> = { say, wave: async () => {} }
  // @ts-expect-error the handler of wave is missing
  const missing: Handlers<Lobby> = { say }
  // @ts-expect-error nobody may send shout
  const undeclared: Handlers<Lobby> = { say, wave () {}, shout () {} }
  // @ts-expect-error the acknowledgement of say carries an id
  const silent: Handlers<Lobby> = { say () {}, wave () {} }
  // @ts-expect-error the id is a text
  const wrong: Handlers<Lobby> = { say: () => ({ id: 7 }), wave () {} }
  const typed: Handlers<Lobby> = {
    say (context, payload) {
      context.reply('said', { text: payload.text })
      // @ts-expect-error lobby does not send this
      context.reply('sad', { text: payload.text })
      // @ts-expect-error say has no such field
      context.log.info(payload.words)
      // @ts-expect-error there is no socket in a context
      context.log.info(context.socket)
      return { id: context.user.userId }
    },
    wave () {}
  }
  return [complete, missing, undeclared, silent, wrong, typed]
}

export function declarations (): unknown[] {
  const payload = Closed({})
  return [
    // @ts-expect-error an event without a policy
    receives({ summary: 'Anybody?', payload }),
    // @ts-expect-error no such role
    receives({ summary: 'Who?', payload, who: ['pupil'] }),
    // @ts-expect-error whether it is kept must be said
    sends({ summary: 'Kept?', payload, rooms: [] }),
    // @ts-expect-error no such code
    contract({ namespace: '/a', summary: 'A.', admits: [], receives: {}, sends: {}, refuses: { shout: 'NO' } }),
    // @ts-expect-error no such code
    new ClasswavesError('NOT_FOUND')
  ]
}

export function names (): string[] {
  const group = room('session:{sessionId}:group:{groupId}')
  const stats = key('stats:{sessionId}', { ttl: '1 h', purpose: 'a test' })
  return [
    group({ sessionId: 's1', groupId: 'g1' }),
    // @ts-expect-error a group is needed
    group({ sessionId: 's1' }),
    stats({ sessionId: 's1' }, true),
    // @ts-expect-error the name is sessionId
    stats({ session: 's1' })
  ]
}

export function clients (
  classroom: Socket<SessionsServerEvents, SessionsClientEvents>, teacher: Socket<GuidanceServerEvents, GuidanceClientEvents>
): void {
  classroom.on('group:status_changed', ({ groupId, isReady }, meta) => {
    holds<Same<typeof groupId, string>>()
    holds<Same<typeof isReady, boolean>>()
    holds<Same<typeof meta, Meta>>()
  })
  classroom.on('error', ({ code, event }) => [code === 'AUTH_EXPIRED', event])
  classroom.on('auth:expiring', ({ expiresAt }) => classroom.emit('auth:refresh', { token: expiresAt }))
  // @ts-expect-error the server does not send this
  classroom.on('group:status_update', () => {})
  // @ts-expect-error the field is groupId
  classroom.on('group:joined', ({ group }) => group)
  classroom.emit('group:leader_ready', { sessionId: 's1', groupId: 'g1', ready: true }, answer => {
    if (answer.ok) holds<Same<typeof answer.changed, boolean>>()
    else answer.error.code satisfies string
    // @ts-expect-error it may have failed
    answer.changed satisfies boolean
  })
  // @ts-expect-error ready is missing
  classroom.emit('group:leader_ready', { sessionId: 's1', groupId: 'g1' })
  // @ts-expect-error clients do not send this
  classroom.emit('group:status_changed', {})
  teacher.emit('prompt:interact', { promptId: 'p1', action: 'use' })
  // @ts-expect-error no such action
  teacher.emit('prompt:interact', { promptId: 'p1', action: 'like' })
  teacher.on('guidance:analytics', event => {
    if (event.category === 'attention') holds<Same<typeof event.metrics.attentionScore, number>>()
    // @ts-expect-error a shift in tier2 has no score
    else event.metrics.attentionScore satisfies number
  })
}

holds<Same<Static<typeof MetaSchema>, { [K in keyof Meta]: Meta[K] }>>()
