import { randomUUID } from 'node:crypto'
import t, { type Test } from 'tap'
import { roles } from '../index.ts'
import { commonReceives } from '../lib/core/contract.ts'
import { contracts } from '../lib/contract.ts'
import { build, token, type App } from './app.ts'
import type { Client } from './client.ts'
import { doors, events, readers, routes, type Cells, type Who } from './policy.ts'
import { eventRequests, routeRequests, type Place } from './requests.ts'
import { redFallsSilent } from './talk.ts'

/** The table in `policy.ts` against the served package: each cell is asked for over a real connection. */

const columns = ['own', 'foreign', 'ended', 'unknown'] as const
type Column = typeof columns[number]
interface Asker { role: string, who: Who, sub: string, token: string | undefined }

const askers: Asker[] = [...roles, 'anonymous'].map(role => {
  const sub = `${role}-asks`
  return role === 'anonymous' ? { role, who: role, sub, token: undefined } : { role, who: readers[role] as Who, sub, token: token({ sub, role }) }
})

/** Limits are another test's affair. */
const plenty = 1_000_000
const limits = {
  eventsPerSecond: plenty, eventBurst: plenty, roomsPerSocket: plenty, failedConnectsPerMinute: plenty, connectsPer10Seconds: plenty,
  wrongCodesPerMinute: plenty, wrongCodesPerDay: plenty, audioChunksPerSecond: plenty
}

async function boot (t: Test): Promise<App & { served: string[] }> {
  const served: string[] = []
  const app = await build(t, { limits, sessions: { transcriber: () => {} } }, host => {
    host.addHook('onRoute', ({ method, url, config }) => {
      if (config?.who && method !== 'HEAD') served.push(`${String(method)} ${url.replace(/^\/api\/v1/, '')}`)
    })
  })
  return { ...app, served }
}

/** A session as one column of the table has it, for one asker. */
async function placeFor ({ app }: App, asker: Asker, column: Column, status = 'active', prompts = false): Promise<Place> {
  const nobody = { groupId: 'red', code: 'WRONG2', token: token({ sub: asker.sub, role: asker.role }) }
  if (column === 'unknown') return { ...nobody, sessionId: randomUUID(), promptId: `${randomUUID()}.${randomUUID().slice(0, 13)}` }
  const own = column !== 'foreign'
  const teaches = asker.who === 'teacher' || asker.who === 'admin'
  const { sessionId, code } = await app.sessions.create({
    topic: 'Why do rivers bend?',
    groups: [{ groupId: 'red', name: 'Red', ...(own && asker.who === 'student' && { leaderId: asker.sub, memberIds: [asker.sub] }) }, { groupId: 'blue', name: 'Blue' }]
  }, own && teaches ? asker.sub : 'a-teacher')
  if (status !== 'created' || column === 'ended') await app.sessions.start(sessionId)
  if (prompts) await app.sessions.transcribe(sessionId, redFallsSilent())
  if (status === 'paused') await app.sessions.pause(sessionId)
  if (column === 'ended') await app.sessions.end(sessionId)
  const [prompt] = prompts ? (await app.guidance.state(sessionId)).prompts : []
  return { ...nobody, sessionId, code, promptId: prompt?.promptId ?? 'none' }
}

/** Answers that must not differ by more than the ids of what was asked for. */
function bare (answer: unknown, { sessionId, promptId }: Place): string {
  return JSON.stringify(answer).replaceAll(promptId, '(prompt)').replaceAll(sessionId, '(session)')
}

/** Compares a row with what came back, and what a stranger's session says with what no session says. */
function compare (t: Test, name: string, asker: Asker, expected: Cells | undefined, got: { code: string, body: string }[]): void {
  t.same(got.map(({ code }) => code), expected, `${name}, ${asker.role}`)
  if (expected?.[1] !== undefined && expected[1] === expected[3]) t.equal(got[1]?.body, got[3]?.body, `${name}, ${asker.role}: foreign and unknown are told the same`)
}

const columnsOf = (cells: Cells | undefined): readonly Column[] => cells?.length === 1 ? ['own'] : columns

t.test('each event and each route has a row and a request', async t => {
  const declared = contracts.flatMap(({ namespace, receives, refuses }) =>
    [...Object.keys({ ...commonReceives, ...receives }), ...Object.keys(refuses)].map(event => `${namespace} ${event}`)).sort()
  t.same(Object.keys(events).sort(), declared)
  t.same(Object.keys(eventRequests).sort(), declared)
  const { served, call } = await boot(t)
  t.same(Object.keys(routes).sort(), served.sort())
  t.same(Object.keys(routeRequests).sort(), served)
  const { body } = await call<{ paths: Record<string, object> }>('GET', '//openapi.json')
  const documented = Object.entries(body.paths).flatMap(([path, methods]) => Object.keys(methods).map(method => `${method.toUpperCase()} ${path.replace(/^\/api\/v1/, '').replaceAll(/\{(\w+)\}/g, ':$1')}`))
  t.same(documented.sort(), served, 'and stands in the document')
  t.same(Object.keys(doors).sort(), contracts.map(({ namespace }) => namespace).sort())
  t.same(Object.keys(readers).sort(), [...roles].sort())
})

t.test('namespaces', async t => {
  const app = await boot(t)
  for (const [namespace, door] of Object.entries(doors)) {
    for (const asker of askers) {
      const code = door[asker.who] === 'ok'
        ? await app.connect(namespace, asker.token ?? {}).then(() => 'ok')
        : (await app.refusal(namespace, asker.token ?? {})).code
      t.equal(code, door[asker.who], `${namespace}, ${asker.role}`)
    }
  }
})

t.test('events', async t => {
  const app = await boot(t)
  for (const asker of askers) {
    const sockets = new Map<string, Client>()
    for (const [namespace, door] of Object.entries(doors)) {
      if (door[asker.who] === 'ok') sockets.set(namespace, await app.connect(namespace, asker.token ?? {}))
    }
    for (const [name, row] of Object.entries(events)) {
      const [namespace, event] = name.split(' ') as [string, string]
      const socket = sockets.get(namespace)
      if (!socket) {
        t.equal(row[asker.who], undefined, `${name}, ${asker.role} is not let in`)
        continue
      }
      const got = []
      for (const column of columnsOf(row[asker.who])) {
        const place = await placeFor(app, asker, column, 'active', event === 'prompt:interact')
        const { payload, first, firstPayload = ({ sessionId }: Place) => ({ sessionId }) } = eventRequests[name] ?? { payload: () => ({}) }
        if (first) await socket.raw(first, firstPayload(place))
        const answer = await socket.raw(event, payload(place))
        got.push({ code: answer.ok ? 'ok' : String(answer.error?.code), body: bare(answer, place) })
      }
      compare(t, name, asker, row[asker.who], got)
    }
  }
  t.same(app.warnings(), [], 'nothing went wrong on our side')
})

t.test('routes', async t => {
  const app = await boot(t)
  for (const asker of askers) {
    for (const [name, row] of Object.entries(routes)) {
      const { body, status } = routeRequests[name] ?? {}
      const got = []
      for (const column of columnsOf(row[asker.who])) {
        const place = await placeFor(app, asker, column, status, name.includes(':promptId'))
        const [method, pattern] = name.split(' ') as [string, string]
        const path = pattern.replace(':sessionId', place.sessionId).replace(':promptId', place.promptId)
        const prefix = /^\/(health|ready|metrics|\w+\.json)/.test(path) ? '/' : ''
        const reply = await app.call<{ code?: string, statusCode?: number }>(method, prefix + path, body?.(place), asker.token)
        if (reply.status >= 400) t.equal(reply.body.statusCode, reply.status)
        got.push({ code: reply.status < 300 ? 'ok' : String(reply.body.code), body: bare(reply.body, place) })
      }
      compare(t, name, asker, row[asker.who], got)
    }
  }
  t.same(app.warnings(), [], 'nothing went wrong on our side')
})
