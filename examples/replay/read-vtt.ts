import { parseTime } from './clock.ts'
import { Complaint, speakersOf, utterance, type ClassTalk, type Utterance } from './talk.ts'

/** WebVTT, as recorders and meeting software write it: one group, its speakers in voice tags, `<v Ada>I think ...`. */
export function readVtt (text: string, file: string): ClassTalk {
  const lines = text.split(/\r\n|\n|\r/)
  if (!/^WEBVTT(\s|$)/.test(lines[0] ?? '')) throw new Complaint(`${file}, line 1: a WebVTT file begins with WEBVTT.`)
  const utterances: Utterance[] = []
  for (const block of blocks(lines)) {
    const timing = block.lines.findIndex(line => line.includes('-->'))
    // Notes, styles, regions and the rest of the header have no timing.
    if (timing < 0) continue
    const place = `${file}, line ${block.first + timing}`
    const [from = '', to = ''] = (block.lines[timing] as string).split('-->')
    const start = parseTime(from)
    const end = parseTime(to.trim().split(/\s/)[0] ?? '')
    if (!start || !end || !from.includes(':')) throw new Complaint(`${place} is not a cue timing such as 00:01.000 --> 00:04.000.`)
    for (const voice of voices(block.lines.slice(timing + 1).join(' '))) {
      utterances.push(utterance(place, { start: start.seconds, end: end.seconds, ...voice }))
    }
  }
  if (utterances.length === 0) throw new Complaint(`${file} has no cue with text.`)
  const name = file.replace(/\.[^.]*$/, '').slice(0, 100)
  return { topic: name, goals: [], groups: [{ name, members: speakersOf(utterances), utterances }] }
}

/** What is parted by blank lines, with the number of its first line. */
function blocks (lines: readonly string[]): { first: number, lines: string[] }[] {
  const found: { first: number, lines: string[] }[] = []
  let open = false
  for (const [index, line] of lines.entries()) {
    if (line.trim() === '') open = false
    else if (open) found.at(-1)?.lines.push(line)
    else {
      found.push({ first: index + 1, lines: [line] })
      open = true
    }
  }
  return found
}

/** The pieces of a cue by who says them; other tags are markup and go. */
function voices (cue: string): { speaker?: string, text: string }[] {
  const [before = '', ...rest] = cue.split(/<v(?:\.[^\s>]*)?\s+(?=[^>]+>)/)
  const spoken = rest.map(piece => {
    const close = piece.indexOf('>')
    return { speaker: plain(piece.slice(0, close)), text: plain(piece.slice(close + 1)) }
  })
  return [{ text: plain(before) }, ...spoken].filter(piece => piece.text !== '')
}

const entities: Readonly<Record<string, string>> = { amp: '&', lt: '<', gt: '>', quot: '"', apos: "'", nbsp: ' ', lrm: '', rlm: '' }

function plain (markup: string): string {
  return markup
    .replace(/<[^>]*>/g, '')
    .replace(/&#(\d+);/g, (_, code: string) => String.fromCodePoint(Math.min(Number(code), 0x10ffff)))
    .replace(/&(\w+);/g, (whole, name: string) => entities[name] ?? whole)
    .replace(/\s+/g, ' ')
    .trim()
}
