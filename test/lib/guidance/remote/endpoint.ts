import { once } from 'node:events'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { Test } from 'tap'
import type { GroupContext, Window } from '../../../../lib/guidance/analyzer.ts'
import { assess, fold, start, tier2 } from '../../../../lib/guidance/embedded/index.ts'
import type { Tier2Insights } from '../../../../lib/guidance/schema.ts'

/** A stand-in for a chat completions endpoint, good or bad, and a window to ask it about. */

export interface Asked { path: string, headers: IncomingMessage['headers'], text: string }

export interface Endpoint {
  baseUrl: string
  asked: Asked[]
  /** Connections that are open. */
  connections: () => Promise<number>
}

/** `misbehave` answers once the whole request is there. */
export async function endpoint (t: Test, misbehave: (response: ServerResponse, asked: Asked) => void): Promise<Endpoint> {
  const asked: Asked[] = []
  const server = createServer((request, response) => {
    const chunks: Buffer[] = []
    request.on('data', (chunk: Buffer) => { chunks.push(chunk) })
    request.on('end', () => {
      const one = { path: request.url ?? '', headers: request.headers, text: Buffer.concat(chunks).toString() }
      asked.push(one)
      misbehave(response, one)
    })
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  t.teardown(async () => {
    server.closeAllConnections()
    server.close()
    await once(server, 'close')
  })
  return {
    baseUrl: `http://127.0.0.1:${(server.address() as AddressInfo).port}/v1`,
    asked,
    connections: async () => await new Promise((resolve, reject) => { server.getConnections((error, count) => { error ? reject(error) : resolve(count) }) })
  }
}

export function json (response: ServerResponse, body: unknown, status = 200, headers: Record<string, string> = {}): void {
  response.writeHead(status, { 'content-type': 'application/json', ...headers }).end(typeof body === 'string' ? body : JSON.stringify(body))
}

/** As a chat completion carries it. */
export function completion (answer: unknown): object {
  return { id: 'c1', object: 'chat.completion', choices: [{ index: 0, finish_reason: 'stop', message: { role: 'assistant', content: typeof answer === 'string' ? answer : JSON.stringify(answer) } }] }
}

export const tier1Answer = {
  topicalCohesion: 0.11, conceptualDensity: 0.22, offTopicHeat: 0.33, discussionMomentum: -0.44, confusionRisk: 0.55, energyLevel: 0.66, onTrackScore: 0.77, confidence: 0.88
}

export const tier2Answer = {
  argumentationQuality: { score: 0.1, claimEvidence: 0.2, logicalFlow: 0.3, counterarguments: 0.4, synthesis: 0.5 },
  collaborationPatterns: { turnTaking: 0.1, buildingOnIdeas: 0.2, conflictResolution: 0.3, inclusivity: 0.4 },
  learningSignals: { conceptualGrowth: 0.1, questionQuality: 0.2, metacognition: 0.3, knowledgeApplication: 0.4 },
  groupEmotionalArc: { trajectory: 'ascending', averageEngagement: 0.6 },
  recommendations: [{ type: 'deepen', priority: 'low', message: 'Ask Speaker 2 what they would add.' }],
  confidence: 0.9
}

/** The right answer to whichever tier was asked. */
export function good (response: ServerResponse, { text }: Asked): void {
  json(response, completion(text.includes('argumentationQuality') ? tier2Answer : tier1Answer))
}

export const context: GroupContext = { topic: 'Why do rivers bend?', goals: ['Explain a meander'], members: [], names: [] }

export function windowOf (lines: readonly (readonly [speaker: string | null, text: string])[]): { window: Window, reading: Tier2Insights } {
  const origin = 1_700_000_000_000
  const features = start()
  const utterances = lines.map(([speaker, text], i) => ({ speaker, text, startedAt: origin + i * 3000, endedAt: origin + i * 3000 + 2500 }))
  for (const one of utterances) fold(features, one, context)
  const end = origin + lines.length * 3000
  return { window: { sessionId: 's-secret', groupId: 'g-secret', start: origin, end, utterances, assessment: assess(features, end, context) }, reading: tier2(features, end, context) }
}

export const said = [
  ['Anna', 'the outer bank of the river is faster'], ['Bilal', 'so it erodes the bank there'], ['Anna', 'and the inner bank gets the sand'],
  ['Bilal', 'that makes the bend grow'], ['Anna', 'why is it slower inside'], ['Bilal', 'because the water is not so deep']
] as const
