import t from 'tap'
import type { GuidanceState } from '../../index.ts'
import { build, onBoth, token } from '../app.ts'
import { redFallsSilent } from '../talk.ts'

onBoth(t, 'what stands now, and what a teacher does with it', async (t, options) => {
  const app = await build(t, options)
  const mine = token()
  const { sessionId } = await app.session(mine)
  const state = async () => (await app.call<GuidanceState>('GET', `/sessions/${sessionId}/guidance`, undefined, mine)).body
  t.same(await state(), { attention: [], prompts: [], insights: [] }, 'before anybody spoke')
  await app.call('POST', `/sessions/${sessionId}/transcripts`, { slices: redFallsSilent() }, token({ role: 'worker' }))
  const { attention, prompts, insights } = await state()
  t.match(attention, [
    { sessionId, groupId: 'red', heat: 'Focus Now', why: [{ signal: 'stall' }], timestamp: String },
    { sessionId, groupId: 'blue', heat: 'Stable' }
  ], 'the group that needs somebody first')
  t.ok(attention.every(({ attentionScore }) => Number.isInteger(attentionScore) && attentionScore >= 0 && attentionScore <= 100))
  t.ok(prompts.length > 0)
  t.match(insights.find(one => one.groupId === 'blue'), { tier1: { onTrackScore: Number, windowStart: String }, tier2: { confidence: Number } })

  const [{ promptId }] = prompts as [GuidanceState['prompts'][number]]
  const act = async (id: string, body: object, in_ = sessionId) => await app.call('POST', `/sessions/${in_}/prompts/${id}/interactions`, body, mine)
  t.match(await act(promptId, { action: 'acknowledge' }), { status: 200, body: { promptId, action: 'acknowledge', timestamp: String } })
  t.ok((await state()).prompts.some(one => one.promptId === promptId), 'seen is not done')
  t.equal((await act(promptId, { action: 'use', feedback: 'It helped.' })).status, 200)
  t.notOk((await state()).prompts.some(one => one.promptId === promptId))
  const other = await app.session(mine)
  t.match(await act(promptId, { action: 'use' }, other.sessionId), { status: 404, body: { code: 'PROMPT_NOT_FOUND' } }, 'a prompt of another session')
  t.match(await act(`${sessionId}.0`, { action: 'use' }), { status: 404, body: { code: 'PROMPT_NOT_FOUND' } })
  for (const [body, path] of [[{}, '/action'], [{ action: 'like' }, '/action'], [{ action: 'use', feedback: 7 }, '/feedback'], [{ action: 'use', promptId }, '/promptId']] as const) {
    t.match(await act(promptId, body), { status: 400, body: { code: 'INVALID_PAYLOAD', details: { path } } }, path)
  }
})
