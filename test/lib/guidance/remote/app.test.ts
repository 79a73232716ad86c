import type { ServerResponse } from 'node:http'
import t, { type Test } from 'tap'
import { openaiAnalyzer } from '../../../../index.ts'
import { build, token } from '../../../app.ts'
import { patienceMs } from '../../../client.ts'
import { endpoint, good, tier1Answer, tier2Answer, type Asked } from './endpoint.ts'

/** A whole server whose analyzer is behind an endpoint. */

const texts = ['the outer bank is faster', 'so it erodes', 'and the inner bank gets the sand', 'that makes the bend grow']

async function classOf (t: Test, answer: (response: ServerResponse, asked: Asked) => void, timeoutMs: number) {
  const { baseUrl, asked } = await endpoint(t, answer)
  const server = await build(t, { metrics: { public: true }, guidance: { analyzer: openaiAnalyzer({ baseUrl, model: 'small', timeoutMs }) } })
  const teacher = token({ sub: 'teacher-1' })
  const { sessionId } = await server.session(teacher, { groups: [{ groupId: 'red', name: 'Red', memberIds: ['mia-1'] }] })
  const begin = Date.now() - 600_000
  const slices = Array.from({ length: 70 }, (_, i) => ({
    groupId: 'red', speaker: 'mia-1', text: `${texts[i % 4] ?? ''}, says mia-1`, startedAt: new Date(begin + i * 3000).toISOString(), endedAt: new Date(begin + i * 3000 + 2000).toISOString()
  }))
  const { status } = await server.call('POST', `/sessions/${sessionId}/transcripts`, { slices }, teacher)
  t.equal(status, 202)
  const insights = async (): Promise<{ tier1?: object, tier2?: object } | undefined> => {
    const { body } = await server.call<{ insights: { tier1?: object, tier2?: object }[] }>('GET', `/sessions/${sessionId}/guidance`, undefined, teacher)
    return body.insights[0]
  }
  const until = async (look: () => Promise<boolean>): Promise<void> => {
    const deadline = Date.now() + patienceMs
    while (!await look()) {
      if (Date.now() > deadline) throw new Error('waited in vain')
      await new Promise(resolve => setTimeout(resolve, 20))
    }
  }
  const failures = async (): Promise<number> => {
    const { body } = await server.call<string>('GET', '//metrics')
    return [...body.matchAll(/^classwaves_analyzer_failures_total\{[^}]*\} (\d+)$/gm)].reduce((sum, [, n]) => sum + Number(n), 0)
  }
  return { ...server, asked, insights, until, failures }
}

t.test('its answers reach the teacher; the pupils\' ids do not reach it', async t => {
  const { asked, insights, until, failures } = await classOf(t, good, 5000)
  await until(async () => { const now = await insights(); return now?.tier1 !== undefined && now.tier2 !== undefined })
  const now = await insights()
  t.match(now, { tier1: tier1Answer, tier2: { confidence: tier2Answer.confidence } })
  t.ok(asked.length > 0)
  for (const { text } of asked) t.notMatch(text, /mia/)
  t.equal(await failures(), 0)
})

t.test('when it hangs, the embedded insights go out, the failures are in the metrics, and closing does not wait', async t => {
  const { app, log, insights, until, failures, asked } = await classOf(t, () => {}, 60_000)
  await until(async () => asked.length > 0)
  const begun = performance.now()
  t.equal(await insights(), undefined, 'nobody waited for it')
  await until(async () => (await insights())?.tier1 !== undefined)
  t.ok(performance.now() - begun < 15_000)
  t.ok(await failures() > 0)
  t.notMatch(log(), /bank|bend|mia/)
  t.notOk((await insights())?.tier2, 'tier2 still waits')
  const closing = performance.now()
  await app.close()
  t.ok(performance.now() - closing < 15_000)
})
