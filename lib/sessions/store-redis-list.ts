import type { SessionStatus, Session } from './schema.ts'
import { sessionOf } from './store-redis-rows.ts'
import { sessionKeys } from './store-redis-scripts.ts'
import { placeInList } from './store-rules.ts'

/** What the lists need of an ioredis client. */
export interface ListClient {
  readonly isCluster: boolean
  exists (key: string): Promise<number>
  hgetall (key: string): Promise<Record<string, string>>
  pexpire (key: string, ms: number): Promise<number>
  zadd (key: string, score: number, member: string): Promise<number>
  zrem (key: string, ...members: string[]): Promise<number>
  zrandmember (key: string, count: number): Promise<string[]>
  zrevrangebylex (key: string, max: string, min: string, limit: 'LIMIT', offset: number, count: number): Promise<string[]>
}

/** The most entries that one call looks at for sessions of a rare status. */
const scanBound = 1000

/** Entries looked at with each new session: more than one, so that the dead stay a minority where nobody ever lists. */
const sample = 4

export function indexesOf (teacherId: string): string[] {
  return [sessionKeys.teacher({ teacherId }), sessionKeys.all({})]
}

/** Puts a session into its lists; their entries all have score 0 and sort by name, which opens with the creation. */
export async function enlist (client: ListClient, session: Session, ttlMs: number): Promise<void> {
  await Promise.all(indexesOf(session.teacherId).map(async index => {
    await client.zadd(index, 0, placeInList(session))
    await client.pexpire(index, ttlMs)
    const places = await client.zrandmember(index, sample)
    const alive = await Promise.all(places.map(place => client.exists(sessionKey(client, place))))
    await strike(client, index, places.filter((_, i) => alive[i] === 0))
  }))
}

/** One page of a list, newest first. Entries whose session has expired are struck off on the way. */
export async function page (
  client: ListClient,
  { teacherId, status, limit, cursor }: { teacherId?: string, status?: SessionStatus, limit: number, cursor?: string }
): Promise<{ sessions: Session[], nextCursor: string | null }> {
  const index = teacherId === undefined ? sessionKeys.all({}) : sessionKeys.teacher({ teacherId })
  const batch = status === undefined ? limit + 1 : 100
  const sessions: Session[] = []
  let last = cursor
  for (let seen = 0; seen < scanBound && sessions.length <= limit; seen += batch) {
    const places = await client.zrevrangebylex(index, last === undefined ? '+' : `(${last}`, '-', 'LIMIT', 0, batch)
    const rows = await Promise.all(places.map(place => client.hgetall(sessionKey(client, place))))
    await strike(client, index, places.filter((_, i) => isGone(rows[i])))
    for (const row of rows) {
      if (isGone(row)) continue
      if (status === undefined || row.status === status) sessions.push(sessionOf(new Map(Object.entries(row))))
    }
    if (places.length < batch) return cut(sessions, limit, null)
    last = places.at(-1)
  }
  return cut(sessions, limit, last ?? null)
}

/** One session more than asked for shows that there is a next page; `scanned` is where to go on when none was found. */
function cut (sessions: Session[], limit: number, scanned: string | null): { sessions: Session[], nextCursor: string | null } {
  const shown = sessions.slice(0, limit)
  const end = shown.at(-1)
  return { sessions: shown, nextCursor: sessions.length > limit && end ? placeInList(end) : scanned }
}

async function strike (client: ListClient, index: string, gone: string[]): Promise<void> {
  if (gone.length > 0) await client.zrem(index, ...gone)
}

function isGone (row: Record<string, string> | undefined): row is undefined {
  return row === undefined || Object.keys(row).length === 0
}

function sessionKey (client: ListClient, place: string): string {
  return sessionKeys.session({ sessionId: place.slice(place.indexOf(':') + 1) }, client.isCluster)
}
