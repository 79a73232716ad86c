import { setTimeout as sleep } from 'node:timers/promises'
import type { Session } from '../../lib/contract.ts'
import type { Listener } from './listen.ts'
import { createRecorder, type GroupRecord, type Moment } from './record.ts'
import type { Rest } from './rest.ts'
import { Complaint, endOf, type ClassTalk } from './talk.ts'
import { seat, slicesOf, type TimedSlice } from './slices.ts'

export interface Replay {
  /** The teacher's REST, which makes and leads the session. */
  teacher: Rest
  /** The REST that hands in the talk: a worker's, or the teacher's again. */
  worker: Rest
  listener: Listener
  /** Class seconds in a second; without it as fast as guidance keeps up. */
  speed?: number
  /** A session of the teacher's that is used instead of a new one, and is not ended. */
  sessionId?: string
  onProgress?: (atSeconds: number, durationSeconds: number) => void
  onMoment?: (group: string, moment: Moment) => void
  signal?: AbortSignal
}

export interface ClassRecord {
  sessionId: string
  topic: string
  slices: number
  accepted: number
  duplicates: number
  durationSeconds: number
  elapsedMs: number
  groups: GroupRecord[]
}

/** Talk is handed in by steps of this much class time: what a recogniser makes of a few seconds of sound. */
const stepSeconds = 5
const slicesPerRequest = 100
/** Talk is taken when guidance has worked on it; this often the feeder also waits until the listener has heard of it. */
const catchUpMs = 200

/** Replays one class and tells what was heard of it. */
export async function replayClass (talk: ClassTalk, replay: Replay): Promise<ClassRecord> {
  const { teacher, listener, speed } = replay
  const seats = seat(talk)
  const session = replay.sessionId === undefined ? await create(talk, seats, teacher) : await find(replay.sessionId, talk, teacher)
  const { sessionId } = session
  const durationSeconds = Math.max(...talk.groups.map(group => endOf(group.utterances)))
  const begun = Date.now()
  // The class is over, or with a speed will be, when its last word is handed in: no slice lies in the future.
  const zero = begun - durationSeconds * 1000 * (speed === undefined ? 1 : Math.max(0, 1 - 1 / speed))
  const groups = talk.groups.map((group, index) => ({
    groupId: groupIdOf(session, group.name, index), name: group.name, slices: group.utterances.length, recordedUntil: group.recordedUntil
  }))
  const recorder = createRecorder(groups, zero, replay.onMoment ?? (() => {}))
  const slices = slicesOf(talk, groups.map(group => group.groupId), seats, zero)
  const taken = { accepted: 0, duplicates: 0 }
  try {
    await listener.subscribe(sessionId, recorder.ears)
    if (session.status !== 'active') await teacher.post(`/sessions/${sessionId}/start`)
    await feed(replay, sessionId, steps(slices, durationSeconds, speed), { begun, durationSeconds, taken })
  } finally {
    if (replay.sessionId === undefined) await teacher.post(`/sessions/${sessionId}/end`, { reason: 'the replay is over' })
  }
  await listener.state(sessionId)
  await listener.unsubscribe(sessionId)
  listener.check()
  return {
    sessionId,
    topic: talk.topic,
    slices: slices.length,
    ...taken,
    durationSeconds,
    elapsedMs: Date.now() - begun,
    groups: recorder.finish(durationSeconds)
  }
}

interface Step { until: number, batch: TimedSlice[] }

async function feed (
  { worker, listener, speed, signal, onProgress }: Replay, sessionId: string, plan: readonly Step[],
  { begun, durationSeconds, taken }: { begun: number, durationSeconds: number, taken: { accepted: number, duplicates: number } }
): Promise<void> {
  let caughtUp = Date.now()
  for (const { until, batch } of plan) {
    signal?.throwIfAborted()
    if (speed !== undefined) await waitUntil(begun + until * 1000 / speed, signal)
    for (let from = 0; from < batch.length; from += slicesPerRequest) {
      const slices = batch.slice(from, from + slicesPerRequest).map(({ slice }) => slice)
      const answer = await worker.post<typeof taken>(`/sessions/${sessionId}/transcripts`, { slices })
      taken.accepted += answer.accepted
      taken.duplicates += answer.duplicates
    }
    if (Date.now() - caughtUp > catchUpMs) {
      await listener.state(sessionId)
      caughtUp = Date.now()
    }
    listener.check()
    onProgress?.(until, durationSeconds)
  }
}

/** @throws the reason of the signal, when it is given */
async function waitUntil (time: number, signal?: AbortSignal): Promise<void> {
  await sleep(Math.max(0, time - Date.now()), undefined, { signal }).catch((error: unknown) => {
    signal?.throwIfAborted()
    throw error
  })
}

async function create (talk: ClassTalk, seats: readonly ReadonlyMap<string, string>[], teacher: Rest): Promise<Session> {
  const goal = talk.goals.join('; ').slice(0, 500)
  return await teacher.post<Session>('/sessions', {
    topic: talk.topic.slice(0, 200),
    ...(goal && { goal }),
    groups: talk.groups.map((group, index) => ({
      name: group.name.slice(0, 100),
      memberIds: group.members.slice(0, 100).map(name => seats[index]?.get(name))
    }))
  })
}

async function find (sessionId: string, talk: ClassTalk, teacher: Rest): Promise<Session> {
  const session = await teacher.get<Session>(`/sessions/${encodeURIComponent(sessionId)}`)
  if (session.status === 'ended' || session.status === 'ending') throw new Complaint(`Session ${sessionId} has ended.`)
  if (session.groups.length < talk.groups.length) {
    throw new Complaint(`Session ${sessionId} has ${session.groups.length} groups, the file has ${talk.groups.length}: use --limit, or add groups.`)
  }
  return session
}

/** The group of that name, else the one at the same place. */
function groupIdOf (session: Session, name: string, index: number): string {
  const group = session.groups.find(one => one.groupId === name || one.name === name) ?? session.groups[index]
  return (group as Session['groups'][number]).groupId
}

/** The slices that end in each step of class time, the empty steps left out. */
function steps (slices: readonly TimedSlice[], durationSeconds: number, speed = Infinity): Step[] {
  const step = Math.min(stepSeconds, Math.max(1, speed))
  const batches = new Map<number, TimedSlice[]>()
  for (const one of slices) {
    const until = Math.min(durationSeconds, (Math.floor(one.end / step) + 1) * step)
    batches.set(until, [...batches.get(until) ?? [], one])
  }
  return [...batches].map(([until, batch]) => ({ until, batch }))
}
