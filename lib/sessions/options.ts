import Type, { type Static } from 'typebox'
import { count, isFunction, thing } from '../core/options.ts'
import { Closed } from '../core/schema.ts'
import type { Transcriber } from './audio.ts'

export const SessionsOptions = Closed({
  ttlSeconds: count(3600, 'life of a session after its last accepted write (the seed\'s session TTL)'),
  codeLength: Type.Integer({ minimum: 4, maximum: 10, default: 6, description: 'characters of a join code' }),
  studentTokenSeconds: count(14_400, 'life of the token that POST /sessions/join gives'),
  transcriber: thing<Transcriber>('turns audio into text: (chunk) => slices', isFunction, 'a function')
})
export type SessionsOptions = Static<typeof SessionsOptions>
