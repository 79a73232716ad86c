import { randomUUID } from 'node:crypto'
import { again } from '../core/again.ts'
import { checker, type Emit } from '../core/emit.ts'
import { ClasswavesError } from '../core/errors.ts'
import { makeCode, readCode } from './code.ts'
import { rooms, type sessions as sessionsContract } from './contract.ts'
import type { Lifecycle } from './lifecycle.ts'
import { SliceInput, type Group, type GroupPlan, type MoveWords, type Participant, type Session, type SessionPlan, type SessionStatus, type Slice } from './schema.ts'
import type { GroupChange, SessionStore } from './store.ts'

/**
 * `fastify.sessions`: the life of class sessions, for routes, handlers and the host. It trusts its caller; who may do
 * what is asked before. Calls reject with `ClasswavesError`; `UNAVAILABLE` when the store is away.
 */
export interface Sessions {
  create (plan: SessionPlan, teacherId: string): Promise<Session>
  /** @throws ClasswavesError SESSION_NOT_FOUND */
  get (sessionId: string): Promise<Session>
  find (sessionId: string): Promise<Session | null>
  list (filter: { teacherId?: string, status?: SessionStatus, limit?: number, cursor?: string }): Promise<{ sessions: Session[], nextCursor: string | null }>
  start (sessionId: string, words?: MoveWords): Promise<Session>
  pause (sessionId: string, words?: MoveWords): Promise<Session>
  resume (sessionId: string, words?: MoveWords): Promise<Session>
  end (sessionId: string, words?: MoveWords): Promise<Session>
  setGroups (sessionId: string, groups: readonly GroupPlan[]): Promise<Session>
  updateGroup (sessionId: string, groupId: string, change: GroupChange): Promise<{ group: Group, changed: boolean }>
  /** The session that a code opens, or null. */
  byCode (code: string): Promise<Session | null>
  /** Enrols a pupil; without `groupId` into the group that plans them, else the smallest. */
  enrol (sessionId: string, pupil: { userId?: string, displayName: string, groupId?: string }): Promise<{ session: Session, participant: Participant, created: boolean }>
  /**
   * Takes talk in: stored, sent to the group's room, handed to guidance. A known `id` is a duplicate. Talk is looked at
   * here, since it comes from transcribers as well: what does not fit is INVALID_PAYLOAD, and then nothing is taken.
   */
  transcribe (sessionId: string, slices: readonly SliceInput[]): Promise<{ accepted: number, duplicates: number }>
  transcripts (sessionId: string, page?: { groupId?: string, after?: number, limit?: number }): Promise<{ slices: Slice[], nextAfter: number | null }>
}

export interface ServiceDependencies {
  store: SessionStore
  lifecycle: Lifecycle
  emit: () => Emit<typeof sessionsContract>
  codeLength: number
  /** Milliseconds since 1970, the same on every process. */
  now: () => number
  move: (of: string, rooms: { into?: readonly string[], out?: readonly string[] }) => void
  /** Told of talk, in order, and when it came in (ms since 1970); talk that is sent again, for the lack of an answer, comes again. */
  onSlices: (session: Session, slices: readonly Slice[], cameAt: number) => Promise<void>
  count: (result: 'accepted' | 'duplicate', slices: number) => void
  /** Told of talk that was stored, but could not be sent to its group for two minutes. */
  onUntold: (error: unknown, sessionId: string) => void
}

const codeAttempts = 20

export function createSessions ({ store, lifecycle, emit, codeLength, now, move, onSlices, count, onUntold }: ServiceDependencies): Sessions {
  const identified = (groups: readonly GroupPlan[]) => groups.map(group => ({ ...group, groupId: group.groupId ?? randomUUID() }))

  /** Whoever touches a session whose process did not come to its end does what is left of it. */
  async function settled (session: Session): Promise<Session> {
    if (session.status === 'ending') return await lifecycle.finishOverdue(session)
    if (session.status === 'ended') lifecycle.tellResultsAgain(session)
    return session
  }

  async function find (sessionId: string): Promise<Session | null> {
    const session = await store.get(sessionId)
    return session && await settled(session)
  }

  async function get (sessionId: string): Promise<Session> {
    const session = await find(sessionId)
    if (!session) throw new ClasswavesError('SESSION_NOT_FOUND')
    return session
  }

  /** Told twice, a slice comes once. */
  async function tell (sessionId: string, slices: readonly Slice[]): Promise<void> {
    for (const { groupId, id, text, endedAt, speaker, confidence } of slices) {
      await emit().to({ sessionId, groupId }).emit('transcription:group:new', {
        sessionId, groupId, id, text, timestamp: endedAt, ...(speaker !== undefined && { speaker }), ...(confidence !== undefined && { confidence })
      }, `slice:${id}`)
    }
  }

  return {
    find,
    get,

    async create (plan, teacherId) {
      const session = {
        sessionId: randomUUID(),
        teacherId,
        topic: plan.topic,
        goal: plan.goal ?? null,
        subject: plan.subject ?? null,
        plannedDurationMinutes: plan.plannedDurationMinutes ?? null,
        requireGroupsReady: plan.requireGroupsReady ?? false,
        groups: identified(plan.groups ?? [])
      }
      for (let attempt = 0; attempt < codeAttempts; attempt++) {
        const created = await store.create({ ...session, code: makeCode(codeLength) })
        if (created !== 'code-taken') return created
      }
      throw new ClasswavesError('UNAVAILABLE', 'No free join code was found; use longer codes.')
    },

    async list ({ limit = 50, ...filter }) {
      const page = await store.list({ ...filter, limit })
      return { ...page, sessions: await Promise.all(page.sessions.map(settled)) }
    },

    start: async (sessionId, words) => await lifecycle.move(sessionId, 'start', words),
    pause: async (sessionId, words) => await lifecycle.move(sessionId, 'pause', words),
    resume: async (sessionId, words) => await lifecycle.move(sessionId, 'resume', words),
    end: async (sessionId, words) => await lifecycle.end(sessionId, words),

    async setGroups (sessionId, groups) {
      const result = await store.setGroups(sessionId, identified(groups))
      if (!result.ok) throw new ClasswavesError(result.reason === 'ended' ? 'SESSION_NOT_ACTIVE' : 'SESSION_NOT_FOUND')
      seat(result.before, result.session, move)
      return result.session
    },

    async updateGroup (sessionId, groupId, change) {
      const result = await store.updateGroup(sessionId, groupId, change)
      if (!result.ok) {
        const code = { 'not-found': 'SESSION_NOT_FOUND', 'group-not-found': 'GROUP_NOT_FOUND', ended: 'SESSION_NOT_ACTIVE' } as const
        throw new ClasswavesError(code[result.reason])
      }
      const { group, changed } = result
      if (changed) {
        const { status, isReady, issueReason } = group
        await emit().to({ sessionId, groupId }).emit('group:status_changed', { sessionId, groupId, status, isReady, ...(issueReason !== null && { issueReason }) })
      }
      return { group, changed }
    },

    async byCode (typed) {
      const code = readCode(typed)
      const session = code === null ? null : await store.byCode(code)
      return session && await settled(session)
    },

    async enrol (sessionId, { userId = `pupil-${randomUUID()}`, displayName, groupId }) {
      const result = await store.enrol(sessionId, { userId, displayName, role: 'student', ...(groupId !== undefined && { groupId }) })
      if (!result.ok) {
        const code = { 'not-found': 'SESSION_NOT_FOUND', 'group-not-found': 'GROUP_NOT_FOUND', ended: 'SESSION_NOT_FOUND', full: 'RATE_LIMITED' } as const
        throw new ClasswavesError(code[result.reason], result.reason === 'full' ? 'The session is full.' : undefined)
      }
      return result
    },

    async transcribe (sessionId, slices) {
      const cameAt = now()
      const session = await get(sessionId)
      const result = await store.append(sessionId, slices.map(normalised))
      if (!result.ok) {
        if (result.reason === 'not-found') throw new ClasswavesError('SESSION_NOT_FOUND')
        if (result.reason === 'group-not-found') throw new ClasswavesError('GROUP_NOT_FOUND', undefined, { groupId: result.groupId })
        throw new ClasswavesError('SESSION_NOT_ACTIVE', `The session is ${result.status}.`, { status: result.status })
      }
      count('accepted', result.accepted.length)
      count('duplicate', result.duplicates)
      // Whoever sent it is told that it is there; so it is told to its group as soon as there is a way.
      const news = [...result.known, ...result.accepted]
      await tell(sessionId, news).catch(() => { void again(() => tell(sessionId, news), error => onUntold(error, sessionId)) })
      await onSlices(session, news, cameAt)
      return { accepted: result.accepted.length, duplicates: result.duplicates }
    },

    async transcripts (sessionId, { limit = 100, ...page } = {}) { return await store.slices(sessionId, { ...page, limit }) }
  }
}

const input = checker(SliceInput)

/** Ids for slices that have none, times in UTC. */
function normalised (slice: SliceInput, index: number): SliceInput & { id: string } {
  if (!input.check(slice)) throw new ClasswavesError('INVALID_PAYLOAD', `/slices/${index}${input.explain(slice)}`)
  const { startedAt, endedAt } = slice
  if (startedAt !== undefined && endedAt !== undefined && Date.parse(endedAt) < Date.parse(startedAt)) {
    throw new ClasswavesError('INVALID_PAYLOAD', `/slices/${index}/endedAt lies before startedAt`)
  }
  return {
    ...slice,
    id: slice.id ?? randomUUID(),
    ...(startedAt !== undefined && { startedAt: new Date(startedAt).toISOString() }),
    ...(endedAt !== undefined && { endedAt: new Date(endedAt).toISOString() })
  }
}

/** Sockets follow a change of groups: the teacher into every group's room, a pupil into their own and out of the old one. */
function seat (before: Session, after: Session, move: ServiceDependencies['move']): void {
  const { sessionId } = after
  const roomOf = (groupId: string): string => rooms.group({ sessionId, groupId })
  const fresh = after.groups.filter(group => !before.groups.some(one => one.groupId === group.groupId))
  if (fresh.length > 0) move(rooms.teacher({ sessionId }), { into: fresh.map(group => roomOf(group.groupId)) })
  const seatOf = (session: Session, userId: string): string | undefined =>
    session.participants.find(one => one.userId === userId)?.groupId ??
    session.groups.find(group => group.leaderId === userId || group.memberIds.includes(userId))?.groupId
  const people = new Set([before, after].flatMap(session => [
    ...session.participants.map(one => one.userId),
    ...session.groups.flatMap(group => group.leaderId ? [group.leaderId, ...group.memberIds] : group.memberIds)
  ]))
  for (const userId of people) {
    const [from, to] = [seatOf(before, userId), seatOf(after, userId)]
    if (from === to) continue
    move(rooms.user({ sessionId, userId }), { ...(from && { out: [roomOf(from)] }), ...(to && { into: [roomOf(to)] }) })
  }
}
