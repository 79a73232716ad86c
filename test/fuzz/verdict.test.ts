import t from 'tap'
import type { Report } from './attack.ts'
import type { State } from './target.ts'
import { faults } from './verdict.ts'

/** A judge that finds nothing proves nothing: each kind of fault is shown to it. */

const state: State = { pid: 1, frames: 0, requests: 0, heap: 50 * 2 ** 20, rss: 200 * 2 ** 20, files: 20, connections: 0, sockets: 0, rooms: 0, errors: [] }
const good: Report = {
  seed: 1, frames: 10, requests: 1, connections: 1, seconds: 1, before: state, warm: state, after: state, status: 'active', foreign: [], failures: [], served: 3, worstMs: 9
}

t.test('a good report has no fault', async t => {
  t.same(faults(good), [])
  t.same(faults({ ...good, after: { ...state, heap: state.heap + 2 ** 20, rss: state.rss + 2 ** 20, connections: -1 } }), [], 'a little more memory is none')
})

t.test('each fault is found, and said', async t => {
  const found = (change: Partial<Report>, after: Partial<State> = {}): string => faults({ ...good, after: { ...state, ...after }, ...change }).join()
  t.match(found({ exit: 'the process ended with 1', failures: ['never asked'] }), /^the process ended with 1$/)
  t.match(found({ foreign: ['session:status_changed'] }), /foreign class: session:status_changed/)
  t.match(found({ failures: ['pause: 500'] }), /honest class: pause: 500/)
  t.match(found({ served: 0 }), /was not served/)
  t.match(found({ status: 'ended' }), /was ended/)
  t.match(found({}, { errors: ['TypeError'] }), /error of ours: TypeError/)
  t.match(found({}, { pid: 2 }), /another one/)
  for (const what of ['connections', 'sockets', 'rooms', 'files'] as const) t.match(found({}, { [what]: state[what] + 1 }), new RegExp(`${what} are left`))
  t.match(found({}, { heap: state.heap + 33 * 2 ** 20 }), /heap has grown by 33 MiB/)
  t.match(found({}, { rss: state.rss + 193 * 2 ** 20 }), /process has grown by 193 MiB/)
})
