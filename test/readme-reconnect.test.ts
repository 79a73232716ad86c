import { randomUUID } from 'node:crypto'
import { setTimeout as pause } from 'node:timers/promises'
import t, { type Test } from 'tap'
import { build, token, type App } from './app.ts'
import { patienceMs } from './client.ts'
import { unlessLate } from './late.ts'
import { useRedis } from './redis.ts'
import { documentText, Project, snippetsIn } from './snippets.ts'

/**
 * What the README tells users of a stock Socket.IO client to do, done while a class talks: each event that was accepted
 * is handed on once and in order. Fails with places that are taken from the answer alone, or without a look at offset and
 * epoch: events that come before the answer are asked for again, and a hole is not seen.
 */

const [recipe] = snippetsIn(await documentText('README.md')).filter(({ text }) => text.includes('answer.recovered'))
if (!recipe) throw new Error('the README does not say how to come back')

interface Stock { id?: string, connected: boolean, connect (): Stock, disconnect (): Stock }

interface Reader {
  classroom: Stock
  /** The ids of the talk of each group, as they were handed on. */
  heard: Record<string, string[]>
}

const groups = ['otters', 'herons']
const inEach = <T>(value: () => T): Record<string, T> => Object.fromEntries(groups.map(groupId => [groupId, value()]))

/** Runs the recipe in a class; a project of its own for each, as a program is loaded once. */
async function follow (t: Test, { url, session }: App, sub: string): Promise<Reader & { sessionId: string, told: string[] }> {
  const mine = token({ sub })
  const { sessionId } = await session(mine, { groups: groups.map(groupId => ({ groupId, name: groupId })) })
  const heard = inEach<string[]>(() => [])
  const told: string[] = []
  const show = (room: string, event: string, payload: unknown): void => {
    if (room === '') told.push(event)
    else if (event === 'transcription:group:new') heard[(payload as { groupId: string }).groupId]?.push((payload as { id: string }).id)
  }
  const project = await Project.create(t)
  const names = await project.run(recipe as NonNullable<typeof recipe>, { sessionId, token: mine, show }, [['http://127.0.0.1:3000', url]]) as unknown as Pick<Reader, 'classroom'> & { joined: boolean }
  t.teardown(() => names.classroom.disconnect())
  await until(() => names.joined)
  return { classroom: names.classroom, heard, sessionId, told }
}

async function until (look: () => boolean): Promise<boolean> {
  for (const end = Date.now() + patienceMs; Date.now() < end; await pause(10)) if (look()) return true
  return false
}

/** Says a slice in each group every few milliseconds while something goes on; the ids, in the order in which they were accepted. */
async function talkDuring (app: App, sessionId: string, events: (said: Record<string, string[]>) => Promise<unknown>): Promise<Record<string, string[]>> {
  const said = inEach<string[]>(() => [])
  let stopped = false
  const isOver = (): boolean => stopped
  const talking = (async () => {
    for (let n = 0; !isOver(); n++) {
      const groupId = groups[n % groups.length] as string
      const now = new Date().toISOString()
      const id = randomUUID()
      await unlessLate(async () => await app.app.sessions.transcribe(sessionId, [{ id, groupId, speaker: 'Ada', text: 'So it takes the bank away.', startedAt: now, endedAt: now }]))
      said[groupId]?.push(id)
      await pause(5)
    }
  })()
  try {
    await events(said)
  } finally {
    stopped = true
  }
  await talking
  return said
}

const length = (of: Record<string, string[]>): number => Object.values(of).flat().length

for (const backend of ['memory', 'Redis']) {
  t.test(`many reconnects and holes while a class talks, on ${backend}`, { timeout: 180_000 }, async t => {
    const app = await build(t, backend === 'Redis' ? { redis: (await useRedis(t)).url } : {})
    const { sessionId, classroom, heard, told } = await follow(t, app, 'teacher-1')

    const said = await talkDuring(app, sessionId, async said => {
      for (let round = 0; round < 40 || length(said) < 100; round++) {
        await pause(20 + round % 7 * 5)
        classroom.disconnect()
        // Every other time something is said while it is away.
        if (round % 2 === 0) await pause(15)
        classroom.connect()
        await until(() => classroom.connected)
        // Now and then it goes again before it is answered.
        if (round % 5 === 0) classroom.disconnect().connect()
      }
    })
    await until(() => length(heard) >= length(said))
    await pause(200)
    t.comment(`${length(said)} were said`)
    t.same(heard, said, 'each once, in order')

    // What a server loses on its way, or jumps over: it is out of its rooms for a moment.
    for (const all of Object.values(heard)) all.length = 0
    const missed = await talkDuring(app, sessionId, async said => {
      for (let round = 0; round < 10; round++) {
        await pause(50)
        const socket = app.app.io.of('/sessions').sockets.get(classroom.id ?? '')
        const rooms = [...socket?.rooms ?? []]
        for (const room of rooms) await socket?.leave(room)
        await pause(25)
        await socket?.join(rooms)
      }
      // A hole shows with what is said after it, in each room; one word may be on its way already.
      const then = Object.entries(said).map(([room, words]) => [room, words.length] as const)
      await until(() => then.every(([room, before]) => (said[room]?.length ?? 0) > before + 1))
    })
    await until(() => length(heard) >= length(missed))
    await pause(200)
    t.same(heard, missed, 'a hole is asked for')
    // Whoever asks while it is out of its rooms hears so, and asks again.
    t.same(told.filter(message => message !== 'The connection has gone.'), [], 'nothing was told as lost')
  })
}
