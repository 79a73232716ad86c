import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import type { FastifyInstance } from 'fastify'
import type { Session } from '../index.ts'

/** A class whose groups talk by themselves: one gets on, one drifts off, one is confused, one falls silent. Again and again. */

interface Script {
  topic: string
  goals: string[]
  groups: { groupId: string }[]
  utterances: { t: number, te: number, groupId: string, speakerId: string, text: string }[]
}

/** Seconds of talk that lie behind when the class is opened, so that there is something to see. */
const head = 120
/** Seconds of silence before it begins again. */
const rest = 20

/** Opens the class and lets it talk until it ends, or the server closes. */
export async function startDemo (app: FastifyInstance, teacherId: string): Promise<{ session: Session, stop: () => void }> {
  const { topic, goals, groups, utterances } = JSON.parse(readFileSync(fileURLToPath(import.meta.resolve('#class/garden.json')), 'utf8')) as Script
  const planned = groups.map(({ groupId }) => ({ groupId, name: groupId.charAt(0).toUpperCase() + groupId.slice(1) }))
  const { sessionId } = await app.sessions.create({ topic, goal: goals.join('; '), groups: planned }, teacherId)
  for (const { groupId } of groups) {
    for (const name of new Set(utterances.filter(one => one.groupId === groupId).map(one => one.speakerId))) {
      await app.sessions.enrol(sessionId, { userId: `pupil-${name}`, displayName: name, groupId })
    }
  }
  const session = await app.sessions.start(sessionId)

  const length = Math.max(...utterances.map(one => one.te)) + rest
  const begun = Date.now() - head * 1000
  /** Seconds of class that were told. A pause stops this clock, and later talk comes that much later. */
  let told = 0
  let paused = 0
  const tell = async (until: number): Promise<void> => {
    const at = (seconds: number): string => new Date(begun + (paused + seconds) * 1000).toISOString()
    const round = Math.floor(told / length)
    const slices = [round, round + 1].flatMap(nth => utterances
      .map(one => ({ ...one, t: one.t + nth * length, te: one.te + nth * length }))
      .filter(one => one.te > told && one.te <= until))
      .map(({ t, te, groupId, speakerId, text }) => ({ groupId, speaker: speakerId, text, startedAt: at(t), endedAt: at(te) }))
    if (slices.length > 0) await app.sessions.transcribe(sessionId, slices)
    told = until
  }
  for (let until = 5; until <= head; until += 5) await tell(until)

  const step = async (): Promise<void> => {
    const { status } = await app.sessions.get(sessionId)
    if (status === 'ended' || status === 'ending') return clearInterval(timer)
    const now = (Date.now() - begun) / 1000 - paused
    if (status === 'active') await tell(now)
    else paused += now - told
  }
  let running = false
  const timer = setInterval(() => {
    if (running) return
    running = true
    step().catch((error: unknown) => app.log.warn({ err: error }, 'the class on show lost a line')).finally(() => { running = false })
  }, 1_000).unref()
  return { session, stop: () => clearInterval(timer) }
}
