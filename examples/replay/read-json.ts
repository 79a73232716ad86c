import { Complaint, endOf, speakersOf, utterance, type ClassTalk, type GroupTalk, type Utterance } from './talk.ts'

/**
 * JSON. A class is one document: `{ topic, goals, groups: [{ groupId, members? }], utterances: [{ t, te, groupId,
 * speakerId, text }] }`. A file of recordings has one a line: `{ id, topic, goals, members?, utterances }`, in which an
 * utterance is `{ t, te?, s, role?, text }` or, shorter, `[t, te, speaker, isAdult, text]`.
 */

/** As many groups as one teacher has in a class of thirty. */
const groupsInClass = 8

type Fields = Record<string, unknown>

export function readJson (text: string, file: string): ClassTalk {
  const document = parse(text, file, null)
  if (document.groups === undefined) return { ...heading(document, file), groups: [recording(document, file)] }
  if (!Array.isArray(document.groups) || document.groups.length === 0) throw new Complaint(`${file}: \`groups\` must list at least one group.`)
  const talk = new Map<string, GroupTalk>()
  for (const [index, group] of document.groups.entries()) {
    const place = `${file}, group ${index + 1}`
    const name = isFields(group) ? group.groupId : undefined
    if (typeof name !== 'string' || name === '') throw new Complaint(`${place} has no \`groupId\`.`)
    if (talk.has(name)) throw new Complaint(`${place}: there is a group ${name} before it.`)
    talk.set(name, { name, members: names((group as Fields).members, place) ?? [], utterances: [] })
  }
  for (const [index, said] of list(document.utterances, file).entries()) {
    const place = `${file}, utterance ${index + 1}`
    if (!isFields(said)) throw new Complaint(`${place} must be an object.`)
    const group = talk.get(String(said.groupId))
    if (!group) throw new Complaint(`${place}: there is no group ${JSON.stringify(said.groupId)} in \`groups\`.`)
    group.utterances.push(utterance(place, { start: said.t, end: said.te, speaker: said.speakerId, text: said.text }))
  }
  const groups = [...talk.values()].map(group => ({ ...group, members: group.members.length > 0 ? group.members : speakersOf(group.utterances) }))
  return { ...heading(document, file), groups }
}

/**
 * Recordings that have the same task become groups of one class, those of about the same length together. They were
 * not made together, so each is listened to only until its own end: after that it is over, not silent.
 */
export function readJsonLines (text: string, file: string, limit = Infinity): ClassTalk[] {
  const tasks = new Map<string, ClassTalk>()
  let left = limit
  for (const [index, line] of text.split('\n').entries()) {
    if (line.trim() === '') continue
    if (left-- <= 0) break
    const place = `${file}, line ${index + 1}`
    const document = parse(line, file, index + 1)
    const group = recording(document, place)
    const task = heading(document, place)
    const key = JSON.stringify(task)
    const { groups } = tasks.get(key) ?? { groups: [] }
    tasks.set(key, { ...task, groups: [...groups, { ...group, recordedUntil: endOf(group.utterances) }] })
  }
  if (tasks.size === 0) throw new Complaint(`${file} has no line with a recording.`)
  return [...tasks.values()].flatMap(split)
}

/** Classes of a size that a teacher has. */
function split ({ groups, ...task }: ClassTalk): ClassTalk[] {
  const byLength = [...groups].sort((a, b) => endOf(a.utterances) - endOf(b.utterances))
  return Array.from({ length: Math.ceil(groups.length / groupsInClass) }, (_, index) => (
    { ...task, groups: byLength.slice(index * groupsInClass, (index + 1) * groupsInClass) }
  ))
}

function recording (document: Fields, place: string): GroupTalk {
  const pupils: Utterance[] = []
  const utterances = list(document.utterances, place).map((said, index) => {
    const here = `${place}, utterance ${index + 1}`
    if (!Array.isArray(said) && !isFields(said)) throw new Complaint(`${here} must be an object or a list.`)
    const [start, end, speaker, isAdult, text] = Array.isArray(said)
      ? said as unknown[]
      : [said.t, said.te, said.s, said.role !== undefined && said.role !== 'student', said.text]
    const one = utterance(here, { start, end, speaker, text })
    if (!isAdult) pupils.push(one)
    return one
  })
  const name = typeof document.id === 'string' && document.id !== '' ? document.id.slice(0, 100) : 'group'
  return { name, members: names(document.members, place) ?? speakersOf(pupils), utterances }
}

function heading (document: Fields, place: string): { topic: string, goals: string[] } {
  const { topic } = document
  if (typeof topic !== 'string' || topic.trim() === '') throw new Complaint(`${place} has no \`topic\`.`)
  return { topic: topic.trim(), goals: names(document.goals, place, 'goals') ?? [] }
}

function list (value: unknown, place: string): unknown[] {
  if (!Array.isArray(value) || value.length === 0) throw new Complaint(`${place} has no \`utterances\`: it is not a recording of talk.`)
  return value
}

function names (value: unknown, place: string, field = 'members'): string[] | undefined {
  if (value === undefined) return undefined
  if (!Array.isArray(value) || !value.every(name => typeof name === 'string')) throw new Complaint(`${place}: \`${field}\` must be a list of texts.`)
  return value
}

/** `line` is where the text stands in its file; null for a whole file, in which the parser's position tells the line. */
function parse (text: string, file: string, line: number | null): Fields {
  let value: unknown
  try {
    value = JSON.parse(text)
  } catch (error) {
    const { message } = error as SyntaxError
    const position = Number(/position (\d+)/.exec(message)?.[1] ?? text.length)
    throw new Complaint(`${file}, line ${line ?? text.slice(0, position).split('\n').length} is not JSON: ${message}.`)
  }
  if (!isFields(value)) throw new Complaint(`${file}, line ${line ?? 1} must hold an object.`)
  return value
}

function isFields (value: unknown): value is Fields {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
