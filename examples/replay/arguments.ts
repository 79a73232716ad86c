import { parseArgs } from 'node:util'
import { Complaint } from './talk.ts'

export const usage = `npm run replay -- FILE [--speed N] [--url URL --token T] [--session ID] [--limit N] [--json]

FILE           .jsonl, .json, .csv (with a header) or .vtt; examples/class/garden.json is one
--speed N      N times as fast as the class was; 1 is real time. Without it: as fast as guidance keeps up
--url URL      a running server; without it the replay brings its own, in memory
--token T      a teacher's token for that server
--session ID   a session of that teacher, instead of a new one; it is not ended
--limit N      at most N groups of the file
--json         the result as JSON instead of tables
`

export interface Arguments {
  file: string
  speed?: number
  /** A running server and a teacher's token for it. */
  server?: { url: string, token: string }
  session?: string
  limit?: number
  json: boolean
}

/** @throws Complaint with exit code 2 for words that make no sense */
export function readArguments (words: readonly string[]): Arguments {
  const { values, positionals: [file, ...more] } = parse(words)
  if (file === undefined) throw new Complaint('Which file shall be replayed?', 2)
  if (more.length > 0) throw new Complaint(`One file at a time: ${more.join(' ')} is too much.`, 2)
  const { url, token, session, json = false } = values
  if (url !== undefined && (!URL.canParse(url) || !/^https?:/.test(url))) throw new Complaint(`--url must be an http address, not ${url}.`, 2)
  if (url !== undefined && !token) throw new Complaint('--url needs --token, a teacher\'s token for that server.', 2)
  if (url === undefined && (token !== undefined || session !== undefined)) throw new Complaint('--token and --session need --url, the server that they are of.', 2)
  return {
    file,
    json,
    speed: number('speed', values.speed),
    limit: number('limit', values.limit, true),
    ...(session !== undefined && { session }),
    ...(url !== undefined && token !== undefined && { server: { url, token } })
  }
}

function parse (words: readonly string[]) {
  try {
    return parseArgs({
      args: [...words],
      allowPositionals: true,
      options: {
        speed: { type: 'string' },
        url: { type: 'string' },
        token: { type: 'string' },
        session: { type: 'string' },
        limit: { type: 'string' },
        json: { type: 'boolean' }
      }
    })
  } catch (error) {
    throw new Complaint(`${(error as Error).message.split('. ')[0]}.`, 2)
  }
}

function number (option: string, text: string | undefined, whole = false): number | undefined {
  if (text === undefined) return undefined
  const value = Number(text)
  if (text.trim() !== '' && Number.isFinite(value) && value > 0 && (!whole || Number.isInteger(value))) return value
  throw new Complaint(`--${option} must be a ${whole ? 'whole ' : ''}number above 0, not ${JSON.stringify(text)}.`, 2)
}
