import { EventEmitter } from 'node:events'
import type { Socket } from 'socket.io'
import t from 'tap'
import { cut, drain } from '../../../lib/core/drain.ts'

/** Connections that note what comes to them; a stalled one never gets to close. */
class Wire extends EventEmitter {
  readyState = 'open'
  readonly seen: string[] = []
  readonly at: number[] = []
  readonly retries: number[] = []
  readonly stalled: boolean
  constructor (stalled = false) {
    super()
    this.stalled = stalled
  }

  close (): void {
    this.seen.push('close')
    this.readyState = this.stalled ? 'closing' : 'closed'
    if (!this.stalled) this.emit('close')
  }

  socket (id: string): Socket {
    const emit = (event: string, { retryAfterMs }: { retryAfterMs: number }, meta: { room: string }): void => {
      this.seen.push(`${event} ${meta.room}`)
      this.at.push(performance.now())
      this.retries.push(retryAfterMs)
    }
    return { id, conn: this, emit } as unknown as Socket
  }
}

const connections = (wires: readonly Wire[]): Socket['conn'][] => wires as unknown as Socket['conn'][]

const onError = (error: unknown): void => { throw error }

t.test('each socket is told, then its connection closes, once', async t => {
  const [a, b, idle] = [new Wire(), new Wire(), new Wire()]
  await drain([a.socket('a1'), b.socket('b1'), a.socket('a2')], 20, { now: Date.now, connections: connections([a, b, idle]), onError })
  t.same([a.seen, b.seen, idle.seen], [['server:draining a1', 'server:draining a2', 'close'], ['server:draining b1', 'close'], ['close']])
  await drain([], 20, { now: Date.now, connections: connections([]), onError })
})

t.test('connections that the host owns are told, not closed', async t => {
  const wire = new Wire()
  await drain([wire.socket('a')], 0, { now: Date.now, onError })
  t.same(wire.seen, ['server:draining a'])
})

t.test('they go one after the other, in the window', async t => {
  const wires = Array.from({ length: 40 }, () => new Wire())
  const began = performance.now()
  await drain(wires.map((wire, i) => wire.socket(String(i))), 200, { now: Date.now, connections: connections(wires), onError })
  const took = performance.now() - began
  t.ok(took >= 190 && took < 5_000, `${took} ms`)
  const [first = 0, last = 0] = [wires[0]?.at[0], wires.at(-1)?.at[0]]
  t.ok(last - first >= 190, `${last - first} ms from the first to the last`)
  const retries = wires.flatMap(wire => wire.retries)
  t.ok(Math.min(...retries) >= 100 && Math.max(...retries) <= 1_000 && new Set(retries).size > 20, 'and are not asked to come back all at once')
  t.ok(wires.every((wire, i) => i === 0 || (wire.at[0] as number) >= (wires[i - 1]?.at[0] as number)), 'in order')
})

t.test('nobody waits long for few, nor for one that has stalled, nor for one that has gone', async t => {
  const began = performance.now()
  const [stalled, gone] = [new Wire(true), new Wire()]
  gone.readyState = 'closed'
  await drain([stalled.socket('a'), gone.socket('b')], 60_000, { now: Date.now, connections: connections([stalled, gone]), onError })
  t.ok(performance.now() - began < 2_000)
  t.same(gone.seen, ['server:draining b'])
})

t.test('what throws on the way is told, and keeps nobody', async t => {
  const errors: unknown[] = []
  const [deaf, stuck, last] = [new Wire(), new Wire(true), new Wire()]
  const [first, second] = [deaf.socket('a1'), deaf.socket('a2')]
  first.emit = () => { throw new Error('told') }
  stuck.close = () => { throw new Error('closed') }
  await drain([first, second, stuck.socket('b'), last.socket('c')], 0, { now: Date.now, connections: connections([deaf, stuck, last]), onError: error => errors.push(error) })
  const messages = (): string[] => errors.map(error => (error as Error).message)
  t.same(messages(), ['told', 'closed'])
  t.same([deaf.seen, stuck.seen, last.seen], [['server:draining a2', 'close'], ['server:draining b'], ['server:draining c', 'close']])
  cut(connections([stuck, last]), error => errors.push(error))
  t.same([messages().length, last.seen.length], [3, 3], 'also when what is left is cut')
})
