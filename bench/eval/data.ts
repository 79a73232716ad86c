import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { GroupContext, Utterance } from '../../lib/guidance/analyzer.ts'

/** The labelled talk that figures come from. Any subset of the files will do; what is missing is skipped. */

export interface Turn extends Utterance { speaker: string, adult: boolean, off: boolean }

export interface Session {
  id: string
  /** The group that the talk is of, without what was spliced in: sessions of one group never part. */
  group: string
  source: string
  kind: string
  context: GroupContext
  turns: Turn[]
  /** Start and end of what was put in, in milliseconds. */
  episodes: [number, number][]
}

export interface Exchange { id: string, student: string, teacher: string, onTask: number | null, uptake: number | null }
export interface HelpRequest { source: string, text: string, asks: boolean }

export interface Data {
  folder: string
  files: string[]
  splices: Session[]
  scenarios: Session[]
  groups: Session[]
  meetings: Session[]
  exchanges: Exchange[]
  help: HelpRequest[]
  followUps: { student: string, teacher: string }[]
  social: string[][]
}

interface GroupRow {
  id: string, source: string, topic?: string, goals?: string[]
  utterances: { t: number, te?: number, s: string, role?: string, text: string }[]
}
interface SpliceRow { id: string, base?: string, kind: string, topic?: string, goals?: string[], utterances: [number, number, string, number, string, number][] }
interface ScenarioRow { id: string, kind: string, topic?: string, goals?: string[], members?: string[], episodes?: [number, number][], utterances: [number, number, string, number, string][] }

/** `--data DIR`, or CLASSWAVES_DATA, or the data folder beside the checkout. */
export function dataFolder (given?: string): string {
  return resolve(given ?? process.env.CLASSWAVES_DATA ?? fileURLToPath(new URL('../../../shared/data', import.meta.url)))
}

export function load (folder: string): Data {
  const files: string[] = []
  const names = existsSync(folder) ? readdirSync(folder).filter((name) => name.endsWith('.jsonl')).sort() : []
  /** All rows of the files of a kind: `groups_justhink.jsonl` is one of "groups", and so is that of any other source. */
  const rows = <Row, Made> (kind: string, make: (row: Row, source: string) => Made): Made[] => names.filter((name) => name.startsWith(kind)).flatMap((name) => {
    files.push(name)
    const source = name.slice(kind.length, -'.jsonl'.length).replace(/^_/, '')
    const lines = readFileSync(join(folder, name), 'utf8').split('\n').filter((line) => line.trim() !== '')
    const made = lines.flatMap((line) => {
      try {
        return [make(JSON.parse(line) as Row, source)]
      } catch (error) {
        if (error instanceof SyntaxError || error instanceof TypeError) return []
        throw error
      }
    })
    if (made.length < lines.length) process.stderr.write(`${name}: ${lines.length - made.length} of ${lines.length} rows make no sense and are left out.\n`)
    return made
  })
  const data: Data = {
    folder,
    files,
    splices: rows<SpliceRow, Session>('splices', ofSplice),
    scenarios: rows<ScenarioRow, Session>('scenarios', ofScenario),
    groups: rows<GroupRow, Session>('groups', (row, source) => ofGroup({ ...row, source: row.source ?? source })),
    meetings: rows<GroupRow, Session>('meetings', (row, source) => ofGroup({ ...row, source })),
    exchanges: rows<{ id: string, student?: string, teacher?: string, onTask?: number, uptakeZ?: number }, Exchange>('ontask', (row) =>
      ({ id: String(row.id), student: row.student ?? '', teacher: row.teacher ?? '', onTask: row.onTask ?? null, uptake: row.uptakeZ ?? null })),
    help: rows<{ text: string, actions?: string[] }, HelpRequest>('help_requests', (row, source) => ({ source: `help_requests_${source}`, text: String(row.text ?? ''), asks: (row.actions ?? []).includes('question') })),
    followUps: rows<{ student?: string, teacher?: string }, { student: string, teacher: string }>('followup', (row) => ({ student: row.student ?? '', teacher: row.teacher ?? '' })),
    social: rows<{ turns: string[] }, string[]>('social', (row) => row.turns.map(String))
  }
  if (files.length === 0) throw new Error(`No data files in ${folder}: give the folder with --data DIR or CLASSWAVES_DATA.`)
  return data
}

/** "justhink-07+none0" and "justhink-07+stall0" are one group. */
const groupOf = (id: string): string => id.split('+')[0] ?? id
/** "justhink-07" comes from "justhink". */
export const sourceOf = (group: string): string => {
  const name = /^[a-z]+/i.exec(group)?.[0].toLowerCase() ?? group
  return name === 'deli' ? 'delidata' : name
}

/** A turn without a time or without words as text is none. */
function turn (t0: number, t1: number | null | undefined, speaker: string, adult: boolean, text: string, off = false): Turn[] {
  if (!Number.isFinite(t0) || typeof text !== 'string') return []
  return [{ startedAt: Math.round(t0 * 1000), endedAt: Math.round((t1 ?? t0) * 1000), speaker: String(speaker ?? ''), adult, text, off }]
}

const context = ({ topic = '', goals = [] }: { topic?: string, goals?: string[] }, turns: readonly Turn[], members?: string[]): GroupContext =>
  ({ topic, goals, members: members ?? [...new Set(turns.filter((one) => !one.adult).map((one) => one.speaker))] })

function ofSplice (row: SpliceRow): Session {
  const turns = row.utterances.flatMap(([t0, t1, s, adult, text, off]) => turn(t0, t1, s, adult === 1, text, off === 1))
  return { id: row.id, group: groupOf(row.id), source: row.base ?? sourceOf(row.id), kind: row.kind, context: context(row, turns), turns, episodes: [] }
}

function ofScenario (row: ScenarioRow): Session {
  const turns = row.utterances.flatMap(([t0, t1, s, adult, text]) => turn(t0, t1, s, adult === 1, text))
  const episodes = (row.episodes ?? []).map(([from, to]): [number, number] => [from * 1000, to * 1000])
  return { id: row.id, group: groupOf(row.id), source: sourceOf(row.id), kind: row.kind, context: context(row, turns, row.members), turns, episodes }
}

/** Chat gaps are capped at 25 s, as in the scenarios: people who type also read. */
const maxChatGap = 25

function ofGroup (row: GroupRow): Session {
  let shift = 0; let previous: number | null = null
  const turns = row.utterances.flatMap((one) => {
    const typed = one.te === undefined
    if (typed && previous !== null) shift += Math.max(0, one.t - shift - previous - maxChatGap)
    const at = one.t - shift
    if (typed) previous = at
    const words = String(one.text).split(/\s+/).length
    return turn(at, one.te ?? at + Math.min(6, 0.5 + words / 2.5), one.s, one.role !== undefined && one.role !== 'student', one.text)
  })
  return { id: row.id, group: row.id, source: row.source, kind: 'none', context: context(row, turns), turns, episodes: [] }
}
