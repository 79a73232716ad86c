import { parseTime } from './clock.ts'
import { Complaint, speakersOf, utterance, type ClassTalk, type GroupTalk } from './talk.ts'

/**
 * CSV with a header, as RFC 4180 says, with comma, semicolon or tab. Columns, in any order and by any of their
 * names: start, text, and if they are there end, speaker, group.
 */
const columns = {
  start: ['start', 'startedat', 'starttime', 't', 'time', 'begin'],
  end: ['end', 'endedat', 'endtime', 'te'],
  speaker: ['speaker', 'speakerid', 's', 'name', 'who'],
  group: ['group', 'groupid', 'team', 'table'],
  text: ['text', 'utterance', 'transcript', 'content']
} as const

type Column = keyof typeof columns

interface Row { line: number, fields: string[] }

export function readCsv (text: string, file: string): ClassTalk {
  const [header, ...rows] = parse(text, file)
  if (!header) throw new Complaint(`${file} is empty.`)
  const index = locate(header, file)
  if (rows.length === 0) throw new Complaint(`${file} has a header and no rows.`)

  const timed = rows.map(row => {
    const place = `${file}, line ${row.line}`
    if (row.fields.length !== header.fields.length) {
      throw new Complaint(`${place} has ${row.fields.length} fields, the header has ${header.fields.length}.`)
    }
    const field = (column: Column): string => row.fields[index[column] ?? -1] ?? ''
    return { place, field, start: time(field('start'), place), end: field('end').trim() === '' ? null : time(field('end'), place) }
  })
  const absolute = timed[0]?.start.absolute ?? false
  const odd = timed.find(row => row.start.absolute !== absolute || (row.end && row.end.absolute !== absolute))
  if (odd) throw new Complaint(`${odd.place}: dates and seconds cannot stand in one file.`)
  const zero = absolute ? Math.min(...timed.map(row => row.start.seconds)) : 0

  const groups = new Map<string, GroupTalk>()
  for (const { place, field, start, end } of timed) {
    const name = field('group').trim().slice(0, 100) || 'group'
    const group = groups.get(name) ?? { name, members: [], utterances: [] }
    groups.set(name, group)
    group.utterances.push(utterance(place, {
      start: start.seconds - zero, end: end ? end.seconds - zero : undefined, speaker: field('speaker'), text: field('text')
    }))
  }
  for (const group of groups.values()) group.members = speakersOf(group.utterances)
  return { topic: file.replace(/\.[^.]*$/, ''), goals: [], groups: [...groups.values()] }
}

function time (value: string, place: string): { seconds: number, absolute: boolean } {
  const parsed = parseTime(value)
  if (!parsed) throw new Complaint(`${place}: ${JSON.stringify(value)} is not a time (write 754.5, 12:34.5 or an ISO date and time).`)
  return parsed
}

/** Where each column stands. */
function locate (header: Row, file: string): Partial<Record<Column, number>> {
  const names = header.fields.map(name => name.toLowerCase().replace(/[\s_-]/g, ''))
  const found: Partial<Record<Column, number>> = {}
  for (const column of Object.keys(columns) as Column[]) {
    const at = names.findIndex(name => (columns[column] as readonly string[]).includes(name))
    if (at >= 0) found[column] = at
  }
  for (const needed of ['start', 'text'] as const) {
    if (found[needed] === undefined) {
      throw new Complaint(`${file}, line ${header.line}: the header has no column ${needed} (one of ${columns[needed].join(', ')}).`)
    }
  }
  return found
}

/** Rows with the line on which each begins; a quoted field may span lines. Blank lines are passed over. */
function parse (text: string, file: string): Row[] {
  const head = text.slice(0, text.search(/[\r\n]|$/))
  const delimiter = [',', ';', '\t'].reduce((best, one) => head.split(one).length > head.split(best).length ? one : best)
  const rows: Row[] = []
  let fields: string[] = []
  let field = ''
  let quoted: number | null = null
  let line = 1
  let begun = 1
  const endRow = (): void => {
    fields.push(field)
    if (fields.length > 1 || field !== '') rows.push({ line: begun, fields })
    fields = []
    field = ''
  }
  for (let i = 0; i < text.length; i++) {
    const character = text[i] as string
    if (character === '\n') line++
    if (quoted !== null) {
      if (character !== '"') field += character
      else if (text[i + 1] === '"') field += text[++i]
      else quoted = null
    } else if (character === '"' && field === '') {
      quoted = line
    } else if (character === delimiter) {
      fields.push(field)
      field = ''
    } else if (character === '\n') {
      if (field.endsWith('\r')) field = field.slice(0, -1)
      endRow()
      begun = line
    } else {
      field += character
    }
  }
  if (quoted !== null) throw new Complaint(`${file}, line ${quoted}: a quote is opened and never closed.`)
  endRow()
  return rows
}
