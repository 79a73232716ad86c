import { existsSync, readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { lessonOf, plain } from './folds.ts'
import type { Data } from './data.ts'
import { hash } from './random.ts'

/** What the shipped weights were fitted on, so that nothing is reported on talk that they have seen. */
export const provenancePath = fileURLToPath(new URL('./provenance.json', import.meta.url))

export interface Provenance {
  command: string
  sources: { file: string, rows: number, sha256: string, licence: string, attribution: string }[]
  /** Hashes of groups, lessons and help requests. */
  seen: string
}

export const groupKey = (group: string): string => `group ${group}`
export const lessonKey = (id: string): string => `lesson ${lessonOf(id)}`
export const helpKey = (text: string): string => `help ${plain(text)}`

const short = (key: string): string => hash(key).toString(36)

export function keysOf (data: Data): string {
  const keys = new Set<string>()
  for (const one of [...data.splices, ...data.scenarios, ...data.groups, ...data.meetings]) keys.add(short(groupKey(one.group)))
  for (const row of data.exchanges) keys.add(short(lessonKey(row.id)))
  for (const row of data.help) keys.add(short(helpKey(row.text)))
  return [...keys].sort().join(' ')
}

export function seenBefore (): (key: string) => boolean {
  if (!existsSync(provenancePath)) return () => true
  const { seen } = JSON.parse(readFileSync(provenancePath, 'utf8')) as Provenance
  const keys = new Set(seen.split(' '))
  return (key) => keys.has(short(key))
}
