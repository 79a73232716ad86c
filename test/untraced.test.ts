import { readFile } from 'node:fs/promises'
import { Session } from 'node:inspector/promises'
import t, { type Test } from 'tap'
import type { ClasswavesOptions } from '../index.ts'
import { build, token } from './app.ts'
import { useRedis } from './redis.ts'
import { redFallsSilent } from './talk.ts'

/**
 * Who does not trace pays nothing for it: no code of `lib/core/tracing.ts` runs, and no code of ours asks for OpenTelemetry
 * (the library of the metrics does, for itself). The engine says what ran and what was loaded, so it does not matter who
 * would wrap what.
 */

const root = new URL('../', import.meta.url).href
const session = new Session()
session.connect()
const loaded: string[] = []
session.on('Debugger.scriptParsed', ({ params: { url } }) => { loaded.push(url) })
await session.post('Debugger.enable')
await session.post('Profiler.enable')

/** The functions of tracing that ran while a class took place, over REST, sockets, gates and the way to the teacher. */
async function tracingIn (t: Test, options: ClasswavesOptions): Promise<string[]> {
  await session.post('Profiler.startPreciseCoverage', { callCount: true })
  const app = await build(t, options)
  const mine = token({ sub: 'teacher-1' })
  const { sessionId } = await app.session(mine)
  const [teacher, guidance] = [await app.connect('/sessions', mine), await app.connect('/guidance', mine)]
  await teacher.ok('session:join', { sessionId })
  await guidance.ok('session:guidance:subscribe', { sessionId })
  await app.call('POST', `/sessions/${sessionId}/transcripts`, { slices: redFallsSilent() }, mine)
  await guidance.next('teacher:alert')
  const { result } = await session.post('Profiler.takePreciseCoverage')
  await session.post('Profiler.stopPreciseCoverage')
  return result.filter(({ url }) => url.endsWith('/lib/core/tracing.ts'))
    .flatMap(({ functions }) => functions)
    .filter(({ functionName, ranges: [all] }) => functionName !== '' && (all?.count ?? 0) > 0)
    .map(({ functionName }) => functionName)
}

t.test('without the host\'s word no code of tracing is on the way', async t => {
  const { url } = await useRedis(t)
  for (const redis of [false, url]) t.same(await tracingIn(t, { redis }), [])
  const ours = loaded.filter(script => script.startsWith(root) && !/\/(?:node_modules|test)\//.test(script))
  const ask = await Promise.all(ours.map(async script => /^import .*'@opentelemetry|(?:import|require)\('@opentelemetry/m.test(await readFile(new URL(script), 'utf8')) ? [script] : []))
  t.ok(ours.some(script => script.endsWith('/lib/core/tracing.ts')))
  t.same(ask.flat(), [])

  // Control: it is seen where it runs.
  const ran = await tracingIn(t, { tracing: await import('@opentelemetry/api') })
  for (const name of ['createTracing', 'tracedHandlers', 'tracedTransport', 'span', 'send']) t.ok(ran.includes(name), name)
})

t.teardown(() => session.disconnect())
