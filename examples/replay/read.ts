import { readFile } from 'node:fs/promises'
import { basename, extname } from 'node:path'
import { readCsv } from './read-csv.ts'
import { readJson, readJsonLines } from './read-json.ts'
import { readVtt } from './read-vtt.ts'
import { Complaint, type ClassTalk } from './talk.ts'

const readers: Readonly<Record<string, (text: string, file: string, limit: number) => ClassTalk[]>> = {
  '.json': (text, file) => [readJson(text, file)],
  '.jsonl': readJsonLines,
  '.ndjson': readJsonLines,
  '.csv': (text, file) => [readCsv(text, file)],
  '.vtt': (text, file) => [readVtt(text, file)]
}

/** Reads a transcript; at most `limit` groups of it, in the order of the file. */
export async function readTalk (path: string, limit = Infinity): Promise<ClassTalk[]> {
  const read = readers[extname(path).toLowerCase()]
  if (!read) throw new Complaint(`${path}: the name must end in one of ${Object.keys(readers).join(', ')}.`)
  const bytes = await readFile(path).catch((error: NodeJS.ErrnoException) => {
    throw new Complaint(`${path} cannot be read: ${causes[error.code ?? ''] ?? error.message}.`)
  })
  let text: string
  try {
    text = new TextDecoder('utf-8', { fatal: true }).decode(bytes)
  } catch {
    throw new Complaint(`${path} is not UTF-8 text.`)
  }
  const classes = read(text, basename(path), limit)
  return atMost(classes, limit)
}

const causes: Readonly<Record<string, string>> = {
  ENOENT: 'there is no such file',
  EISDIR: 'it is a folder',
  EACCES: 'it is not permitted'
}

function atMost (classes: readonly ClassTalk[], limit: number): ClassTalk[] {
  let left = limit
  return classes.flatMap(one => {
    const groups = one.groups.slice(0, Math.max(0, left))
    left -= groups.length
    return groups.length > 0 ? [{ ...one, groups }] : []
  })
}
