import { setTimeout as pause } from 'node:timers/promises'
import fc from 'fast-check'
import t from 'tap'
import { Following, type Answered } from '../../../lib/client/following.ts'
import type { Positions } from '../../../lib/core/recovery.ts'

const room = (name: string): string => `session:s:group:${name}`

/** A server that loses, doubles and swaps what it sends live, but answers `since` truthfully. */
class World {
  readonly logs = new Map<string, number>()
  readonly got = new Map<string, number[]>()
  readonly lost: string[] = []
  asked = 0
  following = new Following('s', {
    ask: async since => await this.answer(since),
    deliver: ({ meta }) => { this.got.set(meta.room, [...this.got.get(meta.room) ?? [], meta.offset as number]) },
    state: ({ lost }) => { this.lost.push(...lost) },
    changed: () => {},
    refused: error => { throw error },
    retry: () => 0
  })

  async answer (since: Positions | undefined): Promise<Answered> {
    this.asked++
    const positions = Object.fromEntries([...this.logs].map(([name, offset]) => [name, { epoch: 'e', offset }]))
    const lost = since ? Object.keys(positions).filter(name => !since[name] && positions[name]?.offset !== 0) : []
    for (const [name, place] of Object.entries(since ?? {})) {
      for (let offset = place.offset + 1; offset <= (positions[name]?.offset ?? 0); offset++) this.send(name, offset)
    }
    return { snapshot: {}, positions, lost, recovered: lost.length === 0 }
  }

  send (name: string, offset: number): void {
    this.following.take({ event: 'e', payload: {}, meta: { id: `${name}${offset}`, room: name, epoch: 'e', offset, at: '' } })
  }

  async settled (): Promise<void> {
    for (let i = 0; i < 200 && !this.following.complete; i++) await pause(5)
  }
}

t.test('whatever is lost, doubled or swapped on the way: each event once, in order', async t => {
  await fc.assert(fc.asyncProperty(
    fc.array(fc.record({ room: fc.constantFrom('a', 'b'), fate: fc.constantFrom('sent', 'sent', 'lost', 'twice', 'late', 'away') }), { minLength: 1, maxLength: 40 }),
    async history => {
      const world = new World()
      for (const name of ['a', 'b']) world.logs.set(room(name), 0)
      world.following.start()
      await world.settled()
      const late: (() => void)[] = []
      for (const { room: short, fate } of history) {
        const name = room(short)
        const offset = (world.logs.get(name) ?? 0) + 1
        world.logs.set(name, offset)
        const send = (): void => world.send(name, offset)
        if (fate === 'away') { world.following.pause(); world.following.start() }
        if (fate === 'sent' || fate === 'twice') send()
        if (fate === 'twice') send()
        if (fate === 'late') late.push(send)
        else for (const one of late.splice(0)) one()
      }
      for (const name of ['a', 'b']) {
        const offset = (world.logs.get(room(name)) ?? 0) + 1
        world.logs.set(room(name), offset)
        world.send(room(name), offset)
      }
      await world.settled()
      world.following.pause()
      for (const name of ['a', 'b']) {
        const wanted = Array.from({ length: world.logs.get(room(name)) ?? 0 }, (_, i) => i + 1)
        if (JSON.stringify(world.got.get(room(name))) !== JSON.stringify(wanted)) throw new Error(`${name}: ${String(world.got.get(room(name)))} of ${wanted.length}`)
      }
    }
  ), { numRuns: 60 })
  t.pass('60 histories')
})

t.test('a group that came into being while the client was away is read from its beginning', async t => {
  const world = new World()
  world.logs.set('session:s', 0)
  world.following.start()
  await world.settled()
  world.following.pause()
  world.logs.set(room('new'), 3)
  world.following.start()
  await world.settled()
  t.same(world.got.get(room('new')), [1, 2, 3])
  t.same(world.lost, [])
})

for (const [name, kept] of [['all of it is there', true], ['its beginning is not there any more', false]] as const) {
  t.test(`another epoch is read from its beginning, and what was before it is said to be lost, once: ${name}`, async t => {
    const seen: unknown[] = []
    const send = (offset: number): void => known.take({ event: 'e', payload: {}, meta: { id: '', room: 'session:s', epoch: 'new', offset, at: '' } })
    const known = new Following('s', {
      ask: async since => {
        const place = since?.['session:s']
        if (!place) return { snapshot: {}, positions: { 'session:s': { epoch: 'old', offset: 2 } }, lost: [], recovered: true }
        const there = kept && place.epoch === 'new'
        if (there) for (let offset = place.offset + 1; offset <= 7; offset++) send(offset)
        return { snapshot: {}, positions: { 'session:s': { epoch: 'new', offset: 7 } }, lost: there ? [] : ['session:s'], recovered: there }
      },
      deliver: ({ meta }) => { seen.push(meta.offset) },
      state: ({ lost, recovered }) => { seen.push({ lost, recovered }) },
      changed: () => {},
      refused: () => {},
      retry: () => 0
    })
    known.start()
    await pause(5)
    for (const offset of [7, 8, 9]) send(offset)
    await pause(30)
    const begun = { lost: [], recovered: true }
    const told = { lost: ['session:s'], recovered: false }
    t.same(seen, kept ? [begun, 1, 2, 3, 4, 5, 6, 7, told, 8, 9] : [begun, told, 8, 9])
  })
}

// Redis came back without its data: the room begins anew, and the session is gone.
t.test('what is held when the server will not have it any more goes out as it came, once', async t => {
  const got: string[] = []
  let isGone = false
  let refused = (): void => {}
  const refusal = new Promise<void>(resolve => { refused = resolve })
  const following = new Following('s', {
    ask: async () => {
      if (isGone) throw new Error('SESSION_NOT_FOUND')
      return { snapshot: {}, positions: { [room('a')]: { epoch: 'e', offset: 1 } }, lost: [], recovered: true }
    },
    deliver: ({ meta }) => { got.push(`${meta.epoch} ${meta.offset}`) },
    state: () => {},
    changed: () => {},
    refused: () => refused(),
    retry: () => undefined
  })
  following.start()
  while (!following.complete) await pause(1)
  isGone = true
  for (const [epoch, offset] of [['e', 1], ['e', 2], ['f', 1], ['f', 2], ['f', 2]] as const) following.take({ event: 'e', payload: {}, meta: { id: '', room: room('a'), epoch, offset, at: '' } })
  await refusal
  t.same(got, ['e 2', 'f 1', 'f 2'])
})
