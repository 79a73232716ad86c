/**
 * Who may do what, by hand: DESIGN section 5 and the tables of its section 6, cell by cell. `access.test.ts` tries each
 * cell and fails for an event or a route that has no row.
 *
 * Four cells are the outcome for the asker's own session, a foreign one, an own one that has ended, and one that does not
 * exist; one cell is an outcome that no session has a part in. Own is for a teacher the session that they made, for a
 * student one that they take part in (here as the leader of their group), for the others somebody's. Sessions are active
 * unless the row is about another status.
 */

export type Who = 'anonymous' | 'student' | 'teacher' | 'admin' | 'worker' | 'other'
export type Cells = readonly [outcome: string] | readonly [own: string, foreign: string, ended: string, unknown: string]
export type Row = Partial<Record<Who, Cells>>

/** Which rows a role reads. */
export const readers: Record<string, Who> = {
  student: 'student',
  teacher: 'teacher',
  instructor: 'teacher',
  admin: 'admin',
  super_admin: 'admin',
  worker: 'worker',
  parent: 'other',
  staff: 'other',
  partner: 'other'
}

const ok = 'ok'
const none = 'SESSION_NOT_FOUND'
const no = 'FORBIDDEN'
const who = 'AUTH_FAILED'
const out = 'NOT_IN_SESSION'
const over = 'SESSION_NOT_ACTIVE'
const never = 'UNSUPPORTED_OPERATION'
const unmoved = 'INVALID_TRANSITION'
const promptless = 'PROMPT_NOT_FOUND'
const messageless = 'MESSAGE_NOT_FOUND'

/** Whom a namespace lets in. Where somebody is not let in, there is nothing to say of their events. */
export const doors: Record<string, Record<Who, string>> = {
  '/': { anonymous: who, student: ok, teacher: ok, admin: ok, worker: ok, other: ok },
  '/sessions': { anonymous: who, student: ok, teacher: ok, admin: ok, worker: no, other: no },
  '/guidance': { anonymous: who, student: no, teacher: ok, admin: ok, worker: no, other: no }
}

const noClass = { worker: [no, no, no, no], other: [no, no, no, no] } as const
/** Of a class that was joined; a student has joined the foreign one by its code. */
const inClass = (does: string): Row => ({ ...noClass, student: [does, does, out, out], teacher: [does, out, out, out], admin: [does, does, out, out] })
const leads = (does: string): Row => ({ ...noClass, student: [no, no, no, no], teacher: [does, out, out, out], admin: [does, does, out, out] })
const everybody: Row = { student: [ok], teacher: [ok], admin: [ok], worker: [ok], other: [ok] }

export const events: Record<string, Row> = {
  '/ auth:refresh': everybody,
  // Whoever knows the code of a class and is bound to no other is taken in; a foreign teacher is not. An ended session has no code.
  '/ joinSession': { ...noClass, student: [ok, ok, none, none], teacher: [ok, none, none, none], admin: [ok, ok, none, none] },
  '/ leaveSession': inClass(ok),
  '/ sendMessage': inClass(ok),
  '/ updatePresence': inClass(ok),
  '/ sendDirectMessage': { ...noClass, student: [ok, ok, out, out], teacher: ['INVALID_PAYLOAD', out, out, out], admin: ['INVALID_PAYLOAD', ok, out, out] },
  '/ editMessage': inClass(messageless),
  '/ deleteMessage': inClass(messageless),
  '/ react': inClass(messageless),
  '/ setTyping': inClass(ok),
  '/ markRead': inClass(ok),
  '/ getHistory': inClass(ok),
  '/ getDirectHistory': inClass(ok),
  '/ getAttachment': inClass(messageless),
  '/ setChatMode': leads(ok),
  '/ getHeldMessages': leads(ok),
  '/ moderateMessage': leads(messageless),

  '/sessions auth:refresh': { student: [ok], teacher: [ok], admin: [ok] },
  '/sessions session:guidance:subscribe': { student: [ok, none, ok, none], teacher: [ok, none, ok, none], admin: [ok, ok, ok, none] },
  '/sessions session:guidance:unsubscribe': { student: [ok, out, ok, out], teacher: [ok, out, ok, out], admin: [ok, ok, ok, out] },
  '/sessions session:join': { student: [ok, none, ok, none], teacher: [ok, none, ok, none], admin: [ok, ok, ok, none] },
  '/sessions session:leave': { student: [ok, out, ok, out], teacher: [ok, out, ok, out], admin: [ok, ok, ok, out] },
  '/sessions student:session:join': { student: [ok, none, ok, none], teacher: [no, no, no, no], admin: [no, no, no, no] },
  '/sessions group:join': { student: [ok, none, ok, none], teacher: [ok, none, ok, none], admin: [ok, ok, ok, none] },
  '/sessions group:leave': { student: [ok, out, ok, out], teacher: [ok, out, ok, out], admin: [ok, ok, ok, out] },
  '/sessions group:status_update': { student: [ok, out, over, out], teacher: [ok, out, over, out], admin: [ok, ok, over, out] },
  '/sessions group:leader_ready': { student: [ok, out, over, out], teacher: [ok, out, over, out], admin: [ok, ok, over, out] },
  '/sessions analytics:subscribe': { student: [no, no, no, no], teacher: [ok, none, ok, none], admin: [ok, ok, ok, none] },
  '/sessions audio:stream:start': { student: [ok, out, over, out], teacher: [no, out, no, out], admin: [no, no, no, out] },
  '/sessions audio:chunk': { student: [ok, out, over, out], teacher: [no, out, no, out], admin: [no, no, no, out] },
  '/sessions audio:stream:end': { student: [ok, out, ok, out], teacher: [ok, out, ok, out], admin: [ok, ok, ok, out] },
  '/sessions audio:stream:ack': { student: [ok, out, ok, out], teacher: [ok, out, ok, out], admin: [ok, ok, ok, out] },
  '/sessions session:update_status': { student: [never, never, never, never], teacher: [never, never, never, never], admin: [never, never, never, never] },

  '/guidance auth:refresh': { teacher: [ok], admin: [ok] },
  '/guidance guidance:subscribe': { teacher: [ok], admin: [ok] },
  '/guidance guidance:unsubscribe': { teacher: [ok], admin: [ok] },
  '/guidance session:guidance:subscribe': { teacher: [ok, none, ok, none], admin: [ok, ok, ok, none] },
  '/guidance session:guidance:unsubscribe': { teacher: [ok, out, ok, out], admin: [ok, ok, ok, out] },
  '/guidance analytics:subscribe': { teacher: [ok, none, ok, none], admin: [ok, ok, ok, none] },
  '/guidance analytics:unsubscribe': { teacher: [ok, ok, ok, ok], admin: [ok, ok, ok, ok] },
  '/guidance prompt:interact': { teacher: [ok, promptless, ok, promptless], admin: [ok, ok, ok, promptless] },
  '/guidance guidance:get_current_state': { teacher: [ok, none, ok, none], admin: [ok, ok, ok, none] }
}

/** Nobody without a token, and no role that has no business there, learns anything from a route about a session. */
const shut = { anonymous: [who, who, who, who], other: [no, no, no, no] } as const
const toTeachers = { ...shut, student: [no, no, no, no], worker: [no, no, no, no] } as const
const toReaders = { ...shut, student: [ok, none, ok, none], worker: [no, no, no, no] } as const
const open: Row = { ...everybody, anonymous: [ok] }

export const routes: Record<string, Row> = {
  'GET /health': open,
  'GET /ready': open,
  'GET /asyncapi.json': open,
  'GET /openapi.json': open,
  'GET /metrics': { anonymous: [who], student: [no], teacher: [no], admin: [ok], worker: [no], other: [no] },

  'POST /sessions': { anonymous: [who], student: [no], teacher: [ok], admin: [ok], worker: [no], other: [no] },
  'GET /sessions': { anonymous: [who], student: [no], teacher: [ok], admin: [ok], worker: [no], other: [no] },
  'POST /sessions/join': {
    anonymous: [ok, ok, none, none],
    student: [ok, ok, none, none],
    teacher: [ok, ok, none, none],
    admin: [ok, ok, none, none],
    worker: [ok, ok, none, none],
    other: [ok, ok, none, none]
  },

  'GET /sessions/:sessionId': { ...toReaders, teacher: [ok, none, ok, none], admin: [ok, ok, ok, none] },
  'GET /sessions/:sessionId/events': { ...toReaders, teacher: [ok, none, ok, none], admin: [ok, ok, ok, none] },
  'GET /sessions/:sessionId/transcripts': { ...toReaders, teacher: [ok, none, ok, none], admin: [ok, ok, ok, none] },

  'GET /sessions/:sessionId/presence': { ...toReaders, teacher: [ok, none, ok, none], admin: [ok, ok, ok, none] },
  'GET /sessions/:sessionId/messages': { ...toReaders, teacher: [ok, none, ok, none], admin: [ok, ok, ok, none] },
  'GET /sessions/:sessionId/chat': { ...toReaders, teacher: [ok, none, ok, none], admin: [ok, ok, ok, none] },
  'PUT /sessions/:sessionId/chat': { ...toTeachers, teacher: [ok, none, over, none], admin: [ok, ok, over, none] },

  'PUT /sessions/:sessionId/groups': { ...toTeachers, teacher: [ok, none, over, none], admin: [ok, ok, over, none] },
  'GET /sessions/:sessionId/groups/status': { ...toTeachers, teacher: [ok, none, ok, none], admin: [ok, ok, ok, none] },
  'POST /sessions/:sessionId/start': { ...toTeachers, teacher: [ok, none, unmoved, none], admin: [ok, ok, unmoved, none] },
  'POST /sessions/:sessionId/pause': { ...toTeachers, teacher: [ok, none, unmoved, none], admin: [ok, ok, unmoved, none] },
  'POST /sessions/:sessionId/resume': { ...toTeachers, teacher: [ok, none, unmoved, none], admin: [ok, ok, unmoved, none] },
  'POST /sessions/:sessionId/end': { ...toTeachers, teacher: [ok, none, unmoved, none], admin: [ok, ok, unmoved, none] },
  'GET /sessions/:sessionId/guidance': { ...toTeachers, teacher: [ok, none, ok, none], admin: [ok, ok, ok, none] },
  'POST /sessions/:sessionId/prompts/:promptId/interactions': { ...toTeachers, teacher: [ok, promptless, ok, promptless], admin: [ok, ok, ok, promptless] },

  'POST /sessions/:sessionId/transcripts': {
    ...shut, student: [no, no, no, no], teacher: [ok, none, over, none], admin: [ok, ok, over, none], worker: [ok, ok, over, none]
  },
  'POST /sessions/:sessionId/emit': {
    ...shut, student: [no, no, no, no], teacher: [no, no, no, no], admin: [no, no, no, no], worker: [ok, ok, ok, none]
  }
}
