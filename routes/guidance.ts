import Type from 'typebox'
import { teachers } from '../lib/core/access.ts'
import { Closed, Id, Timestamp } from '../lib/core/schema.ts'
import type { GuidanceArea } from '../lib/guidance/area.ts'
import { GuidanceState, PromptAction } from '../lib/guidance/schema.ts'
import { callerOf, type Scope } from './scope.ts'

const tags = ['guidance']

/** What stands now, and what the teacher does with it. */
export function guidanceRoutes (scope: Scope, { teacher }: Pick<GuidanceArea, 'teacher'>): void {
  scope.get('/sessions/:sessionId/guidance', {
    config: { who: teachers },
    schema: {
      tags,
      operationId: 'getGuidance',
      summary: 'Attention by group, open prompts and the last insights.',
      params: Closed({ sessionId: Id }),
      response: { 200: GuidanceState }
    }
  }, async request => (await teacher.session(callerOf(request), request.params.sessionId)).state)

  scope.post('/sessions/:sessionId/prompts/:promptId/interactions', {
    config: { who: teachers },
    schema: {
      tags,
      operationId: 'interactWithPrompt',
      summary: 'The teacher acts on a prompt; the same as prompt:interact.',
      params: Closed({ sessionId: Id, promptId: Id }),
      body: Closed({ action: PromptAction, feedback: Type.Optional(Type.String({ maxLength: 1000 })) }),
      response: { 200: Type.Object({ promptId: Id, action: PromptAction, timestamp: Timestamp }) }
    }
  }, async request => await teacher.interact(callerOf(request), { ...request.params, ...request.body }))
}
