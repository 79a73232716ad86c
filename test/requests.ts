import type { SessionStatus } from '../index.ts'

/** A well-formed request for each event and each route, so that what comes back is about who asks, and of what. */

export interface Place { sessionId: string, groupId: string, promptId: string, code: string, token: string }

export interface EventRequest {
  payload: (place: Place) => unknown
  /** What a client does first, whether it may or not: to leave is to have been there. */
  first?: string
  /** What that takes, when it is not the session's id. */
  firstPayload?: (place: Place) => unknown
}

const session = ({ sessionId }: Place): object => ({ sessionId })
const group = ({ sessionId, groupId }: Place): object => ({ sessionId, groupId })
const refresh: EventRequest = { payload: ({ token }) => ({ token }) }
const first = 'session:join'
const code = ({ code }: Place): string => code
const inClass = (fields: object) => (place: Place): object => ({ sessionCode: place.code, ...fields })
const joined = { first: 'joinSession', firstPayload: code }

export const eventRequests: Record<string, EventRequest> = {
  '/ auth:refresh': refresh,
  '/ joinSession': { payload: code },
  '/ leaveSession': { payload: code, ...joined },
  '/ sendMessage': { payload: inClass({ message: 'Hello class!' }), ...joined },
  '/ updatePresence': { payload: inClass({ status: 'idle' }), ...joined },
  '/ sendDirectMessage': { payload: inClass({ to: 'a-teacher', message: 'May I ask something?' }), ...joined },
  '/ editMessage': { payload: inClass({ messageId: 'none', message: 'Hello!' }), ...joined },
  '/ deleteMessage': { payload: inClass({ messageId: 'none' }), ...joined },
  '/ react': { payload: inClass({ messageId: 'none', sign: '👍' }), ...joined },
  '/ setTyping': { payload: inClass({ typing: true }), ...joined },
  '/ markRead': { payload: inClass({ seq: 1 }), ...joined },
  '/ getHistory': { payload: inClass({}), ...joined },
  '/ getDirectHistory': { payload: inClass({}), ...joined },
  '/ getAttachment': { payload: inClass({ messageId: 'none' }), ...joined },
  '/ setChatMode': { payload: inClass({ mode: 'open' }), ...joined },
  '/ getHeldMessages': { payload: inClass({}), ...joined },
  '/ moderateMessage': { payload: inClass({ messageId: 'none', action: 'approve' }), ...joined },
  '/sessions auth:refresh': refresh,
  '/sessions session:guidance:subscribe': { payload: session },
  '/sessions session:guidance:unsubscribe': { payload: session, first },
  '/sessions session:join': { payload: session },
  '/sessions session:leave': { payload: session, first },
  '/sessions student:session:join': { payload: session },
  '/sessions group:join': { payload: group },
  '/sessions group:leave': { payload: group, first },
  '/sessions group:status_update': { payload: place => ({ ...group(place), status: 'ready' }), first },
  '/sessions group:leader_ready': { payload: place => ({ ...group(place), ready: true }), first },
  '/sessions analytics:subscribe': { payload: session },
  '/sessions audio:stream:start': { payload: group, first },
  '/sessions audio:chunk': { payload: place => ({ ...group(place), data: Buffer.from('sound'), mimeType: 'audio/webm' }), first },
  '/sessions audio:stream:end': { payload: group, first },
  '/sessions audio:stream:ack': { payload: group, first },
  '/sessions session:update_status': { payload: place => ({ ...session(place), status: 'ended' }), first },
  '/guidance auth:refresh': refresh,
  '/guidance guidance:subscribe': { payload: () => ({}) },
  '/guidance guidance:unsubscribe': { payload: () => ({}) },
  '/guidance session:guidance:subscribe': { payload: session },
  '/guidance session:guidance:unsubscribe': { payload: session, first: 'session:guidance:subscribe' },
  '/guidance analytics:subscribe': { payload: session },
  '/guidance analytics:unsubscribe': { payload: session, first: 'analytics:subscribe' },
  '/guidance prompt:interact': { payload: ({ promptId }) => ({ promptId, action: 'acknowledge' }) },
  '/guidance guidance:get_current_state': { payload: session }
}

export interface RouteRequest {
  body?: (place: Place) => object
  /** The status that a session must have for the request to be accepted; `active` unless said. */
  status?: SessionStatus
}

export const routeRequests: Record<string, RouteRequest> = {
  'GET /health': {},
  'GET /ready': {},
  'GET /asyncapi.json': {},
  'GET /openapi.json': {},
  'GET /metrics': {},
  'POST /sessions': { body: () => ({ topic: 'Why do rivers bend?' }) },
  'GET /sessions': {},
  'POST /sessions/join': { body: ({ code }) => ({ code, displayName: 'Ada' }) },
  'GET /sessions/:sessionId': {},
  'GET /sessions/:sessionId/events': {},
  'GET /sessions/:sessionId/transcripts': {},
  'PUT /sessions/:sessionId/groups': { body: ({ groupId }) => ({ groups: [{ groupId, name: 'Red' }] }) },
  'GET /sessions/:sessionId/groups/status': {},
  'POST /sessions/:sessionId/start': { status: 'created' },
  'POST /sessions/:sessionId/pause': {},
  'POST /sessions/:sessionId/resume': { status: 'paused' },
  'POST /sessions/:sessionId/end': {},
  'GET /sessions/:sessionId/guidance': {},
  'POST /sessions/:sessionId/prompts/:promptId/interactions': { body: () => ({ action: 'acknowledge' }) },
  'GET /sessions/:sessionId/presence': {},
  'GET /sessions/:sessionId/messages': {},
  'GET /sessions/:sessionId/chat': {},
  'PUT /sessions/:sessionId/chat': { body: () => ({ mode: 'moderated' }) },
  'POST /sessions/:sessionId/transcripts': { body: ({ groupId }) => ({ slices: [{ groupId, text: 'The river is slow here.' }] }) },
  'POST /sessions/:sessionId/emit': {
    body: ({ sessionId, groupId }) => ({ namespace: '/sessions', event: 'group:status_changed', payload: { sessionId, groupId, status: 'ready', isReady: true } })
  }
}
