/** What a replay works on, whatever file it came from. Times are seconds since the class began. */

export interface Utterance {
  start: number
  end: number
  speaker?: string
  text: string
}

export interface GroupTalk {
  name: string
  /** Speakers who count for participation: pupils, not the adults and robots whom the microphone heard too. */
  members: string[]
  utterances: Utterance[]
  /** Where the record stops although the class goes on; what is heard of the group after it means nothing. */
  recordedUntil?: number
}

export interface ClassTalk {
  topic: string
  goals: string[]
  groups: GroupTalk[]
}

/** Something that the person at the keyboard can put right: its message is a whole sentence. */
export class Complaint extends Error {
  readonly exitCode: 1 | 2

  constructor (message: string, exitCode: 1 | 2 = 1) {
    super(message)
    this.name = 'Complaint'
    this.exitCode = exitCode
  }
}

/** Pupils speak at about this rate; it makes an end for an utterance of which only the start is known. */
const wordsPerSecond = 2.5

/** An utterance from the fields of a file, or a complaint that names the place they stand in. */
export function utterance (place: string, fields: { start: unknown, end?: unknown, speaker?: unknown, text: unknown }): Utterance {
  const { start, end, speaker, text } = fields
  if (typeof text !== 'string' || text.trim() === '') throw new Complaint(`${place}: the text is missing.`)
  if (text.length > 10_000) throw new Complaint(`${place}: the text has ${text.length} characters; a slice holds 10000.`)
  if (!isTime(start)) throw new Complaint(`${place}: the start time must be a number of seconds, not ${JSON.stringify(start)}.`)
  const spoken = end ?? start + Math.max(0.5, text.trim().split(/\s+/).length / wordsPerSecond)
  if (!isTime(spoken)) throw new Complaint(`${place}: the end time must be a number of seconds, not ${JSON.stringify(end)}.`)
  if (spoken < start) throw new Complaint(`${place}: it ends at ${spoken} s, before it starts at ${start} s.`)
  if (speaker !== undefined && speaker !== null && typeof speaker !== 'string') throw new Complaint(`${place}: the speaker must be a name.`)
  const name = speaker?.trim().slice(0, 100)
  return { start, end: spoken, text: text.trim(), ...(name && { speaker: name }) }
}

/** The names of those who speak, in the order in which they first do. */
export function speakersOf (utterances: readonly Utterance[]): string[] {
  return [...new Set(utterances.flatMap(one => one.speaker ?? []))]
}

/** The end of the last utterance. */
export function endOf (utterances: readonly Utterance[]): number {
  return utterances.reduce((last, one) => Math.max(last, one.end), 0)
}

function isTime (value: unknown): value is number {
  return typeof value === 'number' && Number.isFinite(value) && value >= 0
}
