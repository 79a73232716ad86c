import type { SessionStatus } from '../../index.ts'
import { transitions, type Move } from '../../lib/sessions/transitions.ts'
import type { Call, Model } from './linear.ts'

/** The life of one session as a plain model, and what its routes answer as calls of it. */

export interface Life { status: SessionStatus, version: number }

/** `end` of a request is two moves: to `ending`, and then `finish`. */
export type Command = Move | 'read'

/** `at`: it is, or became, so. `refused`: it was so, and the move does not lead on from there. */
export type Answer = { at: Partial<Life> } | { refused: SessionStatus }

export type Step = Call<Command, Answer>

export const life: Model<Life, Command, Answer> = {
  begin: { status: 'created', version: 1 },
  step (state, command, answer) {
    const next = command === 'read' ? state : moved(state, command)
    if (answer === undefined) return next ?? state
    if ('refused' in answer) return next === undefined && answer.refused === state.status ? state : undefined
    if (next === undefined) return undefined
    const { status = next.status, version = next.version } = answer.at
    return next.status === status && next.version === version ? next : undefined
  },
  key: ({ status, version }) => `${status} ${version}`
}

function moved ({ status, version }: Life, move: Move): Life | undefined {
  // Whoever comes to finish what another one has finished answers as if it had done so.
  if (move === 'finish' && status === 'ended') return { status, version }
  const { from, to } = transitions[move]
  return from.includes(status) ? { status: to, version: version + 1 } : undefined
}

export interface Reply { status: number, body: { status?: SessionStatus, version?: number, details?: { from?: SessionStatus } } }

/**
 * What one request and its reply are as calls, to be put at the end of a history of `count` calls. No reply, or one that
 * says that the store was away, may mean that it happened or not.
 */
export function callsOf (request: Exclude<Command, 'finish'>, reply: Reply | undefined, began: number, ended: number, count: number): Step[] {
  const unknown = reply === undefined || reply.status === 503
  if (!unknown && reply.status !== 200 && reply.status !== 409) throw new Error(`${request} was answered with ${reply.status}: ${JSON.stringify(reply.body)}`)
  // Whatever a read without an answer saw, it explains and forbids nothing; the search would only have to place it.
  if (unknown && request === 'read') return []
  const at = (life: Partial<Life>): Answer | undefined => unknown ? undefined : { at: life }
  const { status, version } = reply?.body ?? {}
  const all = { ...(status && { status }), ...(version && { version }) }
  if (reply?.status === 409) return [{ command: request, answer: { refused: reply.body.details?.from as SessionStatus }, began, ended }]
  if (request !== 'end') return [{ command: request, answer: at(all), began, ended }]
  return [{ command: 'end', answer: at({}), began, ended }, { command: 'finish', answer: at(all), began, ended, after: count }]
}
